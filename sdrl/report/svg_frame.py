"""What every chart is drawn in: words and their widths, ticks, grid, axis titles, legend. Pure: SVG text out.

Colours are classes (``s0`` … ``s3`` for series, ``axis``, ``grid``, ``note``): a page gives them light and dark;
``standalone`` adds a style sheet for a file of its own. No scripts, no style attributes, no references; every word is
escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 600, 280
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 14, 46
LINE = 17  # between two rows of the legend
COLOURS = 4  # as many series as can be told apart
SHEET = """
svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#222}.axis{stroke:#777}.grid{stroke:#e6e6e6}
.note{fill:#555}.strong{font-weight:600}.s0{fill:#8a97a8}.s1{fill:#1f6feb}.s2{fill:#1a9c6b}.s3{fill:#c2571a}
.l0{stroke:#8a97a8}.l1{stroke:#1f6feb}.l2{stroke:#1a9c6b}.l3{stroke:#c2571a}
.line{fill:none;stroke-width:2}.thin{fill:none;stroke-width:1;opacity:.35}.lost{opacity:.35}.bar{stroke-width:3}
.area{opacity:.13}.hollow{fill:#fff;stroke-width:2}.spot{opacity:0}
"""
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[] "), frozenset("mwMWGOQ@%≤")


def standalone(svg: str) -> str:
    """The same picture as a file of its own, with its colours."""
    head, rest = svg.split(">", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{SHEET.strip()}</style>{rest}\n'


def picture(title: str, height: float, marks: Sequence[str]) -> str:
    """The ``<svg>`` element around the marks."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}">{"".join(marks)}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """Words at a place; ``anchor``: start, middle or end."""
    extra = f' class="{kind}"' if kind else ""
    return f'<text{extra} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def under_axis(x: float, y: float, words: str) -> str:
    """The words of a tick, below it; those at the right edge end there."""
    return text(x, y, words, "end" if x + width_of(words) / 2 > WIDTH else "middle")


def width_of(words: str) -> float:
    """About how wide words are in a sans-serif of 12 px: rather too wide than too narrow."""
    return sum(4.5 if mark in _NARROW else 11.5 if mark in _WIDE else 7.7 for mark in words)


def shortened(words: str, room: float) -> str:
    """Words that fit into ``room``, cut with an ellipsis where they must be."""
    if width_of(words) <= room:
        return words
    while words and width_of(words + "…") > room:
        words = words[:-1]
    return words + "…"


def number(value: float, is_share: bool = False) -> str:
    """A value of an axis in words: a share as percent, any other in four digits; a true minus sign."""
    return f"{value * 100:.4g} %".replace("-", "\u2212") if is_share else f"{value:.4g}".replace("-", "\u2212")


def signed(value: float, digits: int = 1) -> str:
    """``+5.0`` or ``−5.0``."""
    return f"{value:+.{digits}f}".replace("-", "\u2212")


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers that enclose ``low`` to ``high``; a single value stands in their middle."""
    if not (isfinite(low) and isfinite(high)):
        low, high = 0.0, 1.0
    if high <= low:
        pad = abs(low) / 2 or 1.0
        low, high = low - pad, low + pad
    raw = (high - low) / 5
    unit = 10.0 ** floor(log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def legend(names: Sequence[str], *, first: int = 0, start: float = LEFT) -> tuple[list[str], float]:
    """Named series with their colours, from the left, in as many lines as they need; and the height they take.

    ``first``: the colour of the first series.
    """
    shown = [(index, shortened(name, 220)) for index, name in enumerate(names) if name]
    if not shown:
        return [], 0.0
    marks, x, row = [], start, 0
    for index, name in shown:
        wide = 16 + width_of(name) + 14
        if x > start and x + wide - 14 > WIDTH:
            x, row = start, row + 1
        y = 4 + row * LINE
        marks.append(f'<rect class="s{(index + first) % COLOURS}" x="{x:.1f}" y="{y}" width="10" height="10" rx="2"/>')
        marks.append(text(x + 15, y + 9, name))
        x += wide
    return marks, 6.0 + (row + 1) * LINE


def grid(values: Sequence[float], bottom: float, scale: float, *, is_share: bool) -> Iterator[str]:
    """A line and a number at each tick of the vertical axis; ``scale``: pixels a unit."""
    for tick in values:
        y = bottom - (tick - values[0]) * scale
        kind = "axis" if abs(tick) < 1e-12 else "grid"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(LEFT - 7, y + 4, number(tick, is_share), "end")


def axis_titles(x_label: str, y_label: str, top: float, height: float) -> Iterator[str]:
    """What the axes measure: below the middle of one, along the other."""
    if x_label:
        yield text((LEFT + WIDTH - RIGHT) / 2, height - 8, x_label, "middle", "note")
    if y_label:
        middle = (top + height - BOTTOM) / 2
        yield (
            f'<text class="note" transform="translate(13 {middle:.1f}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        )


def path(spots: Sequence[tuple[float, float]], kind: str) -> str:
    """A line through the spots."""
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>'
