"""The app: wires widgets to the workbench. Draws the state at most twenty times a second; every key becomes an event.

Keeps a journal beside the spec, from which a start after a crash goes on. Narrow terminals show chat or side, wide ones
both.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static, Tabs, TextArea

from sdrl.authoring.actions import ACTIONS, PANEL_KEYS, event_of
from sdrl.authoring.document import delta_of
from sdrl.authoring.effects import Show
from sdrl.authoring.events import Acted, Event, Failed, Typed
from sdrl.authoring.journal import Journal, journal_path
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Workbench, opened, recovered
from sdrl.spec.diagnostics import SdrlError
from sdrl_tui.chat import Chat
from sdrl_tui.jobs import Happened, Jobs
from sdrl_tui.paint import status_text
from sdrl_tui.palette import ActionProvider
from sdrl_tui.prompt import Prompt
from sdrl_tui.side import Side
from sdrl_tui.spec_editor import SpecEditor

if TYPE_CHECKING:
    from sdrl.models.assistant import Answering

TYPING_S = 0.08
REDRAW_S = 0.05
FOLLOW_S = 0.5
SYNC_S = 1.0
IN_FOOTER = ("help", "save", "spec", "issues", "prompt", "verify", "plan", "run")


def _bindings() -> list[BindingType]:
    keys: list[BindingType] = [
        Binding(key, f"act('{action.id}')", action.id, show=action.id in IN_FOOTER, priority=True, id=action.id)
        for action in ACTIONS.values()
        for key in action.keys
    ]
    return [*keys, Binding("escape", "escape", "Back to the chat, or stop", priority=True, show=False)]


class SdrlApp(App[None]):
    """One spec under way. ``assistant`` answers in the chat; tests hand in a scripted fake."""

    TITLE = "sdrl"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[type[ActionProvider]]] = {ActionProvider}  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - the base class's annotation
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - the base class's annotation
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, path: Path, assistant: Answering | None = None, *, keeps_journal: bool = True) -> None:
        super().__init__()
        self.animation_level = "none"
        self._path = path
        self._keeps_journal = keeps_journal
        self._journal: Journal | None = None
        self._jobs = Jobs(self, assistant)  # type: ignore[arg-type]
        self.bench = Workbench(self._jobs.start)
        self._is_typing = False
        self._is_drawing = False

    @property
    def state(self) -> State:
        """The state as it is."""
        return self.bench.state

    @property
    def _main(self) -> Screen[object]:
        """The screen below whatever is open over it."""
        return self.screen_stack[0]

    def compose(self) -> ComposeResult:
        """Chat and side, a line of status, the keys."""
        with Horizontal(id="body"):
            yield Chat()
            yield Side()
        yield Static("", id="status", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Open the spec, or go on where a journal ends."""
        self._open()
        self._main.query_one(Prompt).focus()
        self.set_interval(FOLLOW_S, self._follow_run)
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # no signals here, or not this thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.leave)
        self._draw()

    def _open(self) -> None:
        kept = journal_path(self._path)
        found = recovered(self._path, kept) if self._keeps_journal and kept.exists() else None
        if found is not None:
            self.bench.state = found.state
        elif self._keeps_journal and kept.exists():
            kept.replace(aside := kept.with_suffix(".journal.old"))
            self.notify(f"the journal of an earlier time cannot be replayed; it is kept as {aside.name}")
        if self._keeps_journal:
            try:
                self._journal = Journal(kept, time.monotonic)
                self.bench.keep_in(self._journal)
                self.set_interval(SYNC_S, self._journal.sync)
            except OSError as error:
                self.notify(f"no journal is kept: {error.strerror or error}", severity="warning")
        try:
            self.bench.dispatch(opened(self._path))
        except (SdrlError, OSError) as error:
            self.exit(message=f"{self._path} cannot be opened: {error}", return_code=1)
            return
        if self.state.asking:
            self.bench.dispatch(Failed(self.state.asking, "the app ended before the answer came", "send it again"))

    def dispatch(self, event: Event) -> None:
        """Take an event, and draw what came of it soon."""
        self._tell_typing()
        self.bench.dispatch(event)
        self._draw_soon()

    def start_action(self, name: str) -> None:
        """An action by key, palette or mouse; one that needs an argument goes into the prompt first."""
        action = ACTIONS[name]
        if action.usage and not action.usage.startswith("["):
            self._show_chat()
            self._main.query_one(Prompt).put(f"/{name} ")
            return
        self._act(Acted(name))
        if name == "help":
            self._show_chat()

    def _act(self, event: Event) -> None:
        """Take an event; what it is about comes into view, be it a panel or the question before a run starts."""
        asked = self.state.offer
        self.dispatch(event)
        action = ACTIONS.get(event.action) if isinstance(event, Acted) else None
        if action is None:
            return
        if (action.group == "look" and action.id != "explain") or (
            action.id == "start" and asked and not self.state.offer
        ):
            self._show_side()
        elif action.id == "start":
            self._show_chat()

    def action_act(self, name: str) -> None:
        """A key of the table. What is being typed in the prompt has its own undo."""
        prompt = self._main.query_one(Prompt)
        if name in ("undo", "redo") and self.focused is prompt and prompt.text:
            prompt.undo() if name == "undo" else prompt.redo()
            return
        if name == "spec" and self._main.has_class("-side") and self.state.view == "spec":
            self._show_chat()
            return
        self.start_action(name)

    def action_command(self, line: str) -> None:
        """A click that stands for a command."""
        self.dispatch(event_of(f"/{line}"))

    def on_key(self, event: events.Key) -> None:
        """Single keys of the panel in view, where nothing is written into."""
        found = PANEL_KEYS.get(self.state.view, {}).get(event.key)
        if found is not None and not isinstance(self.focused, TextArea):
            event.stop()
            self.dispatch(Acted(*found))

    def action_escape(self) -> None:
        """Stop the answer, close the menu, else go back to the chat."""
        if self.screen.is_modal:
            self.screen.dismiss()
        elif self.state.asking:
            self.dispatch(Acted("stop"))
        elif not self._main.query_one(Chat).close_menu():
            self._show_chat()

    def leave(self) -> None:
        """End the app; the last line says where the spec is."""
        saved = "saved" if not self.state.is_dirty else f"not saved; its text is kept in {journal_path(self._path)}"
        self.exit(message=f"{self.state.path}: {saved}")

    def on_unmount(self) -> None:
        """Bring the journal to the disk."""
        self._jobs.close()
        if self._journal is not None:
            self._journal.close()

    @on(Prompt.Sent)
    def _sent(self, message: Prompt.Sent) -> None:
        self._main.query_one(Chat).close_menu()
        self._act(event_of(message.text))

    @on(Prompt.Menu)
    def _menu_key(self, message: Prompt.Menu) -> None:
        menu = self._main.query_one("#menu", OptionList)
        if message.what in ("up", "down"):
            menu.action_cursor_up() if message.what == "up" else menu.action_cursor_down()
        elif menu.highlighted is not None:
            self._choose(str(menu.get_option_at_index(menu.highlighted).id), is_enter=message.what == "enter")

    @on(OptionList.OptionSelected, "#menu")
    def _menu_click(self, message: OptionList.OptionSelected) -> None:
        self._choose(str(message.option_id), is_enter=True)
        self._main.query_one(Prompt).focus()

    def _choose(self, name: str, *, is_enter: bool) -> None:
        prompt, action = self._main.query_one(Prompt), ACTIONS[name]
        prompt.put(f"/{name} " if action.usage else f"/{name}")
        if is_enter and (not action.usage or action.usage.startswith("[")):
            prompt.send()

    @on(OptionList.OptionSelected, "#issues")
    def _issue_chosen(self, message: OptionList.OptionSelected) -> None:
        self.dispatch(Acted("issues", str(int(message.option_id or 0) + 1)))
        self.call_after_refresh(self._show_side)

    @on(Tabs.TabActivated, "#tabs")
    def _tab(self, message: Tabs.TabActivated) -> None:
        name = (message.tab.id or "").removeprefix("tab-")
        if name and name != self.state.view:
            self.dispatch(Acted(name))

    @on(TextArea.Changed, "#prompt")
    def _prompt_changed(self, message: TextArea.Changed) -> None:
        self._main.query_one(Chat).suggest(message.text_area.text)

    @on(TextArea.Changed, "#spec")
    def _spec_changed(self, message: TextArea.Changed) -> None:
        if message.text_area.text != self.state.text and not self._is_typing and not message.text_area.read_only:
            self._is_typing = True
            self.set_timer(TYPING_S, self._typing_paused)

    @on(TextArea.SelectionChanged, "#spec")
    def _cursor_moved(self) -> None:
        self._draw_soon()

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        self.dispatch(message.event)

    def _typing_paused(self) -> None:
        self._tell_typing()
        self._draw_soon()

    def _tell_typing(self) -> None:
        """Tell the state what was typed in the spec since it last heard of it."""
        if not self._is_typing:
            return
        self._is_typing = False
        delta = delta_of(self.state.text, self._main.query_one(SpecEditor).text)
        if delta.old or delta.new:
            self.bench.dispatch(Typed(delta.start, delta.start + len(delta.old), delta.new))

    def _follow_run(self) -> None:
        """Ask for the run's panel anew while it is in view; its events may have gone on."""
        panel = self.state.panels.get("run")
        if self.state.view == "run" and panel is not None and not panel.is_waiting:
            self._jobs.start(Show("run", panel.rev, self.state.path, self.state.text, panel.argument))

    def _draw_soon(self) -> None:
        if not self._is_drawing:
            self._is_drawing = True
            self.set_timer(REDRAW_S, self._draw)

    def _draw(self) -> None:
        self._is_drawing = False
        if not self.is_running:
            return
        state = self.state
        self._main.query_one(Chat).follow(state)
        self._main.query_one(Side).follow(state, follows_text=not self._is_typing)
        self._main.query_one("#status", Static).update(status_text(state))
        prompt = self._main.query_one(Prompt)
        if state.draft and not prompt.text:
            prompt.put(state.draft)

    def _show_side(self) -> None:
        self._main.add_class("-side")
        self._draw()
        self._main.query_one(Side).focus_panel(self.state)

    def _show_chat(self) -> None:
        self._main.remove_class("-side")
        self._main.query_one(Prompt).focus()


def main(path: Path | None = None) -> int:
    """Run the app on a spec; ``task.yaml`` where none is named."""
    app = SdrlApp(path or Path("task.yaml"))
    app.run()
    return app.return_code or 0
