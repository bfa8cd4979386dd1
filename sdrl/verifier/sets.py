"""Sets of answers: reads a slot as separated items or a JSON list, and compares without order or repetition."""

from __future__ import annotations

import json
import re
from typing import Final

from sdrl.verifier.number import read_number
from sdrl.verifier.program import Program
from sdrl.verifier.result import TOO_LONG, UNREADABLE, Options, Reading
from sdrl.verifier.words import EDGE, PAIRS, LabelType, clean, fold

MAX_SLOT: Final = 20_000
MAX_ITEMS: Final = 1_000
_EMPTY: Final = frozenset(("[]", "{}", "()", "none", "empty", "∅", "empty set", "the empty set"))
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)


class SetType:
    """Answer type ``set``. Canonical text: a JSON list of the canonical items, sorted, each once."""

    def __init__(self, program: Program) -> None:
        self._separator = program.separator
        self._ignore_case = program.ignore_case
        self._labels = LabelType(program) if program.options else None
        # A last item joined by a word (`a, b and c`) is split only where items are declared, so that no name breaks.
        self._and = re.compile(r"\s+(?:and|&)\s+", re.IGNORECASE)

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read all items; one that is no declared option makes the slot unreadable."""
        if len(slot) > MAX_SLOT:
            return Reading(None, TOO_LONG)
        parts = self._parts(slot)
        if parts is None or len(parts) > MAX_ITEMS:
            return UNREADABLE
        items: set[str] = set()
        for part in parts:
            item = self._item(part)
            if item is None:
                return UNREADABLE
            items.add(item)
        return Reading(json.dumps(sorted(items), ensure_ascii=False))

    def same(self, a: str, b: str) -> bool:
        """Whether both have the same items (canonical texts are equal exactly then)."""
        return a == b

    def _parts(self, slot: str) -> list[str] | None:
        text = slot.strip()
        if text.startswith("["):
            try:
                listed = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
            except (ValueError, RecursionError):
                listed = None
            if isinstance(listed, list):
                return [item for item in listed if isinstance(item, str)] if _texts(listed) else None
        if text.casefold().rstrip(".") in _EMPTY:
            return []
        text = text.strip(EDGE).rstrip(".").strip(EDGE)
        if text.startswith("\\{") and text.endswith("\\}"):
            text = text[2:-2]
        elif len(text) > 1 and PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1]
        if not text:
            return None
        parts = text.split(self._separator)
        if self._labels is not None:
            parts = [piece for part in parts for piece in self._split_and(part)]
        return [part for part in parts if clean(part)] or None

    def _split_and(self, part: str) -> list[str]:
        text = re.sub(r"^\s*(?:and|&)\s+", "", part, flags=re.IGNORECASE)
        assert self._labels is not None
        return [text] if self._labels.exactly(text) is not None else self._and.split(text)

    def _item(self, part: str) -> str | None:
        if self._labels is not None:
            return self._labels.exactly(part)
        text = clean(part)
        if _NUMBER.fullmatch(text):
            return read_number(text).text
        return fold(text, self._ignore_case) or None


def _texts(listed: list[object]) -> bool:
    return all(isinstance(item, str) for item in listed)
