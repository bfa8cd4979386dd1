"""State to styled text. Text of a person, a model or a file is never read as markup, nor holds control characters.

Colour is never the only sign: every status has its own word or mark. YAML is coloured by a few patterns of our own,
line by line, so that no parser runs while a person types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from sdrl.authoring.drawing import clean, issue_line, value_text
from sdrl.authoring.keymap import DEFAULTS, Keys, shown
from sdrl.authoring.sheet import Style as MarkStyle
from sdrl.authoring.state import Card, Panel, State, Turn
from sdrl.authoring.turns import shortened

if TYPE_CHECKING:
    from sdrl.spec.diagnostics import Diagnostic

WHO = {
    "you": ("you", "bold"),
    "guide": ("guide (script)", "cyan"),
    "assistant": ("assistant", "green"),
    "note": ("sdrl", "dim"),
}
MISSING = "E203"  # the code of a key that is not written yet
_STATUS = {"open": "yellow", "stale": "red", "accepted": "green", "rejected": "dim"}
_MARKS: Mapping[MarkStyle, str] = {
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
    "slot": "bold reverse",
}
_YAML = (
    (re.compile(r"(?<![\"'])(?:^|(?<=\s))#.*$"), "dim italic"),
    (re.compile(r"^\s*(?:- )*([A-Za-z_][\w.-]*)(?=:(?:\s|$))"), "bold cyan"),
    (re.compile(r"(?<=[{,]\s)([A-Za-z_][\w.-]*)(?=:\s)|(?<=\{)([A-Za-z_][\w.-]*)(?=:\s)"), "cyan"),
    (re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"), "green"),
    (re.compile(r"(?<=[\s\[:,])-?\d[\d.,_]*(?:[eE]-?\d+)?(?=[\s,\]}]|$)"), "magenta"),
    (re.compile(r"(?<=[\s\[:,])(?:true|false|null|~)(?=[\s,\]}]|$)"), "magenta"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def turn_text(state: State, turn: Turn, keys: Keys = DEFAULTS) -> Text:
    """A turn with its card below it."""
    who, style = WHO[turn.role]
    head = f"{who} [{turn.status}]" if turn.status else who
    text = shortened(turn.text) if turn.role == "you" else turn.text
    made = Text.assemble((head, style), "\n", clean(text) or "…")
    card = next((each for each in state.cards if each.id == turn.card), None)
    if card is not None:
        made.append("\n")
        made.append_text(card_text(card, keys))
    return made


def card_text(card: Card, keys: Keys = DEFAULTS) -> Text:
    """A card: its fields before and after, its reasons, what it does to the problems, and how to answer it."""
    made = Text.assemble("▌ ", (f"card {card.id} [{card.status}] ", _STATUS[card.status]), (clean(card.title), "bold"))
    is_open = card.status in ("open", "stale")
    for number, change in enumerate(card.changes, 1):
        made.append("\n▌ ")
        made.append_text(link(f"{number} {change.path}", f"accept {card.id} {number}", is_open=is_open))
        if change.before is not None:
            made.append(f"\n▌   - {value_text(change.before)}", "red")
        if change.edit.operation in ("set", "insert"):
            made.append("\n▌   ")
            value = link(f"+ {value_text(change.after)}", f"{card.id} {number}", is_open=is_open, action="amend")
            value.stylize(Style(color="green", bold=False))
            made.append_text(value)
        elif change.edit.operation == "remove":
            made.append("   (taken out)", "red")
    for why in card.why:
        made.append(f"\n▌ {clean(why)}", "dim")
    for issue in card.removed:
        made.append(f"\n▌ mends {issue_line(issue)}", "green")
    for issue in card.added:
        made.append(f"\n▌ adds  {issue_line(issue)}", "yellow")
    if card.problem:
        made.append(f"\n▌ cannot be made: {clean(card.problem)}", "red")
    if is_open:
        made.append("\n▌ ")
        made.append_text(link(f"{shown(keys, 'accept')} accepts", f"accept {card.id}"))
        made.append(", ")
        made.append_text(link(f"{shown(keys, 'reject')} rejects", f"reject {card.id}"))
        made.append(", ")
        made.append_text(link(f"{shown(keys, 'amend')} changes it", f"{card.id} 1", action="amend"))
        made.append(f"; /accept {card.id} 2 takes one" if len(card.changes) > 1 else "", "dim")
    return made


def link(text: str, command: str, *, is_open: bool = True, action: str = "command") -> Text:
    """Text that gives a command when it is clicked."""
    style = Style(bold=True, meta={"@click": f"app.{action}({command!r})"}) if is_open else Style(bold=True)
    return Text(clean(text), style)


def panel_text(panel: Panel) -> Text:
    """A panel's lines with their marks."""
    made, starts = Text(), []
    for line in panel.lines:
        starts.append(len(made))
        made.append(f"{clean(line)}\n")
    for mark in panel.marks:
        if mark.line < len(starts):
            made.stylize(_MARKS[mark.style], starts[mark.line] + mark.start, starts[mark.line] + mark.end)
    return made


def typed_line(line: str) -> Text:
    """One line of what is typed. A control character would move the terminal's cursor: it takes no room, as an editor
    counts it, and is not sent.
    """
    return Text(_CONTROL.sub("\u200b", line), end="", no_wrap=True)


def yaml_line(line: str, issues: Sequence[Diagnostic], number: int) -> Text:
    """One line of the spec, coloured, with what is wrong in it underlined. ``number`` counts from 1."""
    made = typed_line(line)
    for pattern, style in _YAML:
        for match in pattern.finditer(line):
            group = next((at for at in range(1, (match.re.groups or 0) + 1) if match.group(at) is not None), 0)
            made.stylize(style, *match.span(group))
    for issue in issues:
        if issue.line == number and issue.column is not None:
            end = issue.end_column if issue.end_line == number and issue.end_column else len(line) + 1
            made.stylize(
                "underline red" if issue.is_error else "underline yellow", issue.column - 1, max(end - 1, issue.column)
            )
    return made


def issue_text(issue: Diagnostic) -> Text:
    """A problem in full: mark, place, code, path, message, and the fix below it."""
    mark, style = ("✗", "red") if issue.is_error else ("!", "yellow")
    place = f"{issue.line}:{issue.column}" if issue.line else "-"
    made = Text.assemble((f"{mark} {issue.code} ", style), (f"{place} ", "dim"), (clean(issue.path), "bold"), "\n  ")
    made.append(clean(issue.message))
    if issue.help:
        made.append(f"\n  help: {clean(issue.help)}", "dim")
    return made


def file_name(path: str) -> str:
    """A file's name on one line."""
    return clean(PurePath(path).name).replace("\n", " ")


def status_text(state: State) -> Text:
    """The one line below everything: file, saved or not, problems, model, what is under way."""
    missing = sum(issue.code == MISSING for issue in state.issues)
    errors = sum(issue.is_error for issue in state.issues) - missing
    warnings = len(state.issues) - errors - missing
    made = Text(no_wrap=True, overflow="ellipsis")
    made.append(f" {file_name(state.path)}", "bold")
    if state.is_new:
        made.append("  new, nothing is written yet", "dim")
        return made.append(f"  {clean(state.assistant.model) or 'no model'}", "dim")
    made.append(" ● not saved" if state.is_dirty else " ✓ saved", "yellow" if state.is_dirty else "green")
    if missing:
        made.append(f"  … {missing} still missing", "yellow")
    if errors:
        made.append(f"  ✗ {errors} error{'' if errors == 1 else 's'}", "red")
    if not missing and not errors:
        made.append("  ✓ no errors" if state.issues_rev == state.rev else "  … checking", "dim")
    if warnings:
        made.append(f"  ! {warnings} warning{'' if warnings == 1 else 's'}", "yellow")
    made.append(f"  {clean(state.assistant.model) or 'no model'}", "dim")
    if state.asking:
        made.append("  … answering, escape stops", "bold")
    elif state.open_card is not None:
        made.append(f"  card {state.open_card.id} waits", "bold")
    return made
