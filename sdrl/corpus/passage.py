"""The passage: a short piece of somebody's text that a sample is grounded in."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage. ``id`` is unique within a corpus; ``source`` and ``license`` say whose text it is ("" unknown)."""

    id: str
    text: str
    title: str = ""
    source: str = ""
    license: str = ""

    def to_line(self) -> bytes:
        """Canonical bytes: what an index's content address is computed over."""
        fields = [self.id, self.title, self.text, self.source, self.license]
        return _ENCODER.encode(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Passage:
        """Read back what ``to_line`` wrote."""
        id_, title, text, source, license_ = json.loads(line)
        return cls(id_, text, title, source, license_)


JOIN = "+"  # between the ids of passages that one prompt shows together


def named_in(passage: str | None, known: Container[str]) -> list[str]:
    """The known ids that a sample's ``passage`` names: one, or several joined (``retrieve.per_sample``).

    An id may hold the joining sign itself, so the longest known name is taken first; what nobody knows is left out.
    """
    pieces = (passage or "").split(JOIN)
    found, start = [], 0
    while start < len(pieces):
        ends = range(len(pieces), start, -1)
        end = next((end for end in ends if JOIN.join(pieces[start:end]) in known), None)
        if end is not None:
            found.append(JOIN.join(pieces[start:end]))
        start = end or start + 1
    return found
