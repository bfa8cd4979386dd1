"""Two screens over the app: help for where a person is with every command, and the tour. Escape closes either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from sdrl.authoring.actions import ACTIONS, Action
from sdrl.authoring.keymap import Keys, shown
from sdrl.authoring.topics import STEPS, topic
from sdrl_tui.scrolling import Lines
from sdrl_tui.small import Small

GROUPS = {"author": "Writing a spec", "edit": "Changing it", "look": "Looking at it", "file": "File and app"}


class HelpScreen(ModalScreen[None]):
    """What can be done where a person is, and all commands below it. ``problems`` are those of the keymap."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, where: str, keys: Keys, problems: Sequence[str] = (), command: str = "") -> None:
        super().__init__()
        self._where = where
        self._keys = keys
        self._problems = problems
        self._command = command.lstrip("/").strip().lower()

    def compose(self) -> ComposeResult:
        """One text, to scroll."""
        with Lines(id="help", can_focus=True):
            yield from (Static(part, markup=False) for part in self._parts())
        yield Small()

    def on_mount(self) -> None:
        """The keyboard scrolls it."""
        self.query_one("#help").focus()

    def on_click(self, event: events.Click) -> None:
        """A click beside it closes it."""
        if self.get_widget_at(*event.screen_offset)[0] is self:
            self.dismiss()

    def _parts(self) -> list[Text | Table]:
        if (chosen := ACTIONS.get(self._command)) is not None:
            return [_command(chosen, self._keys)]
        action = ACTIONS.get(self._where)
        found = topic(self._where, action.help if action else "")
        parts: list[Text | Table] = [Text.assemble((found.title, "bold"), "   escape closes this\n", found.text, "\n")]
        if self._problems:
            parts.append(Text("\n".join(("Keys that could not be bound", *self._problems, "")), "yellow"))
        names = {each: shown(self._keys, each) for each in ACTIONS}
        parts.append(_rows([(key.format_map(names), text) for key, text in found.keys]))
        for group, title in GROUPS.items():
            parts.append(Text(f"\n{title}", "bold"))
            rows = [each for each in ACTIONS.values() if each.group == group]
            parts.append(_rows([(f"/{each.id} {each.usage}".strip(), _about(each, self._keys)) for each in rows]))
        return parts


def _about(action: Action, keys: Keys) -> str:
    bound = ", ".join(keys.get(action.id, ()))
    return f"{action.title}{f'  ({bound})' if bound else ''}"


def _command(action: Action, keys: Keys) -> Text:
    bound = ", ".join(keys.get(action.id, ())) or "none"
    return Text.assemble((f"/{action.id} {action.usage}\n", "bold"), f"{action.title}. {action.help}\nkeys: {bound}")


def _rows(rows: Sequence[tuple[str, str]]) -> Table:
    made = Table.grid(padding=(0, 2, 0, 1), expand=True)
    made.add_column(max_width=28)
    made.add_column(ratio=1)
    for left, right in rows:
        made.add_row(Text(left, "bold cyan"), Text(right))
    return made


class TourScreen(ModalScreen[None]):
    """One step after the other, each beside what it is about; escape ends it.

    Who begins to write or pastes ends it too: ``write`` gets each key and paste that arrives here from then on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter", "step(1)", "next"),
        ("space", "step(1)", "next"),
        ("right", "step(1)", "next"),
        ("left", "step(-1)", "back"),
    ]

    def __init__(self, names: Mapping[str, str], write: Callable[[events.Key | events.Paste], None]) -> None:
        super().__init__()
        self._names = names
        self._at = 0
        self._write = write
        self._is_over = False  # what was written ended it, and the rest of it may still arrive here

    def compose(self) -> ComposeResult:
        """A box of a few lines."""
        with Vertical(id="tour"):
            yield Static("", id="step", markup=False)
        yield Small()

    def on_mount(self) -> None:
        """The first step."""
        self._show()

    def on_unmount(self) -> None:
        """Nothing is pointed at any more."""
        self._point("")

    def on_click(self) -> None:
        """A click goes on."""
        self.action_step(1)

    def on_key(self, event: events.Key) -> None:
        """Writing ends it; nothing written is lost."""
        if self._is_over or (event.is_printable and event.character != " "):
            self._leave(event)

    def on_paste(self, event: events.Paste) -> None:
        """As writing does."""
        self._leave(event)

    def _leave(self, event: events.Key | events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self._is_over:
            self._is_over = True
            self.dismiss()
        self._write(event)

    def action_step(self, by: int) -> None:
        """To the next step or the one before; the last one's next ends the tour."""
        if self._at + by >= len(STEPS):
            self.dismiss()
            return
        self._at = max(self._at + by, 0)
        self._show()

    def _show(self) -> None:
        target, title, text = STEPS[self._at]
        last = self._at + 1 == len(STEPS)
        made = Text.assemble(
            (f"{self._at + 1} of {len(STEPS)}  {title}\n", "bold"),
            text.format_map(self._names),
            (f"\nenter: {'begin' if last else 'next'} · left: back · escape: end the tour", "dim"),
        )
        self.query_one("#step", Static).update(made)
        self._point(target)

    def _point(self, target: str) -> None:
        for each in self.app.screen_stack[0].query(".-pointed"):
            each.remove_class("-pointed")
        if target:
            for found in self.app.screen_stack[0].query(f"#{target}"):
                found.add_class("-pointed")
