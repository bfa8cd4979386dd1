"""Serving a causal language model folder: load it, continue a prompt n times, cut at stop strings.

Reads a local Hugging Face folder (safetensors, no remote code, no network). Each call computes one prompt alone: the
prompt once, then all its rows together; requests are never mixed in one batch, so a reply depends on its request
only (rows: up to float noise of the batch size). Computes in float32 on a CPU, bfloat16 on a GPU.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrl.embedded.protocol import Chat, Reply, Row, Sampling, ServeError

if TYPE_CHECKING:
    import torch

    from sdrl.embedded.decode import Stepper

ROWS_AT_ONCE = 256
_STOP_CHECK_EVERY = 8
_COMPACT_BELOW = 0.75


class ModelFolderError(Exception):
    """The folder holds no model that can be served; the text says what is missing."""


@dataclass(slots=True)
class _Rows:
    """Rows under way: tokens [rows, steps], and per row where it ended (-1: not yet) and whether by an end token."""

    tokens: torch.Tensor
    ended: list[int]
    by_end_token: list[bool]


class BaseModel:
    """A loaded model. Not for concurrent use: the server gives it one thread or process."""

    def __init__(self, folder: Path, *, threads: int = 1, generic: bool = False) -> None:
        """Load `folder`; `generic` forces the transformers path. Raises ModelFolderError."""
        # Spinning OpenMP threads cost a factor of 3 to 5 beside any other busy process; read when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch

        from sdrl.embedded.decode import Qwen2Stepper, TransformersStepper, fits_qwen2

        torch.set_num_threads(max(1, threads))
        self.name = folder.name
        self._torch = torch
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = load_tokenizer(folder)
        model = _load_weights(folder, self._device)
        self._context = int(getattr(model.config, "max_position_embeddings", None) or 2**31)
        self._end_tokens = _end_tokens(model, self.tokenizer)
        self._is_end = torch.zeros(int(model.get_input_embeddings().weight.shape[0]), dtype=torch.bool)
        self._is_end[[token for token in self._end_tokens if token < len(self._is_end)]] = True
        fused = fits_qwen2(model) and not generic
        with torch.inference_mode():
            self._stepper: Stepper = Qwen2Stepper(model) if fused else TransformersStepper(model)
        self._joins_cleanly = _joins_cleanly(self.tokenizer)

    def chat(self, request: Chat) -> Reply:
        """Render the folder's own chat template and continue it. Raises ServeError 400 when there is none."""
        if not self.tokenizer.chat_template:
            raise ServeError(400, "this base model has no chat template; use /v1/completions", "no_chat_template")
        if request.schema_name is not None:
            raise ServeError(400, "response_format: this base model writes free text only", "unsupported_parameter")
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self._continue(str(text), request.sampling, special_tokens=False)

    def complete(self, prompt: str, sampling: Sampling) -> Reply:
        """Continue a raw prompt, tokenized as the folder's tokenizer does by default."""
        return self._continue(prompt, sampling, special_tokens=True)

    def _continue(self, prompt: str, sampling: Sampling, *, special_tokens: bool) -> Reply:
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=special_tokens)["input_ids"]
        if not ids:
            raise ServeError(400, "prompt: empty, and the tokenizer has no token to begin with", "invalid_value")
        room = self._context - len(ids)
        if room < 1:
            message = f"the prompt has {len(ids)} tokens; this model reads at most {self._context}"
            raise ServeError(400, message, "context_length_exceeded")
        steps = min(sampling.max_tokens or room, room)
        greedy = sampling.temperature == 0
        wanted = 1 if greedy else sampling.n
        rows: list[Row] = []
        with self._torch.inference_mode():
            for first in range(0, wanted, ROWS_AT_ONCE):
                count = min(ROWS_AT_ONCE, wanted - first)
                rows += self._draw(prompt, ids, sampling, first, count, steps)
        return Reply(tuple(rows * sampling.n if greedy else rows), len(ids))

    def _draw(self, prompt: str, ids: list[int], sampling: Sampling, first: int, count: int, steps: int) -> list[Row]:
        """Rows first .. first + count - 1 of a request."""
        from sdrl.embedded.sampling import choose, uniforms

        torch = self._torch
        chance = None
        if sampling.temperature > 0:
            drawn = uniforms(prompt, sampling.seed + first, count, steps)
            chance = torch.from_numpy(drawn.T.copy()).to(self._device)
        rows = _Rows(torch.zeros((count, steps), dtype=torch.int64), [-1] * count, [False] * count)
        live = torch.arange(count)
        logits = self._stepper.prefill(torch.tensor([ids], device=self._device), count, steps)
        done = torch.zeros(count, dtype=torch.bool)
        for step in range(steps):
            uniform = None if chance is None else chance[step] if len(live) == count else chance[step][live]
            chosen = choose(logits, uniform, sampling.temperature, sampling.top_k, sampling.top_p)
            on_host = chosen if chosen.device.type == "cpu" else chosen.cpu()
            rows.tokens[live, step] = on_host
            ends = self._is_end[on_host] & ~done
            if bool(ends.any()):
                for place in ends.nonzero()[:, 0].tolist():
                    row = int(live[place])
                    rows.ended[row], rows.by_end_token[row] = step + 1, True
                done |= ends
            if sampling.stop and (step + 1) % _STOP_CHECK_EVERY == 0:
                self._mark_stopped(rows, live, done, step + 1, sampling.stop)
            left = len(done) - int(done.sum())
            if left == 0 or step + 1 == steps:
                break
            if left <= _COMPACT_BELOW * len(done):
                kept = (~done).nonzero()[:, 0]
                self._stepper.keep(kept.to(self._device))
                live, done = live[kept], done[kept]
                chosen = chosen[kept.to(self._device)]
            logits = self._stepper.step(chosen)
        return self._finish(rows, ids, sampling.stop, steps)

    def _mark_stopped(
        self, rows: _Rows, live: torch.Tensor, done: torch.Tensor, length: int, stop: tuple[str, ...]
    ) -> None:
        """End the rows whose text so far holds a stop string; the exact place is found by _finish."""
        places = (~done).nonzero()[:, 0].tolist()
        numbers = [int(live[place]) for place in places]
        texts = self._texts([rows.tokens[row, :length].tolist() for row in numbers], [])
        for place, row, text in zip(places, numbers, texts, strict=True):
            if any(mark in text for mark in stop):
                rows.ended[row] = length
                done[place] = True

    def _finish(self, rows: _Rows, ids: list[int], stop: tuple[str, ...], steps: int) -> list[Row]:
        """Texts and reasons of all rows, cut before the first stop string."""
        lengths = [steps if ended < 0 else ended for ended in rows.ended]
        tokens = rows.tokens.tolist()
        kept = [row[: length - by_end] for row, length, by_end in zip(tokens, lengths, rows.by_end_token, strict=True)]
        finished: list[Row] = []
        for row, length, by_end, text in zip(kept, lengths, rows.by_end_token, self._texts(kept, ids), strict=True):
            cut = min((at for at in (text.find(mark) for mark in stop) if at >= 0), default=-1)
            if cut >= 0:
                finished.append(Row(text[:cut], "stop", self._tokens_until(row, ids, stop)))
            else:
                finished.append(Row(text, "stop" if by_end else "length", length))
        return finished

    def _tokens_until(self, row: list[int], ids: list[int], stop: tuple[str, ...]) -> int:
        """The least number of tokens whose text holds a stop string."""
        low, high = 1, len(row)
        while low < high:
            middle = (low + high) // 2
            text = self._texts([row[:middle]], ids)[0]
            low, high = (low, middle) if any(mark in text for mark in stop) else (middle + 1, high)
        return low

    def _texts(self, rows: list[list[int]], ids: list[int]) -> list[str]:
        """Decode rows; where the tokenizer's decoder looks back (a leading space), as a continuation of the prompt."""
        if self._joins_cleanly or not ids:
            return self._decode(rows)
        before = ids[-4:]
        lead = self._decode([before])[0]
        joined = self._decode([before + row for row in rows])
        alone = self._decode(rows)
        return [whole[len(lead) :] if whole.startswith(lead) else own for whole, own in zip(joined, alone, strict=True)]

    def _decode(self, rows: list[list[int]]) -> list[str]:
        texts: list[str] = self.tokenizer.batch_decode(
            rows, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return texts


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer exactly as its tokenizer.json says; by class only where there is no such file.

    AutoTokenizer would pick the architecture's own class for a Qwen2 configuration and tokenize a custom vocabulary
    wrongly without a word.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        if (folder / "tokenizer.json").is_file():
            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFolderError(f"{folder}: no readable tokenizer ({error})") from error


def _load_weights(folder: Path, device: torch.device) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    wide = device.type == "cuda" and torch.cuda.is_bf16_supported()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16 if wide else torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelFolderError(f"{folder}: no causal model in safetensors can be loaded ({error})") from error
    return model.to(device).eval().requires_grad_(False)


def _end_tokens(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every token that ends a completion: of the generation settings, the model's and the tokenizer's."""
    found: set[int] = set()
    for source in (model.generation_config, model.config, tokenizer):
        value = getattr(source, "eos_token_id", None)
        found.update([value] if isinstance(value, int) else value or [])
    return tuple(sorted(found))


def _joins_cleanly(tokenizer: Any) -> bool:
    """Whether decoding in two pieces gives the same text as in one."""
    ids = tokenizer("Tom has 3 apples. 3 + 4 = 7", add_special_tokens=False)["input_ids"]
    options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    whole = tokenizer.decode(ids, **options)
    return all(tokenizer.decode(ids[:k], **options) + tokenizer.decode(ids[k:], **options) == whole for k in (1, 3, 6))
