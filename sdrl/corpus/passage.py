"""The passage: a short piece of somebody's text that a sample is grounded in."""

from __future__ import annotations

import json
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
