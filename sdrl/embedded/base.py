"""Serving a causal language model folder: load it and continue a prompt n times.

Reads a local Hugging Face folder (safetensors, no remote code, no network). Each call computes one prompt alone: the
prompt once, then all its rows together; requests are never mixed in one batch, so a reply depends on its request
only (rows: up to float noise of the batch size). Computes in float32 on a CPU, bfloat16 on a GPU.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrl.embedded.protocol import Chat, ModelFolderError, Reply, Row, Sampling, ServeError
from sdrl.embedded.texts import Texts

if TYPE_CHECKING:
    import torch

    from sdrl.embedded.decode import Stepper
    from sdrl.embedded.single import SingleRow

ROWS_AT_ONCE = 256
_STOP_CHECK_EVERY = 8
_COMPACT_BELOW = 0.75


class BaseModel:
    """A loaded model. Not for concurrent use: the server gives it one thread or process."""

    def __init__(self, folder: Path, *, threads: int = 1, generic: bool = False) -> None:
        """Load `folder`; `generic` forces the path through transformers. Raises ModelFolderError."""
        # Spinning OpenMP threads cost a factor of 3 to 5 beside any other busy process; read when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import torch

        torch.set_num_threads(max(1, threads))
        self.name = folder.name
        self._torch = torch
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._texts = Texts(folder)
        config = _read_json(folder / "config.json")
        self._context = int(config.get("max_position_embeddings") or config.get("n_positions") or 2**31)
        own_end = self._texts.tokenizer.eos_token_id
        self._end_tokens = _end_tokens(config, _read_json(folder / "generation_config.json"), own_end)
        with torch.inference_mode():
            self._stepper, self._single = _open_steppers(folder, config, self._device, generic=generic)

    def chat(self, request: Chat) -> Reply:
        """Render the folder's own chat template and continue it. Raises ServeError 400 when there is none."""
        if request.schema_name is not None:
            raise ServeError(400, "response_format: this base model writes free text only", "unsupported_parameter")
        if not self._texts.tokenizer.chat_template:
            raise ServeError(400, "this base model has no chat template; use /v1/completions", "no_chat_template")
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        text = self._texts.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self._continue(str(text), request.sampling, special_tokens=False)

    def complete(self, prompt: str, sampling: Sampling) -> Reply:
        """Continue a raw prompt, tokenized as the folder's tokenizer does by default."""
        return self._continue(prompt, sampling, special_tokens=True)

    def _continue(self, prompt: str, sampling: Sampling, *, special_tokens: bool) -> Reply:
        ids = self._texts.encode(prompt, special_tokens=special_tokens)
        if not ids:
            raise ServeError(400, "prompt: empty, and the tokenizer has no token to begin with", "invalid_value")
        room = self._context - len(ids)
        if room < 1:
            message = f"the prompt has {len(ids)} tokens; this model's maximum context length is {self._context}"
            raise ServeError(400, message, "context_length_exceeded")
        steps = min(sampling.max_tokens or room, room)
        rows: list[Row] = []
        with self._torch.inference_mode():
            if sampling.temperature == 0:
                row = self._draw_greedy(ids, sampling, steps)
                return Reply((row,) * sampling.n, len(ids))
            for first in range(0, sampling.n, ROWS_AT_ONCE):
                count = min(ROWS_AT_ONCE, sampling.n - first)
                rows += self._draw(prompt, ids, sampling, first, count, steps)
        return Reply(tuple(rows), len(ids))

    def _draw_greedy(self, ids: list[int], sampling: Sampling, steps: int) -> Row:
        """The likeliest continuation; all rows of a greedy request are this one."""
        if self._single is None:
            return self._draw("", ids, sampling, 0, 1, steps)[0]
        chosen: list[int] = []
        by_end = False
        logits = self._single.start(self._torch.tensor([ids]), steps)
        for step in range(1, steps + 1):
            token = int(logits.argmax())
            by_end = token in self._end_tokens or token in sampling.end_ids
            if by_end:
                break
            chosen.append(token)
            if step == steps or self._time_to_stop(step, [chosen], ids, sampling.stop) == [True]:
                break
            logits = self._single.step(token)
        return self._texts.finish([chosen], [by_end], ids, sampling.stop)[0]

    def _time_to_stop(self, step: int, rows: list[list[int]], ids: list[int], stop: tuple[str, ...]) -> list[bool]:
        """Every few steps, whether each row holds a stop string; empty in between, as looking costs a decoding."""
        return self._texts.stopped(rows, ids, stop) if stop and step % _STOP_CHECK_EVERY == 0 else []

    def _draw(self, prompt: str, ids: list[int], sampling: Sampling, first: int, count: int, steps: int) -> list[Row]:
        """Rows first .. first + count - 1 of a request, computed together; finished ones leave the batch in groups."""
        from sdrl.embedded.sampling import choose, uniforms

        torch = self._torch
        chance = None
        if sampling.temperature > 0:
            drawn = uniforms(prompt, sampling.seed + first, count, steps)
            chance = torch.from_numpy(drawn.T.copy()).to(self._device)
        ends = torch.tensor(sorted(self._end_tokens.union(sampling.end_ids)), dtype=torch.int64)
        tokens = torch.zeros((count, steps), dtype=torch.int64)
        lengths, by_end = torch.full((count,), steps), torch.zeros(count, dtype=torch.bool)
        live, done = torch.arange(count), torch.zeros(count, dtype=torch.bool)  # rows in the batch; which are over
        logits = self._stepper.prefill(torch.tensor([ids], device=self._device), count, steps)
        for step in range(1, steps + 1):
            uniform = None if chance is None else chance[step - 1][live.to(self._device)]
            chosen = choose(logits, uniform, sampling.temperature, sampling.top_k, sampling.top_p)
            tokens[live, step - 1] = chosen.cpu()
            ended = torch.isin(tokens[live, step - 1], ends) & ~done
            if bool(ended.any()):
                lengths[live[ended]], by_end[live[ended]] = step - 1, True
                done |= ended
            self._end_stopped(step, tokens, live, done, lengths, ids, sampling.stop)
            left = int((~done).sum())
            if left == 0 or step == steps:
                break
            if left <= _COMPACT_BELOW * len(done):
                kept = (~done).nonzero()[:, 0]
                live, done, chosen = live[kept], done[kept], chosen[kept.to(self._device)]
                self._stepper.keep(kept.to(self._device))
            logits = self._stepper.step(chosen)
        rows = [row[:length] for row, length in zip(tokens.tolist(), lengths.tolist(), strict=True)]
        return self._texts.finish(rows, by_end.tolist(), ids, sampling.stop)

    def _end_stopped(
        self,
        step: int,
        tokens: torch.Tensor,
        live: torch.Tensor,
        done: torch.Tensor,
        lengths: torch.Tensor,
        ids: list[int],
        stop: tuple[str, ...],
    ) -> None:
        """Mark the rows whose text holds a stop string by now; Texts.finish finds the exact place."""
        if not stop or step % _STOP_CHECK_EVERY:
            return
        going = (~done).nonzero()[:, 0]
        held = self._time_to_stop(step, tokens[live[going], :step].tolist(), ids, stop)
        over = going[self._torch.tensor(held, dtype=self._torch.bool)]
        lengths[live[over]] = step
        done[over] = True


def _open_steppers(
    folder: Path, config: dict[str, Any], device: torch.device, *, generic: bool
) -> tuple[Stepper, SingleRow | None]:
    """The forward passes for many rows, and where it pays the one for a single greedy row. Raises ModelFolderError."""
    import torch

    from sdrl.embedded.decode import Qwen2Stepper, TransformersStepper, fits_qwen2
    from sdrl.embedded.single import MOST_PARAMETERS, SingleRow

    dtype = torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    file = folder / "model.safetensors"
    try:
        if generic or not file.is_file() or not fits_qwen2(config):
            return TransformersStepper(_load_with_transformers(folder, dtype).to(device)), None
        # Reading the tensors ourselves spares each worker the import of the model library: more than half its start.
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            weights = {name: tensor.to(device, dtype) for name, tensor in load_file(file).items()}
        except SafetensorError as error:
            raise OSError(f"{file.name}: {error}") from error
        fused = Qwen2Stepper(config, weights)
        small = device.type == "cpu" and sum(tensor.numel() for tensor in weights.values()) <= MOST_PARAMETERS
        return fused, SingleRow(fused) if small else None
    except (OSError, ValueError, KeyError) as error:
        raise ModelFolderError(f"{folder}: no causal model in safetensors can be loaded ({error})") from error


def _load_with_transformers(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=dtype
    )
    return model.eval().requires_grad_(False)


def _read_json(path: Path) -> dict[str, Any]:
    """A settings file of the folder, empty if it is missing. Raises ModelFolderError if it is no JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path}: unreadable ({error})") from error
    if not isinstance(found, dict):
        raise ModelFolderError(f"{path}: not a JSON object")
    return found


def _end_tokens(config: dict[str, Any], generation: dict[str, Any], of_tokenizer: int | None) -> frozenset[int]:
    """Every token that ends a completion: of the generation settings, or else the model's, and the tokenizer's.

    The rule of vLLM and of the training process: generation settings that name end tokens replace the model's.
    """
    named = generation.get("eos_token_id")
    found: set[int] = set()
    for value in (config.get("eos_token_id") if named is None else named, of_tokenizer):
        found.update([value] if isinstance(value, int) else value or [])
    return frozenset(found)
