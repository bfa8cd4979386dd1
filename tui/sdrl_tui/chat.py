"""The chat: settled turns as plain widgets, the answer that is coming in a tail of fixed height below them.

A token changes the tail alone, whatever the length of the chat; the newest turns are mounted, older ones only told of.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sdrl.authoring.actions import Action, matching
from sdrl.authoring.state import State, Turn
from sdrl_tui.paint import turn_text
from sdrl_tui.prompt import Prompt

MOST_MOUNTED = 50
TAIL_LINES = 6


class Chat(Vertical):
    """Log, tail, menu of commands, prompt."""

    def __init__(self) -> None:
        super().__init__(id="chat")
        self._drawn: dict[int, tuple[Turn, object]] = {}

    def compose(self) -> ComposeResult:
        """Log above, prompt below."""
        yield VerticalScroll(id="log", can_focus=True)
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
                new.append(
                    Static(
                        turn_text(state, drawn[0]), id=f"turn-{number}", classes=f"turn {drawn[0].role}", markup=False
                    )
                )
            elif self._drawn[number] != drawn:
                log.query_one(f"#turn-{number}", Static).update(turn_text(state, drawn[0]))
            self._drawn[number] = drawn
        if new:
            log.mount(*new)
        self._follow_tail(state)

    def _follow_tail(self, state: State) -> None:
        tail = self.query_one("#tail", Static)
        turn = next((each for each in reversed(state.turns) if each.status == "streaming"), None)
        tail.display = turn is not None
        if turn is not None:
            text = turn_text(state, turn)
            lines = text.wrap(self.app.console, max(10, self.size.width - 2))
            last = lines[-TAIL_LINES:]
            tail.update(type(text)("\n").join(last), layout=False)

    def _card_of(self, state: State, turn: Turn) -> object:
        return next((card for card in state.cards if card.id == turn.card), None)

    def suggest(self, typed: str) -> None:
        """Open, filter or close the menu of commands for what is typed."""
        menu, prompt = self.query_one("#menu", OptionList), self.query_one(Prompt)
        found: list[Action] = []
        if typed.startswith("/") and not typed.startswith("//") and "\n" not in typed:
            name, space, _ = typed[1:].partition(" ")
            found = [each for each in matching(name) if not space or each.id == name]
        menu.display = prompt.menu_is_open = bool(found)
        if found:
            menu.set_options(
                [Option(f"/{each.id} {each.usage}".ljust(24) + f" {each.title}", id=each.id) for each in found]
            )
            menu.highlighted = 0

    def close_menu(self) -> bool:
        """Close the menu; whether it was open."""
        menu, prompt = self.query_one("#menu", OptionList), self.query_one(Prompt)
        was_open = bool(menu.display)
        menu.display = prompt.menu_is_open = False
        return was_open
