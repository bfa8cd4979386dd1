"""Themes: Textual's own and a person's (``$XDG_CONFIG_HOME/sdrl/themes/NAME.yaml``); the one in use is remembered.

The folder is read after the first paint and again by /theme. So that the first paint has the right colours already,
those of the theme in use are kept with the settings.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.theme import BUILTIN_THEMES, Theme

from sdrl.authoring.themes import Colours, is_theme, read_theme
from sdrl_tui.settings import config_folder

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp

MOST_BYTES = 100_000
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")


def themes_folder() -> Path:
    """Where a person's own themes lie."""
    return config_folder() / "themes"


class Themes:
    """Of one app. ``own`` holds the colours of a person's own themes by their names, ``problems`` what is wrong."""

    def __init__(self, app: SdrlApp) -> None:
        self._app = app
        self.own: dict[str, Colours] = {}
        self.problems: list[str] = []

    def recall(self) -> None:
        """The theme that was in use last, before any file is read."""
        settings = self._app.settings
        if settings.theme not in BUILTIN_THEMES and _NAME.fullmatch(settings.theme) and is_theme(settings.colours):
            self._offer(settings.theme, settings.colours)
        if settings.theme in self._app.available_themes:
            self._app.theme = settings.theme

    def read(self) -> None:
        """Offer what lies in the folder, and tell of each line that is wrong."""
        app, before = self._app, self.own.get(self._app.theme)
        self.problems = []
        for file in sorted(themes_folder().glob("*.yaml")):
            self._read(file)
        for problem in self.problems:
            app.say(problem, is_bad=True)
        if app.theme != app.settings.theme and app.settings.theme in self.own:
            app.theme = app.settings.theme
        elif before != self.own.get(app.theme):
            app.mutate_reactive(App.theme)
            self._keep(app.theme)

    def follow(self) -> None:
        """Remember what is chosen from here on."""
        self._app.theme_changed_signal.subscribe(self._app, lambda theme: self._keep(theme.name))

    def _read(self, file: Path) -> None:
        if file.stem in BUILTIN_THEMES or not _NAME.fullmatch(file.stem):
            what = "is the name of a theme that is there already" if file.stem in BUILTIN_THEMES else "is no name"
            self.problems.append(f"{file}:1:1: '{file.stem}' {what}; call the file mine.yaml")
            return
        try:
            with file.open("rb") as opened:
                text = opened.read(MOST_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            told = error.strerror if isinstance(error, OSError) else "this is no text; write it in UTF-8"
            self.problems.append(f"{file}:1:1: {told or error}")
            return
        colours, problems = read_theme(text, str(file))
        self.problems += problems
        if colours is not None:
            self._offer(file.stem, colours)

    def _offer(self, name: str, colours: Colours) -> None:
        values: dict[str, Any] = dict(colours)
        self.own[name] = colours
        self._app.register_theme(Theme(name=name, **values))

    def _keep(self, name: str) -> None:
        settings, colours = self._app.settings, dict(self.own.get(name, {}))
        if (name, colours) != (settings.theme, settings.colours):
            settings.theme, settings.colours = name, colours
            settings.keep()
