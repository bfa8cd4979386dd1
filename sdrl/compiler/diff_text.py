"""The difference of two plans as text: changed values first, then every stage, then the price of it. Pure.

``~`` is a change, ``+`` something new, ``-`` something gone; colour only where it is asked for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from sdrl.compiler.diff import Change, PlanDiff, Redo, StageDiff
from sdrl.compiler.plan_text import table
from sdrl.compiler.readme import dollars
from sdrl.compiler.rounds import round_of, stage_names

MAX_DIFF_LINES = 24  # of one text

Painter = Callable[[str, str], str]
_COLORS = {"~": "\x1b[33m", "+": "\x1b[32m", "-": "\x1b[31m", " ": "\x1b[2m", "@": "\x1b[36m"}


def _plain(sign: str, text: str) -> str:
    return text


def _paint(sign: str, text: str) -> str:
    return f"{_COLORS[sign]}{text}\x1b[0m" if sign in _COLORS else text


def text_of(found: PlanDiff, *, width: int = 80, color: bool = False) -> str:
    """The difference for a person."""
    if found.is_empty:
        return "no difference"
    paint = _paint if color else _plain
    blocks = []
    if found.changes:
        blocks.append(["changed", *_changes(found.changes, width, paint)])
    if found.unhashed:
        blocks.append(["changed, but no row depends on it", *_changes(found.unhashed, width, paint)])
    if found.reruns:
        blocks.append(["stages", *_stages(found, width, paint)])
        blocks.append(_price(found))
    else:
        blocks.append(["no stage would run again"])
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _changes(changes: tuple[Change, ...], width: int, paint: Painter) -> list[str]:
    room = min(max(len(change.path) for change in changes), width // 2)
    lines = []
    for change in changes:
        sign, value = _sign(change)
        line = f"{sign} {change.path:<{room}}  {value}"
        if change.origin and len(line) + len(change.origin) + 6 <= width:
            line = f"{line:<{width - len(change.origin) - 4}}  {change.origin}"
        lines.append("  " + paint(sign, line.rstrip()))
        text = change.text.split("\n") if change.text else []
        for row in text[:MAX_DIFF_LINES]:
            lines += [
                "      " + paint(row[:1], piece)
                for piece in textwrap.wrap(row, max(20, width - 6), subsequent_indent=row[:1] + "  ") or [row]
            ]
        lines += [f"      … {len(text) - MAX_DIFF_LINES} more lines"] if len(text) > MAX_DIFF_LINES else []
    return lines


def _sign(change: Change) -> tuple[str, str]:
    if change.before is None:
        return "+", str(change.after)
    if change.after is None:
        return "-", change.before
    if change.before == change.after:
        return "~", "changed"
    return "~", f"{change.before} -> {change.after}"


def _stages(found: PlanDiff, width: int, paint: Painter) -> list[str]:
    again = {stage.name: stage for stage in found.reruns}
    names = [*again, *found.stays]
    order = stage_names(max(map(round_of, names), default=1))
    names.sort(key=order.index)
    room = max(map(len, names))
    lines = []
    for name in names:
        if name in again:
            reason = textwrap.wrap(_reason(again[name]), max(20, width - room - 18)) or [""]
            lines.append("  " + paint("~", f"~ {name:<{room}}  runs again  {reason[0]}".rstrip()))
            lines += [" " * (room + 18) + row for row in reason[1:]]
        else:
            lines.append("  " + paint(" ", f"  {name:<{room}}  stays"))
    return lines


def _reason(stage: StageDiff) -> str:
    own = ", ".join(change.path for change in stage.changes)
    after = f"after {', '.join(stage.because_of)}" if stage.because_of else ""
    return "; ".join(part for part in (own, after) if part)


def _price(found: PlanDiff) -> list[str]:
    again, stays = len(found.reruns), len(found.stays)
    header = ("again", "requests", "k tokens", "cost", "base draws", "updates")
    rows = [("expected", *_load(found.expected)), ("worst", *_load(found.worst))]
    return [
        f"{again} stage{'s' if again != 1 else ''} to run again, {stays} to stay",
        table(header, rows, right=range(1, 6)),
        "  what was asked before is answered from the cache and costs nothing",
    ]


def _load(redo: Redo) -> tuple[str, ...]:
    counts = (f"{redo.requests:,}", f"{redo.tokens / 1000:,.0f}", dollars(redo.microusd))
    return (*counts, f"{redo.base_draws:,}", f"{redo.updates:,}")
