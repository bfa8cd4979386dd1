"""The turns of a chat as widgets: the newest fifty, and as many more above them as are asked for.

While a person reads further up nothing is taken away above; what they send leads back to the end, and once they are
there the older turns go again.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from sdrl.authoring.keymap import Keys
from sdrl.authoring.state import State, Turn
from sdrl_tui.paint import link, turn_text
from sdrl_tui.start import Start

MOST_MOUNTED = 50


class Log(VerticalScroll):
    """``keys`` are those of the actions."""

    BINDINGS: ClassVar[list[BindingType]] = [  # where a click took the keyboard: letters go to the prompt
        Binding("space", "page_down", show=False),
        Binding("ctrl+home", "scroll_home", show=False),
        Binding("ctrl+end", "scroll_end", show=False),
    ]

    def __init__(self, keys: Keys) -> None:
        super().__init__(id="log", can_focus=True)
        self._keys = keys
        self._drawn: dict[int, tuple[Turn, object]] = {}
        self._path = ""
        self._first = 0  # of the settled turns, the first that is mounted
        self._told = self._count = 0

    def compose(self) -> ComposeResult:
        """What the spec is, and what is left out of its chat."""
        yield Start()
        yield Static("", id="earlier", markup=False)

    def on_mount(self) -> None:
        """Stay at the end while nobody scrolls up."""
        self.anchor()

    @property
    def is_at_end(self) -> bool:
        """Whether the newest turn is in view; a chat that has room to spare stands at the bottom, above zero."""
        return self.scroll_offset.y < 0 or self.scroll_offset.y >= self.max_scroll_y

    def follow(self, state: State) -> None:
        """Draw what changed since the last time."""
        settled = [turn for turn in state.turns if turn.status != "streaming"]
        came = settled[self._count :] if state.path == self._path else settled
        newest = max(len(settled) - MOST_MOUNTED, 0)
        if state.path != self._path or (came and self.is_at_end) or self._first > newest:
            self._first = newest
        self._path, self._count = state.path, len(settled)
        self._mount(state, settled[self._first :])
        self._tell_earlier()
        if any(turn.role == "you" for turn in came):
            self.anchor()

    def _tell_earlier(self) -> None:
        if self._told != self._first:  # to write it again would lay out the whole chat
            self._told = self._first
            earlier = self.query_one("#earlier", Static)
            earlier.display = self._first > 0
            many = f"{self._first:,} earlier turn{'' if self._first == 1 else 's'}"
            earlier.update(link(f"↑ {many}: click or /earlier", "earlier"))

    def _mount(self, state: State, turns: list[Turn]) -> None:
        wanted = {turn.id: (turn, _card_of(state, turn)) for turn in turns}
        for gone in [number for number in self._drawn if number not in wanted]:
            del self._drawn[gone]
            self.query_one(f"#turn-{gone}").remove()
        made: list[Static] = []
        for number, drawn in wanted.items():
            if number not in self._drawn:
                text = turn_text(state, drawn[0], self._keys)
                made.append(Static(text, id=f"turn-{number}", classes=f"turn {drawn[0].role}", markup=False))
            else:
                if made:
                    self.mount(*made, before=f"#turn-{number}")
                    made = []
                if self._drawn[number] != drawn:
                    self.query_one(f"#turn-{number}", Static).update(turn_text(state, drawn[0], self._keys))
            self._drawn[number] = drawn
        if made:
            self.mount(*made)

    def earlier(self, state: State) -> bool:
        """Mount more turns above; the one that was the first stays where it is, or comes into view. False: all are."""
        if not self._first:
            return False
        seam = self.query_one(f"#turn-{min(self._drawn)}")
        line = int(seam.virtual_region.y - self.scroll_offset.y)
        self.release_anchor()
        self._first = max(self._first - MOST_MOUNTED, 0)
        self.follow(state)
        self.call_after_refresh(self._show_at, seam, line if 0 <= line < self.size.height else self.size.height // 2)
        return True

    def _show_at(self, seam: Static, line: int) -> None:
        if seam.is_attached:
            self.scroll_to(y=seam.virtual_region.y - line, animate=False)

    def scroll_by(self, key: str) -> None:
        """By a page, or to either end, where not all of it is in view."""
        if not self.allow_vertical_scroll:
            return
        if key == "pageup":
            self.action_page_up()
        elif key == "pagedown":
            self.action_page_down()
        elif key == "ctrl+home":
            self.action_scroll_home()
        else:
            self.action_scroll_end()


def _card_of(state: State, turn: Turn) -> object:
    return next((card for card in state.cards if card.id == turn.card), None)
