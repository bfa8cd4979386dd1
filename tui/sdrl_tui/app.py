"""The app: wires widgets to the spec on the desk. Draws the state at most twenty times a second; every key is an event.

The first paint waits for nothing that reads specs; the spec is opened right after it. Narrow terminals show chat or
side, wide ones both.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widgets import Static, TextArea

from sdrl.authoring.effects import Show, Window
from sdrl.authoring.events import Acted, Event
from sdrl.authoring.state import State
from sdrl_tui.acting import Acting
from sdrl_tui.around import Around
from sdrl_tui.body import Body
from sdrl_tui.chat import Chat
from sdrl_tui.desk import Desk
from sdrl_tui.hearing import Hearing
from sdrl_tui.jobs import Happened, Jobs
from sdrl_tui.keys import KeyLine, bindings_of, own_keys
from sdrl_tui.legible import Legible
from sdrl_tui.lists import Lists
from sdrl_tui.opening import Opening
from sdrl_tui.paint import status_text
from sdrl_tui.palette import ActionProvider
from sdrl_tui.panel_process import InProcess, InThread, Making
from sdrl_tui.prompt import Prompt
from sdrl_tui.settings import Settings
from sdrl_tui.side import Side
from sdrl_tui.small import HORIZONTAL, VERTICAL, Small
from sdrl_tui.spec_editor import SpecEditor
from sdrl_tui.start import Start
from sdrl_tui.themes import Themes
from sdrl_tui.titlebar import TitleBar

if TYPE_CHECKING:
    from sdrl.models.assistant import Answering

REDRAW_S = 0.05
FOLLOW_S = 0.5
SYNC_S = 1.0
EXAMINE_S = 0.4
LEGIBLE = Legible()
SWITCH_S = 0.0005  # a panel's thread gives way to a keystroke ten times sooner than it would by itself


class SdrlApp(Acting):
    """One spec under way. ``assistant`` answers in the chat, in tests a scripted fake; ``tours`` at a first start;
    ``making`` makes the panels, by threads of this process where nothing else is given. ``examine_s`` seconds after a
    change the text is compiled, to see what that finds; None: never.
    """

    TITLE = "sdrl"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[ActionProvider]]] = {ActionProvider}  # type: ignore[assignment]
    HORIZONTAL_BREAKPOINTS = HORIZONTAL
    VERTICAL_BREAKPOINTS = VERTICAL

    def __init__(
        self,
        path: Path,
        assistant: Answering | None = None,
        *,
        keeps_journal: bool = True,
        tours: bool = False,
        making: Making | None = None,
        examine_s: float | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.settings = Settings.read()
        self.keys, self.key_problems = own_keys()
        self._bindings = bindings_of(self.keys)
        self.themes = Themes(self)
        self.themes.recall()
        self._tours = tours and not self.settings.has_toured
        self.keeps_journal = keeps_journal
        self._jobs = Jobs(self, assistant, making or InThread(), examine_s)  # type: ignore[arg-type]
        self._opening = Opening(self)
        self._around = Around(self, self._opening)
        self.desk = self.desk_on(path)
        self.hearing = Hearing(self)
        self.titlebar = TitleBar(self)
        self._is_drawing = False

    def desk_on(self, path: Path) -> Desk:
        """A spec's desk, on which nothing is open yet."""
        return Desk(path, self._jobs.start, self.say, keeps_journal=self.keeps_journal)

    @property
    def state(self) -> State:
        """The state as it is."""
        return self.desk.state

    @property
    def main_screen(self) -> Screen[object]:
        """The screen below whatever is open over it."""
        return self.screen_stack[0]

    @property
    def is_up(self) -> bool:
        """Whether there is a screen: a timer may still come due when the app is ending."""
        return self.is_running and not self._exit and bool(self.screen_stack)

    @property
    def where(self) -> str:
        """Where the keyboard is: chat, or a panel's name."""
        focused = self.main_screen.focused
        if focused is None:
            return self.state.view if self.main_screen.has_class("-side") else "chat"
        return "chat" if any(isinstance(each, Chat) for each in focused.ancestors_with_self) else self.state.view

    def compose(self) -> ComposeResult:
        """Chat and side, a line of status, the keys."""
        yield Body(self.keys, self.settings, Lists(self))
        yield Static("", id="status", markup=False)
        yield KeyLine()
        yield Small()

    def on_mount(self) -> None:
        """Show the first screen; the spec comes right after it."""
        self.main_screen.query_one(Prompt).focus()
        self.set_interval(FOLLOW_S, self._follow_run)
        self.set_interval(SYNC_S, self._look_around)
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # no signals here, or not this thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.leave)
        self.themes.follow()
        self.titlebar.start()
        self.draw()
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        if not self._opening.first():
            return
        for problem in self.key_problems:
            self.say(problem, is_bad=True)
        self.themes.read()
        self.hearing.tell_draft()  # what was typed before there was a journal
        self.draw()
        if self.main_screen.has_class("-side"):  # asked for before there was anything to show
            self.show_side()
        if self._tours:
            self._tours, self.settings.has_toured = False, True
            self.settings.keep()  # before it is shown: it never comes back by itself
            self._around.tour()

    def dispatch(self, event: Event) -> None:
        """Take an event, and draw what came of it soon."""
        self.hearing.tell_typing()
        self.hearing.tell_draft()
        before = self.state
        self.desk.dispatch(event)
        self.titlebar.heard(before, self.state)
        if self.state.saved != before.saved:
            self._opening.remember()
        self.draw_soon()

    def around(self, effect: Window) -> None:
        """Something around the spec."""
        self._around.do(effect)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """A notice that goes away."""
        self.notify(text, severity="warning" if is_bad else "information", timeout=10, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and one that keeps text legible."""
        return [*super().get_line_filters(), LEGIBLE]

    def copy_to_clipboard(self, text: str) -> None:
        """Wherever Textual copies: the clipboard that works here, and a notice of which it was."""
        self._clipboard = text
        self._around.put(text)

    def action_escape(self) -> None:
        """Stop the answer, close the menu, else go back to the chat."""
        if self.screen.is_modal:
            self.screen.dismiss()
        elif self.state.asking:
            self.dispatch(Acted("stop"))
        elif not self.main_screen.query_one(Chat).close_menu():
            self.show_chat()

    def leave(self) -> None:
        """End the app; the last line says where the spec is."""
        self.hearing.tell_typing()
        self.hearing.tell_draft()
        self.exit(message=f"{self.state.path}: {self._opening.left()}")

    async def on_unmount(self) -> None:
        """Bring the journal to the disk, and end what is under way."""
        self.desk.close()
        await self._jobs.close()

    @on(TextArea.Changed, "#prompt")
    def _prompt_changed(self) -> None:
        self.hearing.prompt_changed()

    @on(TextArea.Changed, "#spec")
    def _spec_changed(self) -> None:
        self.hearing.spec_changed(self.main_screen.query_one(SpecEditor))

    @on(TextArea.SelectionChanged, "#spec")
    def _cursor_moved(self) -> None:
        self.draw_soon()

    def watch_app_focus(self, has_focus: bool) -> None:
        """Whether the terminal is the one that is looked at, where it says so."""
        if has_focus and self.is_up:
            self.titlebar.looked_at()

    @on(events.DescendantFocus)
    def _focus_moved(self) -> None:
        self.draw_soon()

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        self.dispatch(message.event)

    def _look_around(self) -> None:
        """Once a second: the journal to the disk, and an eye on the file."""
        self.desk.sync()
        self.hearing.tell_typing()
        if self.desk.follow_file():
            self.draw_soon()

    def _follow_run(self) -> None:
        """Ask for the run's panel anew while it is in view, or nobody looks and it goes on: its end is told of."""
        state = self.state
        panel = state.panels.get("run")
        if panel is None or panel.is_waiting or self._jobs.is_making("run"):
            return
        if state.view == "run" or not (self.app_focus or panel.key):
            asked = Show("run", panel.rev, state.path, state.text, panel.argument, columns=state.columns)
            self._jobs.start(asked)

    def draw_soon(self) -> None:
        """Draw the state in a twentieth of a second, however often this is asked for until then."""
        if not self._is_drawing:
            self._is_drawing = True
            self.set_timer(REDRAW_S, self.draw)

    def draw(self) -> None:
        """Draw the state as it is."""
        self._is_drawing = False
        if not self.is_up:
            return
        state, main = self.state, self.main_screen
        main.query_one(Start).follow(state, self.keys, self.settings.recent)
        main.query_one(Chat).follow(state)
        main.query_one(Side).follow(state, follows_text=not self.hearing.is_typing)
        main.query_one("#status", Static).update(status_text(state))
        main.query_one(KeyLine).follow(state, self.keys, self.where)
        self.titlebar.follow(state)
        prompt = main.query_one(Prompt)
        if state.draft != prompt.told and not prompt.text:  # what the state has of its own: a question put back
            prompt.told = state.draft
            prompt.put(state.draft)


def main(path: Path | None = None) -> int:
    """Run the app on a spec; ``task.yaml`` where none is named."""
    sys.setswitchinterval(SWITCH_S)
    app = SdrlApp(path or Path("task.yaml"), tours=True, making=InProcess(), examine_s=EXAMINE_S)
    gc.freeze()  # what is loaded by now stays: going through it takes 40 ms in the middle of typing
    app.run()
    app.titlebar.end()
    gc.freeze()  # the process ends now: to look through all its objects once more would take 0.15 s
    return app.return_code or 0
