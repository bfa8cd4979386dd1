"""The chat: settled turns as plain widgets, the answer that is coming in a tail of fixed height below them.

A token changes the tail alone, whatever the length of the chat; the newest turns are mounted, older ones only told of.
"""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.option_list import Option

from sdrl.authoring.actions import ACTIONS, Action, matching
from sdrl.authoring.keymap import Keys
from sdrl.authoring.state import State, Turn
from sdrl_tui.paint import turn_text
from sdrl_tui.prompt import Prompt
from sdrl_tui.start import Start

MOST_MOUNTED = 50
TAIL_LINES = 6


class Chat(Vertical):
    """Log, tail, menu of commands, prompt. ``keys`` are those of the actions."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(id="chat")
        self._keys = keys
        self._drawn: dict[int, tuple[Turn, object]] = {}

    def compose(self) -> ComposeResult:
        """Log above, prompt below."""
        with VerticalScroll(id="log", can_focus=True):
            yield Start()
        yield Static("", id="tail", markup=False)
        yield OptionList(id="menu", compact=True, markup=False)
        yield Prompt()

    def on_mount(self) -> None:
        """Stay at the end while nobody scrolls up."""
        self.query_one("#log", VerticalScroll).anchor()

    def follow(self, state: State) -> None:
        """Draw what changed since the last time."""
        log = self.query_one("#log", VerticalScroll)
        settled = [turn for turn in state.turns if turn.status != "streaming"][-MOST_MOUNTED:]
        wanted = {turn.id: (turn, self._card_of(state, turn)) for turn in settled}
        for gone in [number for number in self._drawn if number not in wanted]:
            del self._drawn[gone]
            log.query_one(f"#turn-{gone}").remove()
        new: list[Static] = []
        for number, drawn in wanted.items():
            if number not in self._drawn:
                text = turn_text(state, drawn[0], self._keys)
                new.append(Static(text, id=f"turn-{number}", classes=f"turn {drawn[0].role}", markup=False))
            elif self._drawn[number] != drawn:
                log.query_one(f"#turn-{number}", Static).update(turn_text(state, drawn[0], self._keys))
            self._drawn[number] = drawn
        if new:
            log.mount(*new)
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

    def _card_of(self, state: State, turn: Turn) -> object:
        return next((card for card in state.cards if card.id == turn.card), None)

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
