r"""Where a part of a text value stands in the file: in plain, quoted and block texts (``|``, ``>``), escapes included.

Walks the value and what is written side by side. What is written differs from the value in escapes (``\n``, ``''``),
in line breaks that stand for blanks, and in indentation. Pure; positions count from 0.
"""

from __future__ import annotations

import re

from sdrl.spec.nodes import Mark

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r?\n[ \t]*|.)", re.DOTALL)
_BLANK = " \t\r\n"


def place_of(text: str, mark: Mark, value: str, start: int, end: int) -> Mark:
    """The mark of ``value[start:end]`` within the scalar at ``mark`` of ``text``, as far as it stands on one line.

    The whole scalar's mark where the two cannot be laid side by side.
    """
    written = text[mark.index : mark.end_index]
    places = _side_by_side(written, value)
    if places is None or not start < end <= len(value):
        return mark
    first, after = mark.index + places[start][0], mark.index + places[end - 1][1]
    stop = text.find("\n", first, after)
    return _mark(text, first, after if stop < 0 else max(stop, first + 1))


def _mark(text: str, first: int, after: int) -> Mark:
    line = text.count("\n", 0, first)
    begin = text.rfind("\n", 0, first) + 1
    return Mark(line, first - begin, first, line, after - begin, after)


def _side_by_side(written: str, value: str) -> list[tuple[int, int]] | None:
    """For each character of ``value`` where it is written (start, end); None where the two do not fit."""
    style = written[:1]
    at = 1 if style in ("'", '"') else 0
    if style in ("|", ">"):
        at = written.find("\n") + 1
    places: list[tuple[int, int]] = []
    for character in value:
        found = _next(written, at, character, style)
        if found is None:
            return None
        places.append(found)
        at = found[1]
    return places


def _next(written: str, at: int, character: str, style: str) -> tuple[int, int] | None:
    if style == '"':
        while (escape := _ESCAPE.match(written, at)) and escape[0][1:2] in "\r\n":
            at = escape.end()  # an escaped line break stands for nothing
        if escape:
            return at, escape.end()
    if style == "'" and written.startswith("''", at):
        return at, at + 2
    if written.startswith(character, at):
        return at, at + 1
    blanks = at
    while blanks < len(written) and written[blanks] in _BLANK:
        blanks += 1
    if character in _BLANK:  # a line break and its indentation stand for one blank, an empty line for a line break
        return (at, max(at + 1, blanks)) if blanks > at else None
    if blanks > at and style == '"' and written[blanks : blanks + 1] == "\\":
        return _next(written, blanks, character, style)
    if blanks > at and style == "'" and written.startswith("''", blanks):
        return blanks, blanks + 2
    return (blanks, blanks + 1) if written.startswith(character, blanks) else None
