"""Lines with marks: plain text that every reader can use, and places in it that a screen may colour. Pure.

A mark never carries meaning of its own: what it stands on has its sign or word beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Style = Literal["good", "bad", "warn", "dim", "strong", "slot"]
Piece = str | tuple[str, Style]


class Mark(NamedTuple):
    """The characters from ``start`` to ``end`` of line ``line`` (all counted from 0) stand out."""

    line: int
    start: int
    end: int
    style: Style


class Sheet:
    """Lines under way. A text of several lines is cut into them, so that marks stay in place."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.marks: list[Mark] = []

    def add(self, *pieces: Piece) -> None:
        """One line of pieces, each plain or with its style; further lines where a piece holds line ends."""
        self.lines.append("")
        for piece in pieces:
            text, style = piece if isinstance(piece, tuple) else (piece, None)
            for number, part in enumerate(text.split("\n")):
                if number:
                    self.lines.append("")
                start = len(self.lines[-1])
                self.lines[-1] += part
                if style is not None and part:
                    self.marks.append(Mark(len(self.lines) - 1, start, start + len(part), style))

    def add_slotted(self, text: str, span: tuple[int, int] | None, room: int = 74) -> None:
        """A text whose characters from ``span[0]`` to ``span[1]`` are the slot that a verifier reads: marked, and
        underlined by carets, as colour alone is no sign.
        """
        start, end = span or (0, 0)
        while start < end and text[start].isspace():
            start += 1
        at = 0
        for line in text.split("\n"):
            low, high = max(start - at, 0), min(end - at, len(line))
            if low < high:
                self.add(line[:low], (line[low:high], "slot"), line[high:])
                if len(line) <= room:
                    self.add(" " * low + "^" * (high - low))
            else:
                self.add(line)
            at += len(line) + 1

    def extend(self, lines: Iterable[str], style: Style | None = None) -> None:
        """Several lines, all of one style."""
        for line in lines:
            self.add(line if style is None else (line, style))

    def head(self, text: str) -> None:
        """A heading, with a blank line above it where something stands there."""
        if self.lines and self.lines[-1]:
            self.add()
        self.add((text, "strong"))
