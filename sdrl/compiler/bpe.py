"""Counting tokens as a model's own ``tokenizer.json`` would, for byte-level BPE (GPT-2, Qwen, Llama 3, toy-base, …).

Standard library only, so that compiling needs no tokenizer package and gives the same figures on every machine. It
counts and does not encode: special tokens are not looked for, and texts are cut into words by one pattern for all such
tokenizers, which differs from their own on rare characters only. Other kinds of tokenizers are not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

MAX_BYTES = 40_000_000
_LETTERS = r"[^\W\d_]"
_WORDS = r"(?i:'(?:s|t|re|ve|m|ll|d))|(?:[^\r\n\w]|_)?" + _LETTERS + "+|{digits}|"
_REST = r" ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CHUNK = 1024  # a word is merged in pieces of this many bytes: the time per word grows with its square


class Bpe:
    """A vocabulary's merges by rank."""

    def __init__(self, ranks: Mapping[tuple[str, str], int], digits: str) -> None:
        self._ranks = ranks
        self._word = re.compile(_WORDS.replace("{digits}", digits) + _REST)
        self._lengths: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Tokens of ``text``."""
        return sum(self._length(word) for word in self._word.findall(text))

    def _length(self, word: str) -> int:
        known = self._lengths.get(word)
        if known is None:
            symbols = [_BYTES[byte] for byte in word.encode("utf-8", "replace")]
            known = sum(self._merged(symbols[at : at + _CHUNK]) for at in range(0, len(symbols), _CHUNK))
            self._lengths[word] = known
        return known

    def _merged(self, symbols: list[str]) -> int:
        """How many symbols are left when the pair of the lowest rank has been merged again and again."""
        ranks, none = self._ranks, len(self._ranks)
        while len(symbols) > 1:
            best = min(pairwise(symbols), key=lambda pair: ranks.get(pair, none))
            if best not in ranks:
                break
            merged: list[str] = []
            at = 0
            while at < len(symbols):
                if tuple(symbols[at : at + 2]) == best:
                    merged.append(symbols[at] + symbols[at + 1])
                    at += 2
                else:
                    merged.append(symbols[at])
                    at += 1
            symbols = merged
        return len(symbols)


def read_bpe(folder: Path) -> Bpe | None:
    """The tokenizer of a model folder; None where it is missing, damaged or of another kind."""
    path = folder / "tokenizer.json"
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        loaded = json.loads(path.read_bytes())
        model, before = loaded["model"], loaded["pre_tokenizer"]
        if model["type"] != "BPE" or not any(step["type"] == "ByteLevel" for step in _steps(before)):
            return None
        pairs = (tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in model["merges"])
        ranks = {(first, second): rank for rank, (first, second) in enumerate(pairs)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError, AttributeError):
        return None
    return Bpe(ranks, _digits(json.dumps(before)))


def _steps(before: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [before, *before.get("pretokenizers", [])]


def _digits(pattern: str) -> str:
    """How the tokenizer cuts digits: three at a time, one at a time, or whole numbers with the blank before them."""
    if r"\\p{N}{1,3}" in pattern:
        return r"\d{1,3}"
    alone = r"\\p{N}|" in pattern or '"individual_digits": true' in pattern
    return r"\d" if alone else r" ?\d+"


def _byte_symbols() -> list[str]:
    """The printable character that stands for each byte in byte-level BPE. Source: GPT-2's ``bytes_to_unicode``."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    stand_ins = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(stand_ins)) for byte in range(256)]


_BYTES = _byte_symbols()
