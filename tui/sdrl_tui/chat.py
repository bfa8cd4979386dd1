"""The chat: settled turns as plain widgets, the answer that is coming in a tail of fixed height below them.

A token changes the tail alone, whatever the length of the chat.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static, TextArea

from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.completing import Choices, Completion
from sdrl.authoring.keymap import Keys
from sdrl.authoring.state import State
from sdrl_tui.log import Log
from sdrl_tui.menu import Menu
from sdrl_tui.paint import turn_text
from sdrl_tui.prompt import Prompt

TAIL_LINES = 6
MENU_S = 0.02  # the menu is drawn after the letter that it is for


class Chat(Vertical):
    """Log, tail, menu, prompt. ``keys`` are those of the actions, ``complete`` gives what may come next in a line."""

    def __init__(self, keys: Keys, complete: Callable[[str], Choices]) -> None:
        super().__init__(id="chat")
        self._keys = keys
        self._complete = complete
        self._is_behind = False

    def compose(self) -> ComposeResult:
        """Log above, prompt below."""
        yield Log(self._keys)
        yield Static("", id="tail", markup=False)
        yield Menu(self._complete)
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
        """What is typed is painted first, and only then the menu for it."""
        if not self._is_behind:
            self._is_behind = True
            self.set_timer(MENU_S, self.catch_up)

    def catch_up(self) -> None:
        """Open, filter or close the menu for what is typed; a line of the history opens none."""
        if not self._is_behind:
            return
        self._is_behind = False
        prompt = self.query_one(Prompt)
        if prompt.text in (prompt.recalled, prompt.dismissed):
            self._offer("")
        else:
            prompt.recalled = prompt.dismissed = None
            self._offer(prompt.text)

    def _offer(self, line: str) -> None:
        menu, prompt = self.query_one(Menu), self.query_one(Prompt)
        menu.follow(line)
        prompt.menu, prompt.moved_in = menu.kind, None

    @on(Prompt.Menu)
    def _menu_key(self, message: Prompt.Menu) -> None:
        self.catch_up()
        menu, prompt = self.query_one(Menu), self.query_one(Prompt)
        if message.what in ("up", "down"):
            menu.move(-1 if message.what == "up" else 1)
        elif message.what == "enter" and menu.kind != "commands" and not menu.is_chosen:
            prompt.send()
        elif not menu.kind:
            self._offer(prompt.text)  # tab asks for it where nothing else has opened it
        elif (meant := menu.meant) is not None:
            self._take(meant, is_enter=message.what == "enter")

    @on(OptionList.OptionSelected, "#menu")
    def _menu_click(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        chosen = self.query_one(Menu).entry(message.option_index)
        if chosen is not None:
            self._take(chosen, is_enter=True)
        self.query_one(Prompt).focus()

    def _take(self, chosen: Completion, *, is_enter: bool) -> None:
        """An entry into the prompt. A command by Enter or click is sent as well, where it needs no argument."""
        prompt, menu = self.query_one(Prompt), self.query_one(Menu)
        prompt.put(chosen.line)
        action = ACTIONS.get(chosen.line[1:].strip()) if menu.kind == "commands" else None
        if is_enter and action is not None and (not action.usage or action.usage.startswith("[")):
            prompt.call_next(prompt.send)  # a message made here would be taken for the chat's own, and end here

    def close_menu(self) -> bool:
        """Close the menu for what is typed now; whether it was open."""
        prompt = self.query_one(Prompt)
        prompt.dismissed, prompt.menu = prompt.text, ""
        return self.query_one(Menu).close()
