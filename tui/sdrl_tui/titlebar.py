"""The terminal's title and its bell: which spec this is, whether it is saved, and what came while nobody looked.

Says nothing where nobody could see it (no terminal, a dumb one); gives the old title back where the terminal keeps one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from sdrl.authoring.news import news
from sdrl.authoring.state import State
from sdrl_tui.paint import file_name

if TYPE_CHECKING:
    from textual.app import App

    from sdrl_tui.app import SdrlApp

WITHOUT_TITLE = ("dumb", "linux", "vt100", "")  # terminals that have none
PUSH, POP = "\x1b[22;0t", "\x1b[23;0t"  # XTWINOPS: the terminal keeps its title, and takes it back
BELL = "\x07"
MOST_NAME = 80


def writer(app: App[None]) -> Callable[[str], None] | None:
    """Sends characters to the terminal as they are; None where there is none."""
    return app._driver.write if app._driver is not None and not app.is_headless else None


def title_of(state: State, what: str = "") -> str:
    """``● task.yaml - sdrl``, the dot where something is not saved, ``what`` came before it."""
    name = file_name(state.path)
    name = name if len(name) <= MOST_NAME else name[: MOST_NAME - 1] + "…"
    dot = "● " if state.is_opened and state.is_dirty and not state.is_new else ""
    return f"{f'{what} · ' if what else ''}{dot}{name} - sdrl"


class TitleBar:
    """Of one app."""

    def __init__(self, app: SdrlApp) -> None:
        self._app = app
        self._shown = ""
        self._is_kept = False  # the title that was there before
        self._what = ""

    def start(self) -> None:
        """Set the title again whenever the app was put aside, as other programs set theirs meanwhile."""
        self._app.app_resume_signal.subscribe(self._app, lambda _: self._again())

    def follow(self, state: State) -> None:
        """Show the spec's name; writes only what changed."""
        title, write = title_of(state, self._what), writer(self._app)
        if title == self._shown or write is None or os.environ.get("TERM", "") in WITHOUT_TITLE:
            return
        self._shown = title
        write(f"{'' if self._is_kept else PUSH}\x1b]0;{title}{BELL}")
        self._is_kept = True

    def heard(self, before: State, after: State) -> None:
        """Tell of what came, where the terminal is not the one that is looked at."""
        if not self._app.app_focus and (what := news(before, after)):
            self._what = what
            if (write := writer(self._app)) is not None and os.environ.get("TERM", "dumb") != "dumb":
                write(BELL)
            self.follow(after)

    def looked_at(self) -> None:
        """The terminal is looked at again: what came is seen."""
        if self._what:
            self._what = ""
            self.follow(self._app.state)

    def end(self) -> None:
        """The title that was there before, when the app has ended, be it by a bug of ours."""
        if self._is_kept and sys.__stderr__ is not None:
            sys.__stderr__.write(POP)
            sys.__stderr__.flush()

    def _again(self) -> None:
        self._shown = ""
        self.follow(self._app.state)
