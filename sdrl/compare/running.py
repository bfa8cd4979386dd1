"""Runs a suite's cells one after the other; the same call goes on where the last one stopped, as a run does.

A cell is done when its run is; it is not looked at again. What the suite was when it began is frozen in ``suite.json``
(the plan hash and controls of every cell): a suite, spec or data set that changed since is refused, for its cells would
not be on equal terms with those that are there.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.compare.cells import Cell, cell_folder, compile_cell, open_question
from sdrl.compare.demos import all_demos
from sdrl.compare.human import HumanSamples, human_samples
from sdrl.compare.loading import LoadedSuite
from sdrl.compare.needs import lacking, read_spec, too_few
from sdrl.compiler.compile import write_plan
from sdrl.compiler.estimate import training_of
from sdrl.compiler.plan_file import read_plan
from sdrl.run.ending import Ending
from sdrl.run.events import Listener
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder, write_atomic, write_json
from sdrl.run.lock import hold
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.controls import FILE as CONTROL_FILE
from sdrl.stages.controls import HUMAN_FILE, Controls

FROZEN = "suite.json"
FROZEN_SCHEMA = 1


@dataclass(frozen=True)
class Planned:
    """A cell with the hashes of its plan and its stages, what it should ask for, and why it stays open, if it does.

    A cell that the spec cannot have (an arm of a shipped suite) has no plan: empty hashes, no estimate.
    """

    cell: Cell
    hash: str
    stages: dict[str, str]
    estimate: dict[str, Any]
    open: str | None
    human: HumanSamples | None = None

    @property
    def controls(self) -> Controls:
        """What the run does otherwise than its plan says."""
        control = self.cell.arm.control
        digest = self.human.sha256 if self.human else None
        return Controls(control.reward, control.labels, control.samples, digest)


def plan_cells(loaded: LoadedSuite, cells: Iterable[Cell]) -> list[Planned]:
    """Compile every cell; nothing is written. What the spec cannot have of a shipped suite's arms stays open, but for
    the first arm, against which all is held.

    Raises:
        SdrlError: another cell does not compile, or the human data cannot be read.
    """
    spec = read_spec(loaded.spec_path, loaded.spec_text)
    planned = []
    for cell in cells:
        is_optional = cell.arm_name in loaded.optional and cell.arm_name != loaded.arms[0].name
        why = lacking(cell.arm, spec, has_human=loaded.suite.human is not None) if is_optional else None
        if why is not None:
            planned.append(Planned(cell, "", {}, {}, why))
            continue
        try:
            if cell.arm.demos is not None and loaded.demos is None:
                loaded = dataclasses.replace(loaded, demos=all_demos(loaded))  # read once for all cells
            planned.append(_planned(loaded, cell, is_optional=is_optional))
        except SdrlError as error:
            if error.code != "E352" or not is_optional:
                raise
            planned.append(Planned(cell, "", {}, {}, error.message.removeprefix(f"{cell.name}: ")))
    return planned


def _planned(loaded: LoadedSuite, cell: Cell, *, is_optional: bool) -> Planned:
    compiled = compile_cell(loaded, cell)
    plan = compiled.require()
    why = open_question(cell, plan) or (too_few(cell.arm, compiled) if is_optional else None)
    human = None
    if cell.arm.control.samples != "synthetic":
        try:
            human = human_samples(loaded, cell.arm, compiled)
        except SdrlError as error:
            where = f"{cell.name}: " if error.code == "E352" else ""
            raise SdrlError(error.code, where + error.message, help=error.help) from None
    estimate = plan.estimate
    if human is not None and cell.arm.control.samples == "human-whole":
        estimate = {**estimate, "training": training_of(plan, human.rows)}
    return Planned(cell, plan.hash, {stage.name: stage.hash for stage in plan.stages}, estimate, why, human)


def freeze(loaded: LoadedSuite, planned: Iterable[Planned], root: Path) -> None:
    """Write down what every cell is, or refuse cells that are otherwise than when the suite began.

    Raises:
        SdrlError: a cell changed since (E623, exit 3).
    """
    path = root / FROZEN
    cells = _frozen_cells(path) if path.exists() else {}
    for each in (each for each in planned if each.hash):
        now = {"plan_hash": each.hash, "controls": each.controls.as_json()}
        before = cells.setdefault(each.cell.name, now)
        if before != now:
            raise SdrlError(
                "E623",
                f"{root} holds the suite as it was before: cell {each.cell.name} has another plan now",
                help="choose another folder with --dir, so that all cells are on equal terms; the store is shared",
                exit=Exit.STALE,
            )
    write_json(path, {"schema": FROZEN_SCHEMA, "name": loaded.suite.name, "cells": cells})


def _frozen_cells(path: Path) -> dict[str, Any]:
    """What the cells were when the suite began. Raises SdrlError E830 for a damaged file."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if not isinstance(cells, dict):
            raise TypeError("'cells' is no table")
    except (ValueError, TypeError, KeyError) as error:
        advice = "put it back from a copy, or choose another folder with --dir; the store is shared"
        raise SdrlError("E830", f"{path} is damaged ({error})", help=advice) from None
    return cells


def is_done(root: Path, planned: Planned) -> bool:
    """Whether the cell's run ended well, under this plan."""
    try:
        result = json.loads((cell_folder(root, planned.cell) / "result.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # not there, or damaged: the cell runs again, from its seals and the store
        return False
    # a gate that is not met is an outcome too
    return (
        isinstance(result, dict)
        and result.get("plan_hash") == planned.hash
        and result.get("status") in ("done", "gate")
    )


def run_cells(
    loaded: LoadedSuite,
    planned: list[Planned],
    root: Path,
    store: Path,
    options: RunOptions,
    *,
    listeners: Callable[[], tuple[Listener, Callable[[], None]]],
    tell: Callable[[str], None],
    done: Callable[[], None],
) -> Ending | None:
    """Run what is not done. ``done`` is called after each cell. Returns the ending that stops the suite, or None.

    A cell that fails for good (its own fault) is told and passed over; what concerns all of them (a stop, the budget,
    an endpoint that refuses) ends the suite.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with hold(root / "lock"):
        freeze(loaded, planned, root)
        todo = [each for each in planned if each.open is None and not is_done(root, each)]
        for number, each in enumerate(todo, 1):
            tell(f"cell {number} of {len(todo)}: {each.cell.name}")
            ending = _run_cell(loaded, each, root, store, options, listeners)
            done()
            if ending.exit in (Exit.STOPPED, Exit.BUDGET):
                return ending
            if ending.error is not None and ending.exit != Exit.GATE:
                tell(f"{each.cell.name} failed: {ending.message}")
    return None


def _run_cell(
    loaded: LoadedSuite,
    each: Planned,
    root: Path,
    store: Path,
    options: RunOptions,
    listeners: Callable[[], tuple[Listener, Callable[[], None]]],
) -> Ending:
    folder = RunFolder(cell_folder(root, each.cell))
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not each.cell.arm.control.is_plain:
        write_json(folder.root / CONTROL_FILE, each.controls.as_json())
    if each.human:
        write_atomic(folder.root / HUMAN_FILE, each.human.content)
    with tempfile.TemporaryDirectory(prefix="sdrl-plan-") as aside:
        compiled = compile_cell(loaded, each.cell)
        write_plan(compiled, Path(aside))
        plan = read_plan(Path(aside))
        if plan.hash != each.hash:
            raise SdrlError(
                "E623",
                f"the plan of cell {each.cell.name} changed while the suite ran",
                help="a file that the spec names was changed; put it back, or begin again in another folder with --dir",
                exit=Exit.STALE,
            )
        listener, stop = listeners()
        try:
            return execute(plan, folder, store, options, (listener,))
        finally:
            stop()


def wall_seconds(run: Path) -> float:
    """Seconds that processes worked on a run, all of them together, by its events."""
    from datetime import datetime

    total, first, last = 0.0, None, None
    path = run / "events.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            event = json.loads(line)
            at = datetime.fromisoformat(event["time"])
        except (ValueError, KeyError, TypeError):
            continue
        if event.get("type") == "run_started" or first is None:
            total += (last - first).total_seconds() if first is not None and last is not None else 0.0
            first = at
        last = at
    return total + ((last - first).total_seconds() if first is not None and last is not None else 0.0)
