"""What is measured on the test sets when all is chosen: accuracy by checkpoint, and the base model behind demos.

``sdrl run --post-hoc`` asks every kept checkpoint of the last training the plan's test problems, through the request
cache, after the evaluation stage is sealed. Base and chosen model were asked there, and are not asked again. Where the
task has demos, the base model is asked once more behind some of them: what a prompt alone would gain. Writes
``artifacts/post-hoc.jsonl``, ``artifacts/few-shot.jsonl`` and their seals; no stage reads them, and nothing is chosen
by them.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.compiler.rounds import named
from sdrl.run.artifacts import Artifacts, Row
from sdrl.run.folder import RunFolder
from sdrl.stages.context import StageContext, trained_identity
from sdrl.stages.evaluate import ask_checkpoint, ask_few_shot
from sdrl.training.checkpoints import is_valid, step_of

POST_HOC = "post-hoc"
FEW_SHOT = "few-shot"


async def measure(ctx: StageContext, folder: RunFolder, artifacts: Artifacts) -> None:
    """Ask the checkpoints and seal their answers; ``ctx`` is that of the evaluation stage, which must be sealed."""
    plan = ctx.plan
    began = time.monotonic()
    chosen = (artifacts.seal(named("train", plan.settings.rounds)) or {}).get("notes", {}).get("best_step")
    rows = [{**row, "step": 0} for row in artifacts.rows("evaluate") if row["model"] == "base"]
    if chosen:  # where the base itself was chosen, its answers are the trained model's
        rows += [{**row, "step": chosen} for row in artifacts.rows("evaluate") if row["model"] == "trained"]
    kept = {step: path for step, path in kept_checkpoints(plan, folder).items() if step not in (0, chosen)}
    for step, path in sorted(kept.items()):
        await ctx.models.release("trained")  # one at a time: each may need the whole device
        rows += await ask_checkpoint(ctx, path, step)
    models = {str(step): trained_identity(path) for step, path in sorted(kept.items())}
    _keep(artifacts, POST_HOC, rows, began, {"chosen": chosen, "models": models})


async def measure_few_shot(ctx: StageContext, artifacts: Artifacts) -> None:
    """Ask the base model behind demos and seal its answers; nothing where the task has none, or none that fits."""
    began = time.monotonic()
    await ctx.models.release("trained")  # one at a time, here too
    rows, demos = await ask_few_shot(ctx)
    await ctx.models.release("base")
    if not demos:
        return
    _keep(artifacts, FEW_SHOT, rows, began, {"demos": demos})


def _keep(artifacts: Artifacts, name: str, rows: list[Row], began: float, notes: dict[str, Any]) -> None:
    """Seal answers under the hash of the evaluation that they stand beside; those that never came have a code."""
    seal = artifacts.seal("evaluate") or {}
    artifacts.write(
        name,
        str(seal.get("hash")),
        [row for row in rows if "code" not in row],
        [row for row in rows if "code" in row],
        came_in=len(rows),
        seconds=time.monotonic() - began,
        notes=notes,
        versions=seal.get("versions", {}),
    )


def kept_checkpoints(plan: Plan, folder: RunFolder) -> dict[int, Path]:
    """Model folders of the last training by step: whole checkpoints that hold all weights, and the best look's.

    Adapters alone and shards cannot be served as they are, and are left out.
    """
    work = folder.root / named("train", plan.settings.rounds).replace("train", "training")
    found = {step_of(path): path for path in (work / "checkpoints").glob("checkpoint-*") if is_valid(path)}
    found |= {int(path.name.removeprefix("best-")): path for path in work.glob("best-*") if path.name[5:].isdigit()}
    return {step: path for step, path in sorted(found.items()) if step >= 0 and _is_whole(path)}


def _is_whole(path: Path) -> bool:
    return (path / "config.json").is_file() and any(path.glob("model*.safetensors"))
