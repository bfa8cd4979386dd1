"""The prompt: one text for chat and commands. Enter sends; ctrl+j, shift+enter or a backslash at the end add a line.

Holds what is being typed and the lines sent before; knows nothing of what they mean.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message

from sdrl_tui.paint import typed_line
from sdrl_tui.writing import Writing

MOST_HISTORY = 500
MANY_LINES = 50
SCROLLS = ("pageup", "pagedown", "ctrl+home", "ctrl+end")  # the chat, as long as all that is typed is in view


class Prompt(Writing):
    """A text area that sends."""

    BINDINGS: ClassVar[list[BindingType]] = []

    class Sent(Message):
        """A line, or several, was sent."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Menu(Message):
        """A key for the menu: up, down, complete or enter."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    class Scrolled(Message):
        """A key that scrolls the chat above."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__(id="prompt", compact=True, soft_wrap=True, highlight_cursor_line=False, tab_behavior="focus")
        self.placeholder = "write, or / for commands"
        self.told = ""  # what this held when it last agreed with the state
        self.lines_sent: list[str] = []
        self._at = 0
        self._draft = ""
        self.menu = ""  # what it offers: commands, arguments, their usage alone, or nothing
        self.moved_in: str | None = None  # the text for which an entry of the menu was moved to
        self.recalled: str | None = None  # a line of the history as it was put here
        self.dismissed: str | None = None  # the text for which the menu was closed by hand

    def get_line(self, line_index: int) -> Text:
        """The line as it may be sent to a terminal."""
        return typed_line(self.document.get_line(line_index))

    def put(self, text: str) -> None:
        """Replace what is typed, with the cursor at the end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("ctrl+j", "shift+enter"):
            self._take(event)
            self.insert("\n")
        elif event.key == "enter":
            self._take(event)
            self._enter()
        elif event.key == "tab" and self._completes:
            self._take(event)
            self.post_message(self.Menu("complete"))
        elif self.menu in ("commands", "arguments") and event.key in ("up", "down"):
            self._take(event)
            self.moved_in = self.text
            self.post_message(self.Menu(event.key))
        elif event.key == "up" and self.cursor_location[0] == 0:
            self._take(event)
            self._walk(-1)
        elif event.key == "down" and self.cursor_location[0] == self.document.line_count - 1:
            self._take(event)
            self._walk(1)
        elif event.key in SCROLLS and self.wrapped_document.height <= self.size.height:
            self._take(event)
            self.post_message(self.Scrolled(event.key))
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        """Tell of many lines; the text area itself, whose handler runs as well, takes them in."""
        if (lines := event.text.count("\n") + 1) > MANY_LINES:
            told = f"{lines:,} lines pasted: ctrl+z takes them out again, enter sends them"
            self.notify(told, markup=False)

    def _take(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()

    def late(self, event: events.Key | events.Paste) -> None:
        """A key, or a paste, that went elsewhere while the keyboard was on its way here."""
        if isinstance(event, events.Paste):
            event.stop()
            self.insert(event.text)
        elif event.key == "enter":
            event.stop()
            self._enter()
        elif event.is_printable and event.character:
            event.stop()
            self.insert(event.character)

    def _enter(self) -> None:
        if self.text.endswith("\\"):
            self.put(self.text[:-1] + "\n")
            return
        is_command = self.menu == "commands" and " " not in self.text
        if is_command or (self.menu == "arguments" and self.moved_in == self.text):
            self.post_message(self.Menu("enter"))
            return
        self.send()

    @property
    def _completes(self) -> bool:
        """Whether tab is for the menu: in a command, unless its menu was closed by hand. The menu itself may lag."""
        text = self.text
        return text.startswith("/") and not text.startswith("//") and "\n" not in text and text != self.dismissed

    def send(self) -> None:
        """Send what is typed, if anything is."""
        text = self.text.strip("\n")
        if not text.strip():
            return
        self.lines_sent = [*self.lines_sent[-MOST_HISTORY:], text]
        self._at = len(self.lines_sent)
        self.load_text("")
        self.post_message(self.Sent(text))

    def _walk(self, step: int) -> None:
        """To an earlier or later line of the history; what was being typed stands at its end."""
        if self._at >= len(self.lines_sent):
            self._draft, self._at = self.text, len(self.lines_sent)
        target = min(max(self._at + step, 0), len(self.lines_sent))
        if target == self._at:
            return
        self._at = target
        self.recalled = self.lines_sent[target] if target < len(self.lines_sent) else self._draft
        self.put(self.recalled)
