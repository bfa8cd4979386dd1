"""What the app remembers from one start to the next: theme, specs opened lately, and that the tour was shown.

One JSON file of a person's own folder; a file that is missing, damaged or not writable costs the memory, never a start.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

MOST_RECENT = 10
MOST_SHARE = 80  # percent of the room that one side may take


def config_folder() -> Path:
    """Where a person's own keys lie: ``$XDG_CONFIG_HOME/sdrl``."""
    return _home("XDG_CONFIG_HOME", ".config") / "sdrl"


def state_folder() -> Path:
    """Where the app keeps what it remembers: ``$XDG_STATE_HOME/sdrl``."""
    return _home("XDG_STATE_HOME", ".local/state") / "sdrl"


def _home(variable: str, otherwise: str) -> Path:
    named = os.environ.get(variable, "")
    return Path(named) if named else Path.home() / otherwise


@dataclass
class Settings:
    """``theme`` '' is Textual's own, ``colours`` are those of one that is a person's own; ``recent`` holds absolute
    paths and when they were opened, the latest first; ``share`` is the chat's part of the room in percent, 20 to 80.
    """

    theme: str = ""
    has_toured: bool = False
    share: float = 50
    recent: list[tuple[str, float]] = field(default_factory=list)
    colours: dict[str, str | bool] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Settings:
        """What was kept; defaults for whatever is not as it should be."""
        try:
            kept = json.loads(settings_file().read_text(encoding="utf-8"))
            recent = [(str(path), float(when)) for path, when in kept.get("recent", [])]
            share = min(max(float(kept.get("share", 50)), 100 - MOST_SHARE), MOST_SHARE)
            colours = dict(kept.get("colours", {}))  # looked through where they are used
            return cls(str(kept.get("theme", "")), bool(kept.get("has_toured")), share, recent[:MOST_RECENT], colours)
        except (OSError, ValueError, TypeError, AttributeError):
            return cls()

    def keep(self) -> bool:
        """Write it, whole or not at all; whether that could be done."""
        file = settings_file()
        beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
            beside.replace(file)
        except OSError:
            return False
        return True

    def opened(self, path: Path) -> None:
        """Remember a spec that was opened just now."""
        name = str(path.absolute())
        self.recent = [(name, time.time()), *(each for each in self.recent if each[0] != name)][:MOST_RECENT]
        self.keep()


def settings_file() -> Path:
    """Where all of it is kept."""
    return state_folder() / "app.json"
