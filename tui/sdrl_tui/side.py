"""The side: tabs of panels. The spec is an editor, the issues a list to go through, all others plain lines."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static, Tab, Tabs
from textual.widgets.option_list import Option

from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.drawing import clean
from sdrl.authoring.state import PANELS, Panel, State
from sdrl.spec.diagnostics import Diagnostic
from sdrl_tui.paint import issue_text, panel_text
from sdrl_tui.scrolling import Entries, Lines
from sdrl_tui.spec_editor import SpecEditor


class Side(Vertical):
    """One panel at a time. What it shows follows ``state.view``."""

    def __init__(self) -> None:
        super().__init__(id="side")
        self._issues: tuple[Diagnostic, ...] | None = None
        self._panel: Panel | None = None

    def compose(self) -> ComposeResult:
        """Tabs above; editor, issues and lines share the room below."""
        yield Tabs(*(Tab(_label(name), id=f"tab-{name}") for name in PANELS), id="tabs")
        yield SpecEditor()
        yield Static("", id="here", markup=False)
        yield Entries(id="issues", markup=False)
        with Lines(id="lines", can_focus=True):
            yield Static("", id="content", markup=False)

    def follow(self, state: State, *, follows_text: bool) -> None:
        """Draw the panel in view. ``follows_text``: the editor holds nothing that the state has not heard of."""
        tabs, editor = self.query_one(Tabs), self.query_one(SpecEditor)
        if tabs.active != f"tab-{state.view}":
            with self.prevent(Tabs.TabActivated):
                tabs.active = f"tab-{state.view}"
        editor.display = state.view == "spec"
        here = self.query_one("#here", Static)
        here.display = state.view == "spec" and bool(state.issues) and not state.is_new
        issues = self.query_one("#issues", Entries)
        issues.display = state.view == "issues"
        lines = self.query_one("#lines", Lines)
        lines.display = state.view not in ("spec", "issues")
        if follows_text:
            editor.follow(state)
        if here.display and (issue := editor.here()) is not None:
            here.update(issue_text(issue))
        if issues.display and self._issues != state.issues:
            self._issues = state.issues
            issues.set_options([Option(issue_text(each), id=str(at)) for at, each in enumerate(state.issues)])
            if state.issues:
                issues.highlighted = 0
            else:
                issues.add_option(Option("✓ no problems", disabled=True))
        if lines.display:
            self._follow_panel(state)

    def _follow_panel(self, state: State) -> None:
        panel = state.panels.get(state.view)
        if panel is None or panel is self._panel:
            return
        self._panel = panel
        title = f"{panel.title or state.view}{'  … working' if panel.is_waiting else ''}"
        self.query_one("#content", Static).update(Text.assemble((clean(title), "bold"), "\n\n", panel_text(panel)))

    def focus_panel(self, state: State) -> None:
        """The keyboard to what is in view."""
        target = {"spec": "#spec", "issues": "#issues"}.get(state.view, "#lines")
        self.query_one(target).focus()


def _label(name: str) -> str:
    return name.capitalize() if name in ACTIONS else name
