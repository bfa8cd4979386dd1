"""The spec's text, coloured, with what is wrong underlined; typing in it becomes one event a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text

from sdrl.authoring.splice import delta_of
from sdrl.authoring.state import State
from sdrl.spec.diagnostics import Diagnostic
from sdrl_tui.paint import yaml_line
from sdrl_tui.writing import Writing

if TYPE_CHECKING:
    from textual.document._document import Document


BEGUN = "sdrl: 1"  # all that a new spec holds


class SpecEditor(Writing):
    """A text area that follows the state, and keeps the cursor where it was."""

    def __init__(self) -> None:
        super().__init__(id="spec", show_line_numbers=True, soft_wrap=True, compact=True, tab_behavior="indent")
        self.issues: tuple[Diagnostic, ...] = ()
        self._issue = -1
        self.told = ""  # what this held when it last agreed with the state; what differs is typed and not told yet

    def get_line(self, line_index: int) -> Text:
        """The line, coloured."""
        return yaml_line(self.document.get_line(line_index), self.issues, line_index + 1)

    def follow(self, state: State) -> None:
        """Show the state's text and problems; the text waits while typing in it waits to be told."""
        if self.text == self.told:
            self._follow_text(state)
        if self.issues != state.issues:
            self.issues = state.issues
            self.notify_style_update()
            self.refresh()
        if state.issue != self._issue:
            self._issue = state.issue
            if 0 <= state.issue < len(state.issues):
                self.go_to(state.issues[state.issue])

    def _follow_text(self, state: State) -> None:
        if self.text.strip() in ("", BEGUN):
            self.load_text(state.text)  # a text that comes as a whole is read from its top
        elif self.text != state.text:
            delta = delta_of(self.text, state.text)
            document = cast("Document", self.document)
            start = document.get_location_from_index(delta.start)
            end = document.get_location_from_index(delta.start + len(delta.old))
            self.replace(delta.new, start, end, maintain_selection_offset=True)
            if self.text != state.text:
                self.load_text(state.text)
        self.told = self.text
        # no text of an editor: a spec that is not open yet, and mixed line endings, which commands alone change
        self.read_only = not state.is_opened or self.text != state.text

    def go_to(self, issue: Diagnostic) -> None:
        """The cursor to a problem's place."""
        line = min((issue.line or 1) - 1, self.document.line_count - 1)
        column = min((issue.column or 1) - 1, len(self.document.get_line(line)))
        self.move_cursor((line, column), center=True)

    def here(self) -> Diagnostic | None:
        """The problem of the cursor's line, else the first one there is."""
        line = self.cursor_location[0] + 1
        return next((issue for issue in self.issues if issue.line == line), self.issues[0] if self.issues else None)
