"""Small charts as SVG text: columns, rows, lines and intervals. Pure: numbers and words in, one ``<svg>`` element out.

Colours are classes (``s0`` … ``s3`` for series, ``axis``, ``grid``, ``note``): a page gives them light and dark;
``standalone`` adds a style sheet for a file of its own. No scripts, no style attributes, no references; every word is
escaped. Each mark carries its figure as a ``<title>``, which browsers show on hover.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH = 600
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 44
ROW = 26
COLOURS = 4  # as many series as can be told apart
SHEET = """
svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#333}.axis{stroke:#888}.grid{stroke:#e3e3e3}
.note{fill:#666}.s0{fill:#8a97a8}.s1{fill:#1f6feb}.s2{fill:#1a9c6b}.s3{fill:#c2571a}
.l0{stroke:#8a97a8}.l1{stroke:#1f6feb}.l2{stroke:#1a9c6b}.l3{stroke:#c2571a}
.line{fill:none;stroke-width:2}.thin{fill:none;stroke-width:1;opacity:.35}.lost{opacity:.35}.bar{stroke-width:3}
"""


@dataclass(frozen=True)
class Series:
    """One line: points ``(x, y)`` in order of x; drawn dotted with marks when there are few of them."""

    name: str
    points: Sequence[tuple[float, float]]


def standalone(svg: str) -> str:
    """The same picture as a file of its own, with its colours."""
    head, rest = svg.split(">", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{SHEET.strip()}</style>{rest}\n'


def columns(title: str, labels: Sequence[str], groups: Sequence[tuple[str, Sequence[float]]], *, y_label: str) -> str:
    """Columns side by side, one group of them a label; values are shares (0 to 1)."""
    height = 280
    top = max((value for _, values in groups for value in values), default=0.0) or 1.0
    ticks = _ticks(0.0, top)
    scale = (height - TOP - BOTTOM) / ticks[-1]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    each = step * 0.8 / max(1, len(groups))
    marks = [*_legend([name for name, _ in groups]), *_grid(ticks, height, scale, is_share=True)]
    for place, label in enumerate(labels):
        left = LEFT + place * step
        marks.append(_text(left + step / 2, height - BOTTOM + 16, label, "middle"))
        for index, (name, values) in enumerate(groups):
            tall = values[place] * scale
            about = escape(f"{name}, {label}: {values[place] * 100:.1f} %")
            marks.append(
                f'<rect class="s{index % 4}" x="{left + step * 0.1 + index * each:.1f}" width="{each * 0.92:.1f}" '
                f'y="{height - BOTTOM - tall:.1f}" height="{tall:.1f}"><title>{about}</title></rect>'
            )
    marks.append(_text(4, 14, y_label, "start", "note"))
    return _svg(title, height, marks)


def lines(title: str, series: Sequence[Series], *, x_label: str, is_share: bool, marked: float | None = None) -> str:
    """Curves over steps; a smoothed line over the thin raw one where points are many, dots where they are few."""
    height = 260
    known = [each for each in series if each.points]
    xs = [x for each in known for x, _ in each.points] or [0.0, 1.0]
    xs += [] if marked is None else [marked]
    ys = [y for each in known for _, y in each.points] or [0.0, 1.0]
    ticks = _ticks(min(0.0, *ys) if is_share else min(ys), max(ys))
    left, right = min(xs), max(max(xs), min(xs) + 1)
    down = (height - TOP - BOTTOM) / (ticks[-1] - ticks[0])
    across = (WIDTH - LEFT - RIGHT) / (right - left)

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - left) * across, height - BOTTOM - (y - ticks[0]) * down

    marks = [*_legend([each.name for each in series]), *_grid(ticks, height, down, is_share=is_share)]
    for tick in _ticks(left, right):
        if left <= tick <= right:
            marks.append(_text(place(tick, 0)[0], height - BOTTOM + 16, f"{tick:g}", "middle"))
    marks.append(_text(WIDTH - RIGHT, height - 8, x_label, "end", "note"))
    if marked is not None:
        x = place(marked, 0)[0]
        marks.append(
            f'<line class="axis" stroke-dasharray="4 3" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        )
        marks.append(_text(x, TOP - 4, f"chosen: step {marked:g}", "end" if x > WIDTH / 2 else "start", "note"))
    for index, each in enumerate(series, len(series) == 1):
        few = len(each.points) <= 12
        spots = [place(x, y) for x, y in each.points]
        if not few:
            marks.append(_path(spots, f"thin l{index % 4}"))
        marks.append(_path(spots if few else [place(x, y) for x, y in smooth(each.points)], f"line l{index % 4}"))
        if few:
            for (x, y), (step, value) in zip(spots, each.points, strict=True):
                about = escape(f"{each.name}, step {step:g}: {number(value, is_share)}")
                marks.append(
                    f'<circle class="s{index % 4}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{about}</title></circle>'
                )
    return _svg(title, height, marks)


def intervals(title: str, rows: Sequence[tuple[str, float, float, float]], *, x_label: str) -> str:
    """One row an estimate, ``(label, low, value, high)`` in points, with a line at zero."""
    head = 12
    height = head + ROW * len(rows) + BOTTOM
    ticks = _ticks(min(0.0, *(low for _, low, _, _ in rows)), max(0.0, *(high for *_, high in rows)))
    start = 150
    across = (WIDTH - start - RIGHT - 10) / (ticks[-1] - ticks[0])

    def place(value: float) -> float:
        return start + (value - ticks[0]) * across

    marks = []
    for tick in ticks:
        kind, x = "axis" if abs(tick) < 1e-9 else "grid", f"{place(tick):.1f}"
        marks.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{head - 6}" y2="{height - BOTTOM}"/>')
        marks.append(_text(place(tick), height - BOTTOM + 16, f"{tick:+g}", "middle"))
    for index, (label, low, value, high) in enumerate(rows):
        y = head + ROW * index + ROW / 2
        about = escape(f"{label}: {value:+.1f} ({low:+.1f} to {high:+.1f})")
        marks.append(_text(start - 10, y + 4, label, "end"))
        marks.append(f'<line class="bar l1" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{y}" y2="{y}"/>')
        marks.append(f'<circle class="s1" cx="{place(value):.1f}" cy="{y}" r="5"><title>{about}</title></circle>')
    marks.append(_text(WIDTH - RIGHT, height - 8, x_label, "end", "note"))
    return _svg(title, height, marks)


def bars(title: str, rows: Sequence[tuple[str, float, float, str]], *, names: Sequence[str]) -> str:
    """One row a stage: ``(label, value, pale part after it, words at the end)``."""
    head = TOP if any(names) else 4
    height = head + ROW * len(rows) + 4
    top = max((value + more for _, value, more, _ in rows), default=0.0) or 1.0
    start, room = 110, WIDTH - 110 - 190
    marks = [*_legend(names)]
    for index, (label, value, more, words) in enumerate(rows):
        y = head + ROW * index
        solid, pale = value / top * room, more / top * room
        marks.append(_text(start - 8, y + 15, label, "end"))
        about = f"<title>{escape(f'{label}: {words}')}</title>"
        parts = [("s1", start, max(solid, 1.0))] + [("s3 lost", start + solid, pale)] * bool(more)
        for kind, x, wide in parts:
            place = f'x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 9}"'
            marks.append(f'<rect class="{kind}" {place}>{about}</rect>')
        marks.append(_text(start + solid + pale + 8, y + 15, words, "start", "note"))
    return _svg(title, height, marks)


def smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each point the mean of its neighbours, a twentieth of the curve to either side."""
    reach = max(1, len(points) // 20)
    found = []
    for index, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, index - reach) : index + reach + 1]]
        found.append((x, sum(near) / len(near)))
    return found


def number(value: float, is_share: bool) -> str:
    """A value of an axis in words: a share as percent, any other in four digits."""
    return f"{value * 100:.4g} %" if is_share else f"{value:.4g}"


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers that enclose ``low`` to ``high``."""
    if not (isfinite(low) and isfinite(high)) or high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / 5
    unit = 10.0 ** floor(log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _grid(ticks: Sequence[float], height: int, scale: float, *, is_share: bool) -> Iterator[str]:
    for tick in ticks:
        y = height - BOTTOM - (tick - ticks[0]) * scale
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 4, number(tick, is_share), "end")


def _legend(names: Sequence[str]) -> Iterator[str]:
    """The names of the series, right to left from the upper right corner."""
    x = float(WIDTH - RIGHT)
    for index, name in reversed([pair for pair in enumerate(names) if pair[1]]):
        yield _text(x, 14, name, "end")
        x -= 6.7 * len(name) + 6
        yield f'<rect class="s{index % 4}" x="{x - 10:.1f}" y="5" width="10" height="10" rx="2"/>'
        x -= 26


def _path(spots: Sequence[tuple[float, float]], kind: str) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in spots)}"/>'


def _text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    extra = f' class="{kind}"' if kind else ""
    return f'<text{extra} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, height: int, marks: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(marks)}</svg>'
    )
