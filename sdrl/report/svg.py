"""Small charts as SVG text: columns, outlines, lines, rows and intervals. Pure: numbers and words in, ``<svg>`` out.

What they are drawn in is ``svg_frame``'s. Each mark carries its figure as a ``<title>``, which browsers show on hover.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from sdrl.report.svg_frame import (
    BOTTOM,
    COLOURS,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    axis_titles,
    grid,
    legend,
    number,
    path,
    picture,
    shortened,
    signed,
    standalone,
    text,
    ticks,
    under_axis,
    width_of,
)

__all__ = [
    "COLOURS", "LEFT", "Outline", "Series", "Shares",
    "bars", "columns", "intervals", "lines", "number", "outlines", "standalone",
]  # fmt: skip

ROW = 26
FEW = 12  # up to so many points a curve is dots joined by lines, above it is smoothed
HOVERED = 240  # up to so many points each one tells its figure on hover
INDENT = 14
BOLD = 1.1  # how much wider strong words are
PARTS = "  "  # a label that begins so is a part of the row above it


@dataclass(frozen=True)
class Series:
    """One line: points ``(x, y)`` in order of x; drawn dotted with marks when there are few of them."""

    name: str
    points: Sequence[tuple[float, float]]


Shares = Sequence[float]


@dataclass(frozen=True)
class Outline:
    """One histogram: the share of the values in each bin, the bins being those of the chart."""

    name: str
    shares: Shares


def columns(
    title: str,
    labels: Sequence[str],
    groups: Sequence[tuple[str, Sequence[float]]],
    *,
    y_label: str,
    x_label: str = "",
    first: int = 0,
) -> str:
    """Columns side by side, one group of them a label; values are shares (0 to 1). ``first``: the first's colour."""
    marks, head = legend([name for name, _ in groups], first=first)
    top = TOP + head
    values = ticks(0.0, max((value for _, shares in groups for value in shares), default=0.0) or 1.0)
    bottom = HEIGHT - BOTTOM
    scale = (bottom - top) / values[-1]
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    each = step * 0.8 / max(1, len(groups))
    marks += [*grid(values, bottom, scale, is_share=True), *axis_titles(x_label, y_label, top, HEIGHT)]
    for place, label in enumerate(labels):
        left = LEFT + place * step
        marks.append(text(left + step / 2, bottom + 16, label, "middle"))
        for index, (name, shares) in enumerate(groups):
            tall, x = shares[place] * scale, left + step * 0.1 + index * each
            about = escape(f"{name}, {label}: {shares[place] * 100:.1f} %")
            marks.append(
                f'<rect class="s{(index + first) % COLOURS}" x="{x:.1f}" width="{each * 0.92:.1f}" '
                f'y="{bottom - tall:.1f}" height="{tall:.1f}"><title>{about}</title></rect>'
            )
    return picture(title, HEIGHT, marks)


def outlines(title: str, edges: Sequence[float], groups: Sequence[Outline], *, x_label: str, y_label: str) -> str:
    """Histograms over one axis as outlines: ``edges`` are one more than each group's shares."""
    marks, head = legend([each.name for each in groups])
    top, bottom = TOP + head, HEIGHT - BOTTOM
    values = ticks(0.0, max((share for each in groups for share in each.shares), default=0.0) or 1.0)
    up = (bottom - top) / values[-1]
    across = (WIDTH - LEFT - RIGHT) / (edges[-1] - edges[0])
    marks += [*grid(values, bottom, up, is_share=True), *axis_titles(x_label, y_label, top, HEIGHT)]
    for tick in ticks(edges[0], edges[-1]):
        if edges[0] <= tick <= edges[-1]:
            marks.append(under_axis(LEFT + (tick - edges[0]) * across, bottom + 16, number(tick)))
    for index, each in enumerate(groups):
        spots = [(float(LEFT), float(bottom))]
        for (low, high), share in zip(pairwise(edges), each.shares, strict=True):
            y = bottom - share * up
            spots += [(LEFT + (low - edges[0]) * across, y), (LEFT + (high - edges[0]) * across, y)]
        spots.append((float(WIDTH - RIGHT), float(bottom)))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        if len(groups) <= 2:  # more bodies over each other hide one another
            marks.append(f'<polygon class="area s{index % COLOURS}" points="{points}"/>')
        marks.append(path(spots, f"line l{index % COLOURS}"))
    marks += _bins(edges, groups, across, top, bottom)
    return picture(title, HEIGHT, marks)


def _bins(edges: Sequence[float], groups: Sequence[Outline], across: float, top: float, bottom: float) -> Iterator[str]:
    """Unseen columns that tell each bin's figures on hover."""
    for place, (low, high) in enumerate(pairwise(edges)):
        told = "; ".join(f"{each.name}: {each.shares[place] * 100:.1f} %" for each in groups)
        yield (
            f'<rect class="spot" x="{LEFT + (low - edges[0]) * across:.1f}" y="{top:g}" '
            f'width="{(high - low) * across:.1f}" height="{bottom - top:g}">'
            f"<title>{escape(f'{number(low)} to {number(high)}: {told}')}</title></rect>"
        )


def lines(
    title: str,
    series: Sequence[Series],
    *,
    x_label: str,
    is_share: bool,
    y_label: str = "",
    marked: float | None = None,
) -> str:
    """Curves over steps; a smoothed line over the thin raw one where points are many, dots where they are few."""
    marks, head = legend([each.name for each in series], first=1)
    top, bottom = TOP + head + (0 if marked is None else 8), HEIGHT - BOTTOM
    known = [each for each in series if each.points]
    xs = [x for each in known for x, _ in each.points] or [0.0, 1.0]
    xs += [] if marked is None else [marked]
    ys = [y for each in known for _, y in each.points] or [0.0, 1.0]
    values = ticks(min(0.0, *ys), max(ys) or 1.0) if is_share else ticks(min(ys), max(ys))
    left, right = min(xs), max(max(xs), min(xs) + 1)
    down = (bottom - top) / (values[-1] - values[0])
    across = (WIDTH - LEFT - RIGHT) / (right - left)

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + (x - left) * across, bottom - (y - values[0]) * down

    marks += [*grid(values, bottom, down, is_share=is_share), *axis_titles(x_label, y_label, top, HEIGHT)]
    for tick in ticks(left, right):
        if left <= tick <= right:
            marks.append(under_axis(place(tick, 0)[0], bottom + 16, f"{tick:g}"))
    if marked is not None:
        x = place(marked, 0)[0]
        marks.append(
            f'<line class="axis" stroke-dasharray="4 3" x1="{x:.1f}" x2="{x:.1f}" y1="{top:g}" y2="{bottom}"/>'
        )
        marks.append(text(x, top - 5, f"chosen: step {marked:g}", "end" if x > WIDTH / 2 else "start", "note"))
    for index, each in enumerate(series, 1):
        marks += _curve(each, [place(x, y) for x, y in each.points], index % COLOURS, is_share)
        if len(each.points) > FEW:
            marks.append(path([place(x, y) for x, y in smooth(each.points)], f"line l{index % COLOURS}"))
    return picture(title, HEIGHT, marks)


def _curve(each: Series, spots: Sequence[tuple[float, float]], colour: int, is_share: bool) -> Iterator[str]:
    """The raw line: thin under its smoothed form where points are many, with dots where they are few."""
    is_few = len(spots) <= FEW
    yield path(spots, f"{'line' if is_few else 'thin'} l{colour}")
    if len(spots) > HOVERED:
        return
    for (x, y), (step, value) in zip(spots, each.points, strict=True):
        about = escape(f"{each.name}, step {step:g}: {number(value, is_share)}".lstrip(", "))
        kind = f"s{colour}" if is_few else f"spot s{colour}"
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{about}</title></circle>'


def intervals(
    title: str,
    rows: Sequence[tuple[str, float, float, float]],
    *,
    x_label: str,
    is_difference: bool = True,
) -> str:
    """One row an estimate, ``(label, low, value, high)``, its figures at the end; a difference has a line at zero.

    A label that begins with two blanks is a part of the row above it. Hollow: a difference whose interval holds zero.
    """
    head, foot = 8, BOTTOM - 4
    height = head + ROW * len(rows) + foot
    words = [_estimate(row, is_difference) for row in rows]
    start = min(200.0, max((_label_width(label) for label, *_ in rows), default=100.0))
    end = WIDTH - 14 - max((width_of(each) for each in words), default=0.0)
    lowest, highest = min((low for _, low, _, _ in rows), default=0.0), max((high for *_, high in rows), default=1.0)
    values = ticks(min(0.0, lowest), max(0.0, highest))
    across = (end - start) / (values[-1] - values[0])
    bottom = height - foot

    def place(value: float) -> float:
        return start + (value - values[0]) * across

    marks = []
    for tick in values:
        kind, x = "axis" if abs(tick) < 1e-9 else "grid", f"{place(tick):.1f}"
        marks.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{head - 6}" y2="{bottom}"/>')
        told = f"{tick:+g}".replace("-", "\u2212") if is_difference and abs(tick) > 1e-9 else f"{abs(tick):g}"
        marks.append(text(place(tick), bottom + 16, told, "middle"))
    for index, (row, told) in enumerate(zip(rows, words, strict=True)):
        label, low, value, high = row
        y, is_part = head + ROW * index + ROW / 2, label.startswith(PARTS)
        is_open = is_difference and low <= 0 <= high
        colour = 0 if is_part else 1
        about = escape(f"{label.strip()}: {told}")
        name = shortened(label.strip(), (start - 12 - INDENT * is_part) / BOLD)
        marks.append(text(INDENT if is_part else 2, y + 4, name, kind="" if is_part else "strong"))
        marks.append(f'<line class="bar l{colour}" x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{y}" y2="{y}"/>')
        dot = f"hollow l{colour}" if is_open else f"s{colour}"
        marks.append(f'<circle class="{dot}" cx="{place(value):.1f}" cy="{y}" r="5"><title>{about}</title></circle>')
        marks.append(text(WIDTH - 4, y + 4, told, "end", "note"))
    marks.append(text((start + end) / 2, height - 6, x_label, "middle", "note"))
    return picture(title, height, marks)


def _label_width(label: str) -> float:
    is_part = label.startswith(PARTS)
    return 14 + INDENT * is_part + width_of(label.strip()) * BOLD


def _estimate(row: tuple[str, float, float, float], is_difference: bool) -> str:
    _, low, value, high = row
    if is_difference:
        return f"{signed(value)} ({signed(low)} to {signed(high)})"
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def bars(title: str, rows: Sequence[tuple[str, float, float, str]], *, names: Sequence[str]) -> str:
    """One row a stage: ``(label, value, pale part after it, words at the end)``."""
    marks, head = legend(names)
    head += 4
    height = head + ROW * len(rows) + 4
    top = max((value + more for _, value, more, _ in rows), default=0.0) or 1.0
    start = min(180.0, 18 + max((width_of(label) for label, *_ in rows), default=90.0))
    room = WIDTH - start - 12 - max((width_of(words) for *_, words in rows), default=100.0)
    for index, (label, value, more, words) in enumerate(rows):
        y = head + ROW * index
        solid, pale = value / top * room, more / top * room
        marks.append(text(start - 8, y + 15, shortened(label, start - 12), "end"))
        about = f"<title>{escape(f'{label}: {words}')}</title>"
        parts = [("s1", start, max(solid, 1.0))] + [("s3 lost", start + solid, pale)] * bool(more)
        for kind, x, wide in parts:
            where = f'x="{x:.1f}" y="{y + 3}" width="{wide:.1f}" height="{ROW - 9}"'
            marks.append(f'<rect class="{kind}" {where}>{about}</rect>')
        marks.append(text(start + solid + pale + 8, y + 15, words, kind="note"))
    return picture(title, height, marks)


def smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each point the mean of its neighbours, a twentieth of the curve to either side."""
    reach = max(1, len(points) // 20)
    found = []
    for index, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, index - reach) : index + reach + 1]]
        found.append((x, sum(near) / len(near)))
    return found
