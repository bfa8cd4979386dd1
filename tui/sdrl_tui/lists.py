"""What the app and its disk hold for the menu over the prompt: files, runs, examples, colours.

A folder is looked at once for the keys of a few seconds, never below itself, and no further than a bound. A name is
text whatever it holds; what cannot be read is not there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.completing import Choices, completions
from sdrl.authoring.runs import RUNS
from sdrl.spec.source import SUFFIXES
from sdrl_tui.start import ago

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp

MOST = 200  # names of one list
MOST_LOOKED = 2_000  # entries of a folder that are looked at for them
FRESH_S = 3.0

Names = Sequence[tuple[str, str]]


class Lists:
    """Completes the lines of one app."""

    def __init__(self, app: SdrlApp) -> None:
        self._app = app
        self._held: dict[tuple[str, str], tuple[float, Names]] = {}
        self._is_ready = False

    def __call__(self, line: str) -> Choices:
        """What may come next in a line."""
        if not self._is_ready:
            self._is_ready = True
            self._app.run_worker(get_ready, thread=True, exit_on_error=False, group="menu")
        return completions(self._app.state, line, self._listed)

    def _listed(self, kind: str, folder: str) -> Names:
        now = time.monotonic()
        when, names = self._held.get((kind, folder), (now - FRESH_S - 1, ()))
        if now - when > FRESH_S:
            names = self._looked(kind, folder)
            self._held = {(kind, folder): (now, names)}
        return names

    def _looked(self, kind: str, folder: str) -> Names:
        if kind == "themes":
            return [(name, "now" if name == self._app.theme else "") for name in sorted(self._app.available_themes)]
        if kind == "examples":
            return known_examples()
        return latest_runs() if kind == "runs" else files_in(folder)


def get_ready() -> None:
    """Read what the language says of its keys, before a key waits for it."""
    from sdrl.authoring import places  # noqa: F401 - takes 20 ms the first time
    from sdrl.spec.schema import descriptions, tables

    for table in tables():
        descriptions(table)


def known_examples() -> Names:
    """The examples that ship, with what each is about."""
    from sdrl.authoring.examples import examples
    from sdrl.spec.diagnostics import SdrlError

    try:
        return [(name, about) for name, about in examples().items() if not name.startswith("_")]
    except (SdrlError, OSError):
        return ()


def files_in(folder: str) -> Names:
    """The specs of a folder, then the folders in it, whose names end in /."""
    found = sorted((_is_folder(each), each.name) for each in _entries(folder))
    return [
        (f"{name}/", "folder") if is_folder else (name, "")
        for is_folder, name in islice(((f, n) for f, n in found if f or n.endswith(SUFFIXES)), MOST)
    ]


def latest_runs() -> Names:
    """The runs of this folder, the one written last first, with how long ago that was."""
    found = []
    for each in _entries(str(RUNS)):
        try:
            found.append((Path(each.path, "events.jsonl").stat().st_mtime, each.name))
        except OSError:
            continue
    now = time.time()
    return [(name, ago(now - when)) for when, name in sorted(found, reverse=True)[:MOST]]


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(Path(folder or ".").expanduser()) as found:
            yield from islice(found, MOST_LOOKED)
    except (OSError, ValueError, RuntimeError):  # not there, no name of a folder, nobody's home
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
