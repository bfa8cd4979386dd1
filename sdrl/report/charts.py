"""Bars and curves made of characters: eighths of blocks where the terminal has them, plain ASCII elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor

_EIGHTHS_RIGHT = " ▏▎▍▌▋▊▉█"
_EIGHTHS_UP = " ▁▂▃▄▅▆▇█"


def bar(value: float, top: float, width: int, *, ascii_only: bool = False) -> str:
    """A horizontal bar of at most ``width`` characters, full at ``top``; more than zero always shows."""
    if value <= 0 or top <= 0:
        return ""
    eighths = max(1, round(min(1.0, value / top) * width * 8))
    if ascii_only:
        return "#" * max(1, round(eighths / 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS_RIGHT[rest] if rest else "")


def curve(
    points: Sequence[tuple[float, float]], *, width: int, height: int, ascii_only: bool = False
) -> tuple[list[str], float, float]:
    """Columns over time: ``(lines from top to bottom, low, high)``; neighbours are averaged into ``width`` columns.

    The lowest value still shows a sliver, so that a flat curve is not an empty one. No points, no lines.
    """
    values = _columns([value for _, value in points], width)
    if not values:
        return [], 0.0, 0.0
    low, high = min(values), max(values)
    span = high - low
    levels = height * 8
    heights = [1 + floor((value - low) / span * (levels - 1)) if span else levels // 2 for value in values]
    lines = []
    for row in range(height - 1, -1, -1):
        cells = [min(8, max(0, level - row * 8)) for level in heights]
        lines.append(
            "".join(
                ("#" if cell >= 4 or (cell and not row) else " ") if ascii_only else _EIGHTHS_UP[cell] for cell in cells
            )
        )
    return [line.rstrip() for line in lines], low, high


def _columns(values: Sequence[float], width: int) -> list[float]:
    """Averages of at most ``width`` neighbouring groups of about equal size."""
    n = min(width, len(values))
    borders = [round(index * len(values) / n) for index in range(n + 1)] if n else []
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(borders)]
