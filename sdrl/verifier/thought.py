"""Blanks out what a completion thinks, so that only what it says is judged. Pure text, linear time.

Hidden: what stands between ``<think>`` and ``</think>``; everything before a ``</think>`` that nothing opened (the
opening tag was part of the prompt); the rest after a ``<think>`` that is never closed (the completion was cut off).
"""

from __future__ import annotations

import re
from typing import Final

OPEN: Final = "<think>"
CLOSE: Final = "</think>"
_TAG: Final = re.compile(r"</?think>")


def hidden_spans(completion: str) -> list[tuple[int, int]]:
    """The hidden (start, end) ranges in order, not overlapping."""
    spans: list[tuple[int, int]] = []
    opened = -1
    for tag in _TAG.finditer(completion):
        if tag.group() == OPEN:
            opened = tag.start() if opened < 0 else opened
        elif opened >= 0:
            spans.append((opened, tag.end()))
            opened = -1
        else:
            # Nothing opened it: all before was thought, whatever it looked like.
            spans = [(0, tag.end())]
    if opened >= 0:
        spans.append((opened, len(completion)))
    return spans


def visible(completion: str) -> str:
    """The completion with its thought blanked by spaces: same length, so that spans keep their meaning."""
    if OPEN not in completion and CLOSE not in completion:
        return completion
    parts: list[str] = []
    at = 0
    for start, end in hidden_spans(completion):
        parts += (completion[at:start], " " * (end - start))
        at = end
    parts.append(completion[at:])
    return "".join(parts)
