"""Between text and tokens for the base model: the tokenizer as its file says, decoding, stop strings.

Reads the tokenizer files of a model folder; runs no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdrl.embedded.protocol import ModelFolderError, Row

_OPTIONS = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}


class Texts:
    """A tokenizer, and how its tokens become the text of a reply."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelFolderError."""
        self.tokenizer = load_tokenizer(folder)
        self._joins_cleanly = self._probe()

    def encode(self, prompt: str, *, special_tokens: bool) -> list[int]:
        """Token ids; `special_tokens` adds what the tokenizer puts around a text by default."""
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=special_tokens)["input_ids"]
        return ids

    def decode(self, rows: Sequence[Sequence[int]], prompt: Sequence[int]) -> list[str]:
        """Texts of rows; where the decoder looks back (a leading space), as continuations of the prompt's tokens."""
        alone = self._decode(rows)
        if self._joins_cleanly or not prompt:
            return alone
        before = list(prompt[-4:])
        lead = self._decode([before])[0]
        joined = self._decode([[*before, *row] for row in rows])
        return [whole[len(lead) :] if whole.startswith(lead) else own for whole, own in zip(joined, alone, strict=True)]

    def stopped(self, rows: Sequence[Sequence[int]], prompt: Sequence[int], stop: Sequence[str]) -> list[bool]:
        """Per row, whether its text holds a stop string."""
        return [any(mark in text for mark in stop) for text in self.decode(rows, prompt)]

    def finish(
        self, rows: Sequence[Sequence[int]], by_end_token: Sequence[bool], prompt: Sequence[int], stop: Sequence[str]
    ) -> list[Row]:
        """Replies of rows (their end token left out), cut before the first stop string; an end token counts."""
        finished: list[Row] = []
        for tokens, by_end, text in zip(rows, by_end_token, self.decode(rows, prompt), strict=True):
            cut = min((at for at in (text.find(mark) for mark in stop) if at >= 0), default=-1)
            if cut >= 0:
                finished.append(Row(text[:cut], "stop", self._tokens_until_stop(tokens, prompt, stop)))
            else:
                finished.append(Row(text, "stop" if by_end else "length", len(tokens) + by_end))
        return finished

    def _tokens_until_stop(self, tokens: Sequence[int], prompt: Sequence[int], stop: Sequence[str]) -> int:
        """The least number of tokens whose text holds a stop string; it must not depend on how often we looked."""
        low, high = 1, len(tokens)
        while low < high:
            middle = (low + high) // 2
            held = self.stopped([tokens[:middle]], prompt, stop)[0]
            low, high = (low, middle) if held else (middle + 1, high)
        return low

    def _decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        if not rows:  # the library makes one empty text of no rows
            return []
        texts: list[str] = self.tokenizer.batch_decode([list(row) for row in rows], **_OPTIONS)
        return texts

    def _probe(self) -> bool:
        """Whether decoding in two pieces gives the same text as in one."""
        ids = self.encode("Tom has 3 apples. 3 + 4 = 7", special_tokens=False)
        whole = self._decode([ids])[0]
        return all("".join(self._decode([ids[:k], ids[k:]])) == whole for k in (1, 3, 6))


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer exactly as its tokenizer.json says; by class only where there is no such file.

    AutoTokenizer would pick the architecture's own class for a Qwen2 configuration and tokenize a custom vocabulary
    wrongly without a word. Raises ModelFolderError.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        if (folder / "tokenizer.json").is_file():
            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFolderError(f"{folder}: no readable tokenizer ({error})") from error
