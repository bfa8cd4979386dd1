"""Chat and side with a line between them, which the mouse moves. A wide terminal shows both, a narrow one of them.

The chat's part of the room is a percentage, so that it outlives other sizes of the terminal; it is kept for the next
start. Neither side becomes narrower than its own least width.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from sdrl.authoring.completing import Choices
from sdrl.authoring.keymap import Keys
from sdrl.authoring.sheet import COLUMNS
from sdrl_tui.chat import Chat
from sdrl_tui.settings import MOST_SHARE, Settings
from sdrl_tui.side import Side

HALF = 50
STEP = 5  # percent that a key moves the line by
LEAST_SHARE = 100 - MOST_SHARE
LEAST_WIDTH = 30  # columns of either side
AROUND = 6  # columns of a panel that are no room for its lines: padding, scroll bar, some air
PAUSE_S = 0.1  # between two sizes while the line is dragged


class Splitter(Widget):
    """The line between chat and side: dragged by the mouse, put back to the middle by a double click."""

    ALLOW_SELECT = False

    class Moved(Message):
        """It was dragged to a column of the screen; ``is_settled`` when the button was let go."""

        def __init__(self, column: int, *, is_settled: bool) -> None:
            super().__init__()
            self.column = column
            self.is_settled = is_settled

    class Reset(Message):
        """It was clicked twice."""

    def __init__(self) -> None:
        super().__init__(id="splitter")
        self.tooltip = "drag: more room for one side; double click: half each"
        self._is_dragged = self._has_moved = False

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Follow the mouse from here on, wherever it goes."""
        event.stop()
        self._is_dragged, self._has_moved = True, False
        self.add_class("-dragged")
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """To where the mouse is."""
        if self._is_dragged and event.button == 0:  # let go where no terminal hears of it
            self._let_go()
        elif self._is_dragged:
            event.stop()
            self._has_moved = True
            self.post_message(self.Moved(int(event.screen_x), is_settled=False))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Stay there."""
        if self._is_dragged:
            event.stop()
            self._let_go()
            if self._has_moved:
                self.post_message(self.Moved(int(event.screen_x), is_settled=True))

    def on_click(self, event: events.Click) -> None:
        """Twice: to the middle."""
        event.stop()
        if event.chain == 2:
            self.post_message(self.Reset())

    def _let_go(self) -> None:
        self._is_dragged = False
        self.remove_class("-dragged")
        self.release_mouse()


class Body(Horizontal):
    """Everything above the line of status. ``settings`` hold the chat's part of the room; ``complete`` is for it."""

    def __init__(self, keys: Keys, settings: Settings, complete: Callable[[str], Choices]) -> None:
        super().__init__(id="body")
        self._keys = keys
        self._settings = settings
        self._complete = complete
        self._columns = COLUMNS
        self._pause: Timer | None = None

    class Resized(Message):
        """A panel's lines have room for so many columns now."""

        def __init__(self, columns: int) -> None:
            super().__init__()
            self.columns = columns

    def compose(self) -> ComposeResult:
        """Chat, line, side."""
        yield Chat(self._keys, self._complete)
        yield Splitter()
        yield Side()

    def on_resize(self) -> None:
        """The same part of another room."""
        self._draw()

    def divide(self, share: float, *, is_settled: bool = True) -> None:
        """Give the chat ``share`` percent of the room; one that is settled is kept for the next start."""
        share = min(max(share, LEAST_SHARE), MOST_SHARE)
        if share != self._settings.share:
            self._settings.share = share
            self._draw()
        if is_settled:
            self._settings.keep()

    @on(Splitter.Moved)
    def _moved(self, message: Splitter.Moved) -> None:
        message.stop()
        room = max(self.size.width - 1, 1)
        self.divide((message.column - self.region.x + 0.5) * 100 / room, is_settled=message.is_settled)

    @on(Splitter.Reset)
    def _reset(self, message: Splitter.Reset) -> None:
        message.stop()
        self.divide(HALF)

    def _draw(self) -> None:
        """Whole columns for the chat, the rest for the side: parts of a room would be rounded down on both sides."""
        room = self.size.width - 1  # the line itself takes a column
        is_wide = self.screen.has_class("-wide")
        columns = min(max(int(self._settings.share * room / 100), LEAST_WIDTH), room - LEAST_WIDTH)
        self.query_one(Chat).styles.width = columns if is_wide else "1fr"
        self._tell((room - columns if is_wide else self.size.width) - AROUND)

    def _tell(self, columns: int) -> None:
        """Tell of a new width of the panel, once where many follow each other."""
        if columns == self._columns:
            return
        self._columns = columns
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, lambda: self.post_message(self.Resized(columns)))
