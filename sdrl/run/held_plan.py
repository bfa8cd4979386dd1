"""The plan that a run folder holds: a copy of what is executed there, and what keeps another plan out.

A copy that was damaged is made again from the plan that is given, when the events say that it is this very plan.
"""

from __future__ import annotations

import shutil

from sdrl.compiler.diff import diff_plans
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import copy_plan, read_plan
from sdrl.run.events import read_events
from sdrl.run.folder import RunFolder, move_whole
from sdrl.spec.diagnostics import Exit, SdrlError


def refuse_other_plan(plan: Plan, folder: RunFolder) -> bool:
    """Whether the folder holds this plan whole.

    Raises SdrlError (exit 3) when it holds a run of another plan, and says what would run again.
    """
    if not (folder.plan / "plan.json").exists():
        return False
    try:
        held = read_plan(folder.plan)
    except SdrlError as error:
        if _is_copy(plan, folder) and _last_run_of(folder) == plan.hash:
            return False  # the copy was damaged, and is made again
        raise SdrlError(
            error.code,
            error.message,
            help=f"remove {folder.plan} and give the same command again: its stages are kept under their hashes",
            exit=Exit.STALE,
        ) from error
    if held.hash != plan.hash and _has_more_rounds(plan, held):
        return False  # the copy is made anew, and all that is sealed stays
    if held.hash != plan.hash:
        again = ", ".join(diff_plans(held, plan).stages) or "nothing"
        raise SdrlError(
            "E621",
            f"{folder.root} holds a run of another plan ({held.hash[:12]}, this one is {plan.hash[:12]}); "
            f"under the new plan these stages would run again: {again}",
            help="choose another folder with --run DIR; finished stages that did not change are taken from the store",
            exit=Exit.STALE,
        )
    return True


def _has_more_rounds(plan: Plan, held: Plan) -> bool:
    """Whether the plan is the held one with further rounds behind it."""
    kept = {stage.name: stage.hash for stage in plan.stages}
    same = all(kept.get(stage.name) == stage.hash for stage in held.stages if stage.name != "evaluate")
    return same and plan.settings.rounds > held.settings.rounds


def keep_plan(plan: Plan, folder: RunFolder) -> None:
    """Copy the plan into the run folder, which does not hold it whole. Call it while holding the lock."""
    if not _is_copy(plan, folder):
        return
    if (folder.plan / "plan.json").exists():  # damaged, or of fewer rounds
        shutil.rmtree(folder.plan)
    if folder.plan.is_dir() and any(folder.plan.iterdir()):
        raise SdrlError(
            "E608", f"{folder.plan} holds other things than a plan", help="choose another folder with --run DIR"
        )
    partial = folder.plan.with_name(".plan.partial")  # a copy cut short must not stand where the next one is to go
    shutil.rmtree(partial, ignore_errors=True)
    copy_plan(plan, partial)
    move_whole(partial, folder.plan)


def _is_copy(plan: Plan, folder: RunFolder) -> bool:
    """Whether the folder's plan is, or is to be, a copy of ``plan`` and not the plan itself."""
    return plan.folder is not None and plan.folder.resolve() != folder.plan.resolve()


def _last_run_of(folder: RunFolder) -> str | None:
    """Hash of the plan that ran here last, by its events."""
    found = None
    for event in read_events(folder.events):
        if event.get("type") == "run_started":
            found = str(event.get("plan_hash"))
    return found
