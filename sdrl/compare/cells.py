"""Arms × budgets × training seeds to cells, and a cell to its frozen plan. Writes plans, runs nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sdrl.compare.loading import OWN_BUDGET, LoadedSuite
from sdrl.compare.suite import Arm, Budget
from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.plan import Plan
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.edits import apply
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.nearest import closest

NEEDS_INSTRUCTOR = "needs a real instructor"


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
    try:
        text = apply(loaded.spec_text, loaded.edits(cell.arm, cell.budget, cell.seed))
    except SdrlError as error:
        raise SdrlError(
            "E352", f"the changes of {cell.name} do not go together: {error.message}", help=error.help
        ) from None
    compiled = compile_spec(loaded.spec_path, text=text, pin=pin, held=loaded.pins)
    if compiled.plan is None:
        errors = [item for item in compiled.diagnostics if item.is_error]
        first = f"{errors[0].code} {errors[0].message}" if errors else ""
        raise SdrlError(
            "E352", f"the spec of {cell.name} does not compile: {first}", help=errors[0].help if errors else None
        )
    return compiled


def open_question(cell: Cell, plan: Plan) -> str | None:
    """Why this cell cannot be decided with the models of the spec; None where it can."""
    models = plan.settings.models
    is_scripted = models is not None and models.instructor.is_embedded
    asks_instructor = cell.arm.needs == "instructor" or not METHOD_TABLE[plan.settings.synthesize.method].scripted
    return NEEDS_INSTRUCTOR if is_scripted and asks_instructor else None


def cell_folder(root: Path, cell: Cell) -> Path:
    """Where a cell runs."""
    return root / "cells" / cell.name
