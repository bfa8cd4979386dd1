"""The chat: settled turns as plain widgets, the answer that is coming in a tail of fixed height below them.

A token changes the tail alone, whatever the length of the chat.
"""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.option_list import Option

from sdrl.authoring.actions import ACTIONS, Action, matching
from sdrl.authoring.keymap import Keys
from sdrl.authoring.state import State
from sdrl_tui.log import Log
from sdrl_tui.paint import turn_text
from sdrl_tui.prompt import Prompt

TAIL_LINES = 6


class Chat(Vertical):
    """Log, tail, menu of commands, prompt. ``keys`` are those of the actions."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(id="chat")
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Log above, prompt below."""
        yield Log(self._keys)
        yield Static("", id="tail", markup=False)
        yield OptionList(id="menu", compact=True, markup=False)
        yield Prompt()

    def follow(self, state: State) -> None:
        """Draw what changed since the last time."""
        self.query_one(Log).follow(state)
        self._follow_tail(state)

    def _follow_tail(self, state: State) -> None:
        tail = self.query_one("#tail", Static)
        turn = next((each for each in reversed(state.turns) if each.status == "streaming"), None)
        tail.display = turn is not None
        if turn is not None:
            text = turn_text(state, turn, self._keys)
            lines = text.wrap(self.app.console, max(10, self.size.width - 2))
            last = lines[-TAIL_LINES:]
            tail.update(type(text)("\n").join(last), layout=False)

    @on(Prompt.Scrolled)
    def _scrolled(self, message: Prompt.Scrolled) -> None:
        self.query_one(Log).scroll_by(message.key)

    @on(TextArea.Changed, "#prompt")
    def _suggest(self, message: TextArea.Changed) -> None:
        """Open, filter or close the menu of commands for what is typed."""
        typed = message.text_area.text
        menu, prompt = self.query_one("#menu", OptionList), self.query_one(Prompt)
        found: list[Action] = []
        if typed.startswith("/") and not typed.startswith("//") and "\n" not in typed:
            name, space, _ = typed[1:].partition(" ")
            found = [each for each in matching(name) if not space or each.id == name]
        menu.display = prompt.menu_is_open = bool(found)
        if found:
            menu.set_options([Option(_entry(each), id=each.id) for each in found])
            menu.highlighted = 0

    @on(Prompt.Menu)
    def _menu_key(self, message: Prompt.Menu) -> None:
        menu = self.query_one("#menu", OptionList)
        if message.what in ("up", "down"):
            menu.action_cursor_up() if message.what == "up" else menu.action_cursor_down()
        elif menu.highlighted is not None:
            self._choose(str(menu.get_option_at_index(menu.highlighted).id), is_enter=message.what == "enter")

    @on(OptionList.OptionSelected, "#menu")
    def _menu_click(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self._choose(str(message.option_id), is_enter=True)
        self.query_one(Prompt).focus()

    def _choose(self, name: str, *, is_enter: bool) -> None:
        prompt, action = self.query_one(Prompt), ACTIONS[name]
        prompt.put(f"/{name} " if action.usage else f"/{name}")
        if is_enter and (not action.usage or action.usage.startswith("[")):
            prompt.call_next(prompt.send)  # a message made here would be taken for the chat's own, and end here

    def close_menu(self) -> bool:
        """Close the menu; whether it was open."""
        menu, prompt = self.query_one("#menu", OptionList), self.query_one(Prompt)
        was_open = bool(menu.display)
        menu.display = prompt.menu_is_open = False
        return was_open


def _entry(action: Action) -> str:
    return f"/{action.id} {action.usage}".ljust(24) + f" {action.title}"
