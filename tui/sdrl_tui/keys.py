"""Keys: a person's own over the table's, what they are bound to, and the line of them at the bottom.

The line holds those that help here and now, as many as fit whole; each can be clicked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingsMap
from textual.widgets import Static

from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.keymap import DEFAULTS, Keys, read_keymap, shown
from sdrl.authoring.state import State
from sdrl_tui.settings import config_folder

CHAT = ("spec", "issues", "plan", "save", "quit", "verify", "run", "undo")
READY = ("spec", "plan", "start", "save", "quit", "run", "issues", "verify", "undo")  # nothing left to mend
SIDE: Mapping[str, tuple[str, ...]] = {
    "spec": ("save", "next", "undo", "issues", "editor", "copy"),
    "issues": ("next", "spec", "plan", "save"),
    "review": ("spec", "run"),
}
WORDS = {
    "next": "next issue", "start": "start", "editor": "$EDITOR", "palette": "commands", "quit": "leave",
    "amend": "change", "run": "run", "retrieve": "passages",
}  # fmt: skip


def own_keys() -> tuple[Keys, tuple[str, ...]]:
    """The keys of a person's own file over the table's, and what is wrong with the file, line by line."""
    file = config_folder() / "keys.yaml"
    try:
        return read_keymap(file.read_text(encoding="utf-8"), str(file)) if file.exists() else (DEFAULTS, ())
    except (OSError, UnicodeDecodeError) as error:
        return DEFAULTS, (f"{file}: {error}",)


def bindings_of(keys: Keys) -> BindingsMap:
    """Every action under its keys, and those that no file can take away."""
    own = [Binding(key, f"act('{action}')", priority=True) for action, bound in keys.items() for key in bound]
    return BindingsMap([*own, Binding("escape", "escape", priority=True), Binding("ctrl+c", "say_how_to_leave")])


class KeyLine(Static):
    """One line. ``where`` is chat or a panel's name."""

    def __init__(self) -> None:
        super().__init__("", id="keys", markup=False)
        self._drawn: object = None
        self._about: tuple[State, Keys, str] | None = None

    def follow(self, state: State, keys: Keys, where: str) -> None:
        """Draw what helps there."""
        self._about = (state, keys, where)
        is_ready = _is_ready(state)
        drawn = (where, bool(state.asking), state.open_card is not None, is_ready, self.app.size.width)
        if drawn != self._drawn:
            self._drawn = drawn
            self.update(keys_text(state, keys, where, self.app.size.width))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """What the key under the pointer does."""
        tip = event.style.meta.get("tip")
        if tip != self.tooltip:
            self.tooltip = tip

    def on_resize(self) -> None:
        """As many whole entries as fit now."""
        if self._about is not None:
            self.follow(*self._about)


def keys_text(state: State, keys: Keys, where: str, width: int) -> Text:
    """As many entries as fit whole, the most useful first."""
    made = Text(no_wrap=True, overflow="crop")
    for key, words, command in _entries(state, keys, where):
        entry = Text(f" {_short(key)} ", Style(bold=True), end="").append(f"{words} ", Style(dim=True, bold=False))
        if made.cell_len + entry.cell_len > width:
            continue
        if command:
            action = ACTIONS.get(command.partition("'")[2].partition("'")[0])
            entry.stylize(Style(meta={"@click": f"app.{command}", "tip": action.title if action else words}))
        made.append_text(entry)
    return made


def _entries(state: State, keys: Keys, where: str) -> Iterator[tuple[str, str, str]]:
    def of(action: str) -> tuple[str, str, str]:
        return shown(keys, action), WORDS.get(action, action), f"act('{action}')"

    yield of("help")
    yield of("palette")
    if state.asking:
        yield "escape", "stop", "escape"
    if where != "chat":
        yield "escape", "chat", "escape"
    if where == "issues":
        yield "enter", "go there", ""
    if where == "review":
        yield "y", "valid", "act_on('judge', 'y')"
        yield "n", "not valid", "act_on('judge', 'n')"
    if where == "chat" and state.open_card is not None:
        yield from map(of, ("accept", "reject", "amend"))
    chat = READY if _is_ready(state) else CHAT
    for action in dict.fromkeys((*(chat if where == "chat" else SIDE.get(where, chat)), "quit")):
        if action != where:
            yield of(action)


def _is_ready(state: State) -> bool:
    """Whether there is a spec with nothing that keeps it from running, as far as is known by now."""
    return not state.is_new and state.issues_rev == state.rev and not any(each.is_error for each in state.issues)


def _short(key: str) -> str:
    return key.replace("ctrl+", "^")
