"""A run's view as lines: where it is, what it gained, funnel, pass rates, curves, alarms, log. Pure.

The most wanted stands at the top, so that 24 lines show it. Pictures take the room there is, and a number stands beside
every one; where there is no room for a picture, the number stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sdrl.authoring.monitor import RunView, StageView
from sdrl.authoring.sheet import COLUMNS, Sheet, Style
from sdrl.run.event_text import duration, forecast_line

BARS = "▁▂▃▄▅▆▇█"
CURVE = 32  # columns of a curve at most
HEIGHT = 3  # lines of the histogram
FUNNEL = 6  # columns of a funnel's bar
PROGRESS = 16  # columns of a bar of progress
BINS = 12  # of a histogram: never, ten tenths, always
CELL, LEAST_CELL, MOST_CELL = 6, 4, 9  # columns of one of them: as in 74, at least, at most
SHOWN_ALARMS, SHOWN_LOG = 5, 12
_MARKS: Mapping[str, tuple[str, Style]] = {
    "waiting": ("·", "dim"), "running": ("▶", "strong"), "done": ("✓", "good"), "kept": ("=", "good"),
    "stopped": ("□", "warn"),
}  # fmt: skip
_CURVE_NAMES = {"validation_accuracy": "validation", "completion_length": "length"}


def run_sheet(view: RunView, *, is_alive: bool = True, columns: int = COLUMNS) -> Sheet:
    """The panel's lines. ``is_alive``: a process holds the run; without one and without an end it was killed."""
    sheet = Sheet(columns)
    _where(sheet, view, is_alive=is_alive)
    _gains(sheet, view.gains)
    _stages(sheet, view)
    for stage, rates in view.pass_rates.items():
        _pass_rates(sheet, stage, rates)
    if view.curves:
        sheet.head(f"training, to step {max(max(values) for values in view.curves.values())}")
        for name, values in view.curves.items():
            sheet.flow(_curve(name, values, columns), indent=13)
    if view.alarms:
        sheet.head("alarms")
        for alarm in list(view.alarms)[-SHOWN_ALARMS:]:
            sheet.flow(("! ", "warn"), alarm, indent=2)
    if view.log:
        sheet.head("log")
        for at, text in list(view.log)[-SHOWN_LOG:]:
            sheet.flow((f"{at}  ", "dim"), text, indent=10)
    return sheet


def _where(sheet: Sheet, view: RunView, *, is_alive: bool) -> None:
    head = f"plan {view.plan_hash[:12]}  "
    if view.ended is not None:
        status, message = str(view.ended["status"]), str(view.ended["message"])
        is_good = view.ended["exit"] == 0
        took = sum(stage.seconds for stage in view.stages.values())
        told = f"{status} (exit {view.ended['exit']})" + (f"; its stages took {duration(took)}" if took else "")
        sheet.flow(head, ("✓ " if is_good else "✗ ", "good" if is_good else "bad"), (told, "strong"))
        if message not in (status, ""):
            sheet.wrapped(message, "good" if is_good else "bad")
    elif not view.name:
        sheet.add("nothing has happened here yet")
    elif not is_alive:
        sheet.flow(head, ("✗ its process is gone; ", "bad"), "/start goes on with it")
    else:
        running = next((stage for stage in view.stages.values() if stage.state == "running"), None)
        done = sum(stage.state in ("done", "kept") for stage in view.stages.values())
        told = f"under way: {done} of {len(view.stages)} stages done"
        left = running.left_s() if running is not None else None
        sheet.flow(head, (told, "strong"), f", {_left(left)}" if left is not None else "")
    if view.review:
        sheet.flow((f"! {view.review}", "warn"), "  (/review)", indent=2)


def _left(seconds: float) -> str:
    return (
        "next < 1 min" if seconds < 60 else f"next in about {duration(round(seconds / 60) * 60).removesuffix(' 00 s')}"
    )


def _gains(sheet: Sheet, gains: Mapping[str, Mapping[str, Any]]) -> None:
    """Accuracy before and after on each set, with the gain and its 95 % interval in points."""
    if not gains:
        return
    sheet.head("gain (base model, then trained; 95 % interval)")
    for name, found in gains.items():
        style: Style = "good" if found["gain"] > 0 else "bad"
        gain = f"{100 * found['gain']:+.1f} points"
        interval = found["interval"]
        reach = f" ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})" if interval is not None else ""
        accuracy = f"{100 * found['base']:5.1f} % → {100 * found['trained']:5.1f} %  "
        sheet.flow(f"{name:<10} {accuracy}", (gain, style), f"{reach}, {found['n']:,} problems", indent=11)


def _stages(sheet: Sheet, view: RunView) -> None:
    samples = [stage.rows or 0 for name, stage in view.stages.items() if not name.startswith("evaluate")]
    most = max(samples, default=0) or 1
    sheet.head("stages        rows" if any(stage.rows is not None for stage in view.stages.values()) else "stages")
    for name, stage in view.stages.items():
        mark, style = _MARKS[stage.state]
        sheet.flow((f"{mark} ", style), f"{name:<10} ", *_told(stage, most, sheet.columns), indent=13)
    for role, asked in view.endpoints.items():
        if view.ended is None:
            paid = f", ${asked['usd']:,.2f}" if asked.get("usd") else ""
            flight = f"{asked['in_flight']} in flight" if asked["in_flight"] else "idle"
            counts = f"{asked['sent']:,} sent, {asked['cached']:,} from the cache, {asked['failed']:,} failed"
            sheet.flow((f"  {role:<11} {counts}, {flight}{paid}", "dim"), indent=14)
    if view.forecast is not None and view.ended is None:
        sheet.flow((f"{' ' * 14}in all: {forecast_line(view.forecast)}", "dim"), indent=14)


def _told(stage: StageView, most: int, columns: int) -> list[Any]:
    if stage.state in ("done", "kept"):
        rows = stage.rows or 0
        bar = ("█" * max(1, round(FUNNEL * min(rows, most) / most)) if rows else "").ljust(FUNNEL)
        took = duration(stage.seconds) if stage.seconds else "kept"
        return [f"{rows:>7,} ", (bar, "dim"), f"  {took:<11}", (_dropped(stage.dropped, columns - 40), "warn")]
    if stage.done is None:
        return [] if stage.state == "waiting" else [stage.state]
    if not stage.total:
        return [f"{stage.done:,} {stage.unit}"]
    room = PROGRESS if columns >= COLUMNS else PROGRESS // 2
    filled = min(room, int(room * stage.done / stage.total))
    left = stage.left_s() if stage.state == "running" else None
    tail = f", {duration(left)} left" if left is not None else ""
    return [("█" * filled, "good"), "░" * (room - filled), f" {stage.done:,} of {stage.total:,} {stage.unit}{tail}"]


def _dropped(codes: Mapping[str, int], room: int) -> str:
    """How many rows were dropped, and by which codes most, as far as there is room."""
    if not codes:
        return ""
    many = f"−{sum(codes.values()):,}"
    told = f"{many}:"
    ranked = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    for number, (code, count) in enumerate(ranked):
        more = f" {code} {count:,}{',' if number < len(ranked) - 1 else ''}"
        if len(told) + len(more) > room - 2:
            return f"{told} …" if number else many
        told += more
    return told


def _pass_rates(sheet: Sheet, stage: str, rates: Mapping[str, Any]) -> None:
    """Columns of the histogram: never, ten tenths, always; the count above each."""
    counts = [rates["never"], *rates["tenths"], rates["always"]]
    head, about = (
        f"pass rates of {rates['n']:,} samples",
        f"({stage}, {rates['draws']} draws each, mean {rates['mean']:.2f})",
    )
    has_room = len(head) + len(about) < sheet.columns
    sheet.head(f"{head} {about}" if has_room else head)
    if not has_room:
        sheet.flow(about)
    cell = min((sheet.columns - 2) // BINS, MOST_CELL)
    if cell < LEAST_CELL:
        sheet.flow(f"  never {counts[0]:,}, in between {sum(counts[1:-1]):,}, all {counts[-1]:,}", indent=2)
        return
    sheet.add(("  " + "".join(f"{_count(count, cell - 1):>{cell}}" for count in counts), "dim"))
    top = max(counts) or 1
    for line in range(HEIGHT, 0, -1):
        cells = (_cell(HEIGHT * count / top - (line - 1)) for count in counts)
        sheet.add("  " + "".join(f"{part * (cell // 2):>{cell}}" for part in cells))
    names = ("never" if cell >= CELL else "0", *(f"≤.{tenth}" for tenth in range(1, 10)), "<1", "all")
    sheet.add("  " + "".join(f"{name:>{cell}}" for name in names))


def _count(count: int, room: int) -> str:
    """A count in so many characters where that can be: 1,234 or 1k."""
    return told if len(told := f"{count:,}") <= room else f"{count / 1000:.0f}k"


def _cell(height: float) -> str:
    """One line's part of a column: blank, an eighth to all of it."""
    if height <= 0:
        return " "
    return BARS[min(len(BARS), max(1, round(height * len(BARS)))) - 1]


def _curve(name: str, values: Mapping[int, float], columns: int) -> str:
    """A curve with its first and its last value."""
    steps = sorted(values)
    real = [values[step] for step in steps if math.isfinite(values[step])]
    ends = " → ".join(dict.fromkeys((f"{real[0]:.3g}", f"{real[-1]:.3g}"))) if real else "no number"
    if real and name == "validation_accuracy":  # the best look, and not the last one, is the model that is kept
        ends += f", best {max(real):.3g}"
    room = min(CURVE, max(8, columns - 42))
    return f"  {_CURVE_NAMES.get(name, name):<10} {sparkline([values[step] for step in steps], room):<{room}} {ends}"


def sparkline(values: Iterable[float], width: int = CURVE) -> str:
    """Values as bars between their least and greatest, the means of ``width`` equal pieces; NaN is a blank."""
    known = list(values)
    if len(known) > width:
        size = len(known) / width
        known = [_mean(known[int(i * size) : max(int(i * size) + 1, int((i + 1) * size))]) for i in range(width)]
    real = [value for value in known if math.isfinite(value)]
    if not real:
        return " " * len(known)
    low, span = min(real), (max(real) - min(real)) or 1.0
    return "".join(BARS[int((v - low) / span * (len(BARS) - 1))] if math.isfinite(v) else " " for v in known)


def _mean(values: list[float]) -> float:
    real = [value for value in values if math.isfinite(value)]
    return sum(real) / len(real) if real else math.nan
