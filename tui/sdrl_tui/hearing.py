"""What is typed in spec and prompt, told to the state after a pause: one event for many keys, and no crash loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdrl.authoring.events import Drafted, Typed
from sdrl.authoring.splice import delta_of
from sdrl_tui.prompt import Prompt
from sdrl_tui.spec_editor import SpecEditor

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp

TYPING_S = 0.08
DRAFT_S = 0.4


class Hearing:
    """Of one app, whose desk takes the events."""

    def __init__(self, app: SdrlApp) -> None:
        self._app = app
        self.is_typing = False
        self.is_drafting = False

    def spec_changed(self, editor: SpecEditor) -> None:
        """The editor says that its text changed."""
        if editor.text != self._app.state.text and not self.is_typing and not editor.read_only:
            self.is_typing = True
            self._app.set_timer(TYPING_S, self._paused)

    def prompt_changed(self) -> None:
        """The prompt says that its text changed."""
        if not self.is_drafting:
            self.is_drafting = True
            self._app.set_timer(DRAFT_S, self.tell_draft)

    def _paused(self) -> None:
        self.tell_typing()
        self._app.draw()

    def tell_typing(self) -> None:
        """Tell the state what was typed in the spec since it last heard of it.

        The editor itself says whether anything was: its message that it changed may still be on its way here.
        """
        if not self._app.is_up:
            return
        self.is_typing, editor = False, self._app.main_screen.query_one(SpecEditor)
        if editor.text == editor.told:
            return
        editor.told = editor.text
        delta = delta_of(self._app.state.text, editor.text)
        if delta.old or delta.new:
            self._app.desk.dispatch(Typed(delta.start, delta.start + len(delta.old), delta.new))

    def tell_draft(self) -> None:
        """Tell the state what stands in the prompt."""
        if not self.is_drafting or not self._app.desk.is_open or not self._app.is_up:
            return
        self.is_drafting = False
        prompt = self._app.main_screen.query_one(Prompt)
        prompt.told = prompt.text
        delta = delta_of(self._app.state.draft, prompt.text)
        if delta.old or delta.new:
            self._app.desk.dispatch(Drafted(delta.start, delta.start + len(delta.old), delta.new))
