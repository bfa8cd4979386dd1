"""Arms × budgets × training seeds to cells, and a cell to its frozen plan. Writes plans, runs nothing."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sdrl.compare.demos import all_demos, chosen, with_demos
from sdrl.compare.loading import OWN_BUDGET, LoadedSuite
from sdrl.compare.needs import NEEDS_INSTRUCTOR, asks_instructor, is_scripted, read_spec
from sdrl.compare.suite import Arm, Budget
from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.plan import Plan
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.edits import Edit, apply
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.nearest import closest


@dataclass(frozen=True)
class Cell:
    """One run of the suite."""

    arm: Arm
    budget: Budget
    seed: int

    @property
    def arm_name(self) -> str:
        """The arm's name in the table."""
        return self.arm.name or ""

    @property
    def name(self) -> str:
        """The run folder's name."""
        budget = "" if self.budget.name == OWN_BUDGET else f"--{self.budget.name}"
        return f"{self.arm_name}{budget}--{self.seed}"


def cells_of(loaded: LoadedSuite, only: Collection[str] = ()) -> list[Cell]:
    """Every cell, seed by seed within an arm, so that whole arms are finished one after the other.

    Raises:
        SdrlError: ``only`` names an arm that the suite lacks (exit 2).
    """
    names = [arm.name or "" for arm in loaded.arms]
    for name in only:
        if name not in names:
            near = closest(name, names)
            advice = f"did you mean '{near}'?" if near else f"there are: {', '.join(names)}"
            raise SdrlError("", f"{loaded.path} has no arm '{name}'", help=advice, exit=Exit.USAGE)
    return [
        Cell(arm, budget, seed)
        for arm in loaded.arms
        if not only or arm.name in only
        for budget in loaded.budgets
        for seed in loaded.suite.seeds[: arm.seeds]
    ]


def compile_cell(loaded: LoadedSuite, cell: Cell, *, pin: bool = False) -> Compiled:
    """The cell's spec, compiled with the suite's pins; ``pin`` looks at the hub anew.

    Raises:
        SdrlError: the changes together make a spec that does not compile (E352); carries its problems.
    """
    text = _text_of(loaded, cell)
    compiled = _compiled(loaded, cell, text, pin=pin)
    if cell.arm.updates == "own":
        return compiled
    first = Cell(loaded.arms[0], cell.budget, cell.seed)
    wanted = compile_cell(loaded, first).require().estimate["training"]["updates"] if first.arm != cell.arm else 0
    epochs = _epochs(compiled.require(), wanted)
    return _compiled(loaded, cell, apply(text, [Edit("set", "train.epochs", epochs)]), pin=pin) if epochs else compiled


def _text_of(loaded: LoadedSuite, cell: Cell) -> str:
    """The spec with the changes of suite, budget and arm, and the arm's demos."""
    try:
        text = apply(loaded.spec_text, loaded.edits(cell.arm, cell.budget, cell.seed))
        if cell.arm.demos is None:
            return text
        demos = all_demos(loaded) if loaded.demos is None else loaded.demos
        spec = read_spec(loaded.spec_path, loaded.spec_text)
        return with_demos(text, chosen(demos, cell.arm.demos, spec.seed if spec else 0))
    except SdrlError as error:
        words = error.message if error.code == "E352" else f"its changes do not go together: {error.message}"
        raise SdrlError("E352", f"{cell.name}: {words}", help=error.help) from None


def _compiled(loaded: LoadedSuite, cell: Cell, text: str, *, pin: bool) -> Compiled:
    compiled = compile_spec(loaded.spec_path, text=text, pin=pin, held=loaded.pins)
    if compiled.plan is None:
        errors = [item for item in compiled.diagnostics if item.is_error]
        first = f"{errors[0].code} {errors[0].message}" if errors else ""
        help_ = errors[0].help if errors else None
        raise SdrlError("E352", f"{cell.name}: its spec does not compile: {first}", help=help_)
    return compiled


def _epochs(plan: Plan, updates: int) -> float | None:
    """Epochs with which a training has so many updates, by the estimate's reckoning; None where it has them."""
    train, training = plan.settings.train, plan.estimate["training"]
    wanted = updates // plan.settings.rounds
    if not wanted or training["updates"] == updates:
        return None
    is_online = train.algorithm in ("grpo", "rloo")
    samples, step = training["samples"], train.prompts_per_step
    epochs = wanted * step / samples if is_online else wanted / -(-samples // step)
    return math.floor(epochs * 1e6) / 1e6 or None  # down: a digit too many would be one more update


def open_question(cell: Cell, plan: Plan) -> str | None:
    """Why this cell cannot be decided with the models of the spec; None where it can."""
    is_other = not METHOD_TABLE[plan.settings.synthesize.method].scripted
    return NEEDS_INSTRUCTOR if is_scripted(plan.settings) and (asks_instructor(cell.arm) or is_other) else None


def cell_folder(root: Path, cell: Cell) -> Path:
    """Where a cell runs."""
    return root / "cells" / cell.name
