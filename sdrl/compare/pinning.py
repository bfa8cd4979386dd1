"""One look at the hub for a whole suite: what is not at hand is pinned once, and every cell keeps these pins.

The pins are the plan of the first cell, in ``DIR/pins``; a suite that goes on reads them there. Does not pin what only
a later arm names: its cells say that they wait for it.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from sdrl.compare.cells import cells_of, compile_cell
from sdrl.compare.loading import LoadedSuite
from sdrl.compiler.compile import write_plan
from sdrl.compiler.plan_file import read_plan

FOLDER = "pins"


def with_pins(loaded: LoadedSuite, root: Path, *, look_up: bool) -> LoadedSuite:
    """The suite with its pins: those that lie in ``root``, else, to ``look_up`` and where any are missing, new ones."""
    folder = root / FOLDER
    if not folder.exists():
        first = cells_of(loaded)[0]
        if not look_up or not compile_cell(loaded, first).require().pending:
            return loaded
        aside = root / f"{FOLDER}.part"
        shutil.rmtree(aside, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_plan(compile_cell(loaded, first, pin=True), aside)
        os.replace(aside, folder)
    return dataclasses.replace(loaded, pins=read_plan(folder))
