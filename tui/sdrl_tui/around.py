"""What the app does around a spec: help, tour, palette, colours, copying, an editor outside, another spec.

Each failure is one line that says what to do next.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.events import Key, Paste
from textual.widgets import TextArea

from sdrl.authoring.drawing import copied
from sdrl.authoring.effects import Window
from sdrl.authoring.events import Taken, Told
from sdrl.authoring.keymap import shown
from sdrl_tui.body import STEP, Body
from sdrl_tui.clipboard import copy, environment
from sdrl_tui.log import Log
from sdrl_tui.prompt import Prompt
from sdrl_tui.settings import state_folder
from sdrl_tui.titlebar import writer

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp
    from sdrl_tui.opening import Opening


class Around:
    """The app's own actions, by their ids."""

    def __init__(self, app: SdrlApp, opening: Opening) -> None:
        self._app = app
        self._doers: Mapping[str, Callable[[str], None]] = {
            "help": self.help,
            "tour": self.tour,
            "palette": lambda argument: app.action_command_palette(),
            "theme": self.theme,
            "copy": self.copy,
            "editor": self.editor,
            "open": opening.other,
            "settings": lambda argument: self.settings(),
            "earlier": lambda argument: self.earlier(),
            "wider": lambda argument: self.divide(argument, STEP),
            "narrower": lambda argument: self.divide(argument, -STEP),
        }

    def do(self, effect: Window) -> None:
        """What an effect asks for."""
        self._doers[effect.what](effect.argument)

    def help(self, command: str) -> None:
        """Help for where the keyboard is."""
        from sdrl_tui.help import HelpScreen

        app = self._app
        app.push_screen(HelpScreen(app.where, app.keys, app.key_problems, command))

    def tour(self, argument: str = "") -> None:
        """The tour, from its beginning."""
        from sdrl.authoring.actions import ACTIONS
        from sdrl_tui.help import TourScreen

        app = self._app

        def write(event: Key | Paste) -> None:
            app.show_chat()
            app.main_screen.query_one(Prompt).late(event)

        app.push_screen(TourScreen({each: shown(app.keys, each) for each in ACTIONS}, write))

    def theme(self, name: str) -> None:
        """Other colours, kept for the next time; without a name, a list to choose from."""
        app = self._app
        app.themes.read()  # what a person changed in it meanwhile
        if not name:
            app.search_themes()
        elif name in app.available_themes:
            app.theme = name
        else:
            from sdrl.spec.nearest import closest

            near = closest(name, app.available_themes)
            app.say(f"there is no theme '{name}'; " + (f"did you mean '{near}'?" if near else "/theme lists them all"))

    def divide(self, percent: str, step: int) -> None:
        """Another part of the room for the chat: ``percent`` where it is given, else ``step`` more than it has."""
        app = self._app
        if percent and not percent.rstrip("%").isdecimal():
            app.say(f"'{percent}' is no part of the room; the chat's is in percent, such as /wider 60")
            return
        app.main_screen.query_one(Body).divide(int(percent.rstrip("%")) if percent else app.settings.share + step)
        if not app.main_screen.has_class("-wide"):
            app.say(f"the chat takes {app.settings.share:.0f} % where the terminal has 100 columns and more")

    def settings(self) -> None:
        """Where a person's own files lie and what they set, as a note."""
        from sdrl_tui.own import own_text

        self._app.show_chat()
        self._app.dispatch(Told(own_text(self._app)))

    def earlier(self) -> None:
        """More of the chat, above what is in view of it."""
        if not self._app.main_screen.query_one(Log).earlier(self._app.state):
            self._app.say("the chat begins here: there is nothing earlier")

    def copy(self, what: str) -> None:
        """What is selected, named or in view."""
        app = self._app
        selected = app.screen.get_selected_text() or ""
        if not selected and isinstance(app.focused, TextArea):
            selected = app.focused.selected_text
        text = selected if selected and not what else copied(app.state, what or app.where)
        if text is None:
            app.say(f"there is no '{what}' to copy; /copy takes spec, issues, panel, message, code, chat or a key")
        elif not text:
            app.say("there is nothing to copy here")
        else:
            self.put(text)

    def put(self, text: str) -> None:
        """A text where it can be pasted from; the notice says where it is."""
        said, was_done = copy(text, writer(self._app), environment(), state_folder())
        self._app.say(said, is_bad=not was_done)

    def editor(self, argument: str = "") -> None:
        """The spec in $EDITOR; its text comes back as one change."""
        app = self._app
        try:
            words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        except ValueError as error:
            app.say(f"what EDITOR holds is no command: {error}", is_bad=True)
            return
        if not words:
            app.say("no editor is named: set EDITOR, such as export EDITOR=nano, and start again")
            return
        folder = Path(tempfile.mkdtemp(prefix="sdrl-"))
        file = folder / Path(app.state.path).name
        before = app.state.text
        file.write_bytes(before.encode("utf-8", "surrogatepass"))
        try:
            with app.suspend():
                ended = subprocess.run([*words, str(file)], check=False).returncode
            text = file.read_bytes().decode("utf-8")
        except SuspendNotSupported:
            app.say("this terminal cannot be handed to an editor")
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "its text is not UTF-8"
            app.say(f"{words[0]}: {what or error}; nothing was changed", is_bad=True)
        else:
            if ended:
                app.say(f"{words[0]} ended with {ended}; nothing was changed, its text is in {file}", is_bad=True)
                return
            app.dispatch(Taken(words[0], text))
            file.unlink()
            folder.rmdir()
