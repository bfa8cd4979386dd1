"""Lines with marks: plain text that every reader can use, and places in it that a screen may colour. Pure.

A mark never carries meaning of its own: what it stands on has its sign or word beside it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

Style = Literal["good", "bad", "warn", "dim", "strong", "slot"]
Piece = str | tuple[str, Style]


class Mark(NamedTuple):
    """The characters from ``start`` to ``end`` of line ``line`` (all counted from 0) stand out."""

    line: int
    start: int
    end: int
    style: Style


COLUMNS = 74  # of a panel in terminals of 80 and of 160
LEAST_COLUMNS, MOST_COLUMNS = 24, 160


class Sheet:
    """Lines under way, for a panel of so many ``columns``. A text of several lines is cut into them, so that marks stay
    in place.
    """

    def __init__(self, columns: int = COLUMNS) -> None:
        self.columns = columns
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

    def flow(self, *pieces: Piece, indent: int = 0) -> None:
        """One line of pieces, broken at blanks where it is wider than the sheet; what follows begins ``indent`` in."""
        text = "".join(piece if isinstance(piece, str) else piece[0] for piece in pieces).replace("\n", " ")
        at = 0
        while True:
            lead = indent if at else 0
            end = _line_end(text, at, max(self.columns - lead, 1))
            self.add(" " * lead, *_between(pieces, at, end))
            at = end + (len(text[end:]) - len(text[end:].lstrip(" ")))
            if at >= len(text):
                return

    def wrapped(self, text: str, style: Style | None = None, *, most: int | None = None) -> None:
        """Each line of a text, broken at blanks; at most so many lines of it."""
        lines = [part for line in text.split("\n") for part in textwrap.wrap(line, self.columns) or [""]]
        self.extend(lines[:most], style)

    def add_slotted(self, text: str, span: tuple[int, int] | None) -> None:
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
                if len(line) <= self.columns:
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


def _line_end(text: str, at: int, room: int) -> int:
    """Where a line that begins ``at`` ends: at the last blank that has room, or in the middle of a long word."""
    if len(text) - at <= room:
        return len(text)
    begin = at + len(text[at:]) - len(text[at:].lstrip(" "))
    found = text.rfind(" ", begin, at + room + 1)
    end = found if found > begin else at + room
    return at + len(text[at:end].rstrip(" "))


def _between(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    """The parts of pieces from one character of them all to another, with their styles."""
    at = 0
    for piece in pieces:
        text, style = piece if isinstance(piece, tuple) else (piece, None)
        text = text.replace("\n", " ")
        part = text[max(start - at, 0) : max(end - at, 0)]
        at += len(text)
        if part:
            yield part if style is None else (part, style)
