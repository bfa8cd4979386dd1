"""State as plain lines: turns, cards, problems. What a screen colours and a headless replay prints. Pure.

Control characters of a model or a file never reach a terminal from here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sdrl.authoring.state import PANELS, Card, State, Turn
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.spec.diagnostics import Diagnostic

WHO = {"you": "you", "guide": "guide (script)", "assistant": "assistant", "note": "sdrl"}
MOST_VALUE = 200
_CODE = re.compile(r"^```[^\n]*\n(.*?)^```", re.M | re.S)


def clean(text: str) -> str:
    """The text without control characters, which could move a terminal's cursor; tabs become blanks."""
    return "".join(each if each == "\n" or each.isprintable() else " " for each in text)


def turn_lines(state: State, turn: Turn) -> list[str]:
    """A turn, with its card below it."""
    status = f" [{turn.status}]" if turn.status else ""
    head, *rest = clean(turn.text).split("\n")
    lines = [f"{WHO[turn.role]}{status}: {head}", *(f"  {line}" for line in rest)]
    card = next((each for each in state.cards if each.id == turn.card), None)
    return lines + (card_lines(card) if card is not None else [])


def card_lines(card: Card) -> list[str]:
    """A card: number, status, each field before and after, reasons, and what it does to the problems."""
    lines = [f"  card {card.id} [{card.status}] {clean(card.title)}"]
    for number, change in enumerate(card.changes, 1):
        lines.append(f"    {number} {clean(change.path)} ({change.edit.operation})")
        if change.before is not None:
            lines.append(f"      - {value_text(change.before)}")
        if change.edit.operation in ("set", "insert"):
            lines.append(f"      + {value_text(change.after)}")
    lines += [f"    {clean(line)}" for why in card.why for line in why.split("\n")]
    lines += [f"    adds    {issue_line(issue)}" for issue in card.added]
    lines += [f"    mends   {issue_line(issue)}" for issue in card.removed]
    return lines + ([f"    cannot be made: {clean(card.problem)}"] if card.problem else [])


def issue_line(issue: Diagnostic) -> str:
    """A problem on one line: place, code, path, message."""
    place = f"{issue.line}:{issue.column} " if issue.line else ""
    return clean(f"{place}{issue.code} {issue.path}: {issue.message}")


def value_text(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else _as_written(value)
    line = " ".join(clean(text).split())
    return line if len(line) <= MOST_VALUE else line[: MOST_VALUE - 1] + "…"


def _as_written(value: Any) -> str:
    """A value as the spec would hold it on one line."""
    from sdrl.spec.edit_writing import ANYTHING, Layout, write  # which a first paint does not wait for

    try:
        return write(value, ANYTHING, Layout(), flow=True, column=0).inline or ""
    except SdrlError:  # what the spec cannot hold is shown all the same
        return json.dumps(value, ensure_ascii=False, default=str)


def copied(state: State, what: str) -> str | None:
    """What is copied by a name: spec, issues, message (the newest), code (the newest block of one), chat, a panel, or a
    key that the spec writes; None for no such name.
    """
    if what in ("message", "chat"):
        turns = [turn for turn in state.turns if turn.text]
        if what == "message":
            return turns[-1].text if turns else ""
        return "\n".join(line for turn in turns for line in turn_lines(state, turn))
    if what == "code":
        blocks = [block for turn in state.turns for block in _CODE.findall(turn.text)]
        return blocks[-1] if blocks else ""
    if what == "spec":
        return state.text
    if what == "issues":
        return "\n".join(issue_line(issue) for issue in state.issues)
    what = state.view if what == "panel" else what
    if what in ("spec", "issues"):
        return copied(state, what)
    panel = state.panels.get(what)
    if panel is not None or what in PANELS:
        return "\n".join(panel.lines) if panel is not None else ""
    return _value_of(state.text, what)


def _value_of(text: str, path: str) -> str | None:
    from sdrl.authoring.document import value_at, written  # reads specs, which a first paint does not wait for

    value = value_at(written(text), path)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
