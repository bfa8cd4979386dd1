"""The first thing in the chat: for a new spec what this is and three ways to begin, for one that exists what it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from sdrl.authoring.drawing import clean
from sdrl.authoring.keymap import Keys, shown
from sdrl.authoring.state import State
from sdrl_tui.paint import file_name, link

SHORT = ("gsm8k", "word-problems", "invoices", "text-to-sql")
MOST_RECENT = 2
MOST_LINE = 200


class Start(Static):
    """Stands above the first turn and scrolls away with it. Made once for each spec that is opened."""

    def __init__(self) -> None:
        super().__init__("", id="start", markup=False)
        self._made_for: tuple[str, bool] | None = None

    def follow(self, state: State, keys: Keys, recent: Sequence[tuple[str, float]]) -> None:
        """Draw the beginning that fits: one for a spec that is new, one for a spec that has something in it."""
        path, is_known = state.path, state.is_opened and state.issues_rev == state.rev
        if self._made_for in ((path, is_known), (path, True)):
            return
        self._made_for = (path, is_known)
        if is_known and not state.is_new:
            from sdrl.authoring.overview import overview  # reads the spec, which a first paint does not wait for

            rows = overview(state, {each: shown(keys, each) for each in keys})
            self.update(summary_text(path, rows))
        elif state.is_new or not Path(path).exists():
            self.update(welcome_text([each for each in recent if each[0] != str(Path(path).absolute())]))
        else:
            self.update(Text.assemble((file_name(path), "bold"), "\n\n\n\n\n"))  # as high as what comes


def welcome_text(recent: Sequence[tuple[str, float]]) -> Text:
    """The start of a new spec."""
    made = Text()
    made.append("sdrl", "bold").append(" makes training data for your task, checks each answer, trains a model.\n")
    made.append("You describe the task in a spec, a YAML file. This app writes it with you.\n\n")
    made.append("Three ways to begin\n", "bold")
    ways = (
        ("Answer questions", "just write below; needs no model"),
        ("Open an example", None),
        ("Let a model help", "/model MODEL ENDPOINT KEY_ENV, then ask for it"),
    )
    for number, (title, text) in enumerate(ways, 1):
        made.append(f" {number} ", "bold cyan").append(f"{title:<18}", "bold")
        if text is None:
            for name in SHORT:
                made.append_text(link(name, f"example {name}")).append(" · ", "dim")
            made.append_text(link("all", "example"))
        else:
            made.append(text)
        made.append("\n")
    if recent:
        made.append("Go on with\n", "bold")
    for name, when in recent[:MOST_RECENT]:
        made.append("   ").append_text(link(at_home(name), f"open {name}"))
        made.append(f"  {ago(time.time() - when)}\n", "dim")
    made.rstrip()
    return made


def summary_text(path: str, rows: Sequence[tuple[str, str]]) -> Group:
    """What a spec holds, one row for each thing."""
    made = Table.grid(padding=(0, 1))
    made.add_column(min_width=8)
    made.add_column(ratio=1)
    for label, line in rows:
        made.add_row(Text(label, "dim"), Text(clean(line if len(line) <= MOST_LINE else line[:MOST_LINE] + "…")))
    return Group(Text(file_name(path), "bold"), made)


def at_home(name: str) -> str:
    """A path as it is written for short: ``~`` for a person's own folder."""
    home = str(Path.home())
    return f"~{name[len(home) :]}" if name.startswith(f"{home}/") else name


def ago(seconds: float) -> str:
    """How long ago something was, in one unit."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"
