"""What is a person's own: where keys, themes, memory and journal lie, and what is set there. For /settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.keymap import DEFAULTS
from sdrl.authoring.themes import LINE
from sdrl_tui.settings import config_folder, settings_file
from sdrl_tui.start import at_home
from sdrl_tui.themes import themes_folder

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp


def own_text(app: SdrlApp) -> str:
    """One line for each, then what is wrong in the files."""
    helper, settings, many = app.state.assistant, app.settings, len(app.settings.recent)
    changed = sum(bound != DEFAULTS[action] for action, bound in app.keys.items())
    keys = config_folder() / "keys.yaml"
    kept = f"theme {app.theme}, the chat takes {settings.share:.0f} %, {many} spec{'' if many == 1 else 's'} opened"
    model = f"{helper.model} at {helper.endpoint}" + (f", its key in {helper.key_env}" if helper.key_env else "")
    journal = (app.desk.kept_in(), "what is not saved yet") if app.keeps_journal else (None, "none is kept")
    rows = {
        "keys": (keys, f"{changed} changed" if keys.exists() else "not there; a line of it is  plan: f12"),
        "themes": (themes_folder(), ", ".join(sorted(app.themes.own)) or f"none; mine.yaml there begins  {LINE}"),
        "kept": (settings_file(), kept),
        "journal": journal,
        "model": (None, model if helper.model else "none; /model MODEL ENDPOINT KEY_ENV chooses one"),
    }
    lines = [
        f"{name:<8} {f'{_short(path)}: ' if path is not None else ''}{told}" for name, (path, told) in rows.items()
    ]
    return "\n".join(["what is your own, and where it lies", *lines, *app.key_problems, *app.themes.problems])


def _short(path: Path) -> str:
    return at_home(str(path))
