"""Step 11: accuracy of base and trained model on the declared evaluation sets, which nothing before has read.

Every answer is a row, so that each figure of the report can be recomputed. The base model is measured while its server
is up for scoring (``ask_base``): the answers go into the request cache, and this stage replays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sdrl.compiler.contract import for_evaluation
from sdrl.compiler.plan import EvaluationPlan
from sdrl.models.model import Model
from sdrl.stages.base_answers import arrived, base_request, judged
from sdrl.stages.context import Row, StageContext, StageOutput, trained_folder, trained_identity
from sdrl.stages.few_shot import demos_for, demos_that_fit
from sdrl.stages.leniently import also_leniently, lenient_verifier


async def run(ctx: StageContext) -> StageOutput:
    """Rows {set, shift, problem, run, model, gold, completion, prediction, verdict, reason, finish_reason, lenient}.

    ``lenient`` only where the task has a lenient reading.
    """
    if not ctx.plan.evaluations:
        return StageOutput([])
    rows = await ask_base(ctx)
    folder = trained_folder(ctx.run_dir)
    identity = trained_identity(folder)
    await ctx.models.release("base")
    rows += await _ask_all(ctx, await ctx.models.trained(folder, identity), identity, "trained")
    lost = [row for row in rows if "code" in row]
    return StageOutput([row for row in rows if "code" not in row], lost)


async def ask_base(ctx: StageContext) -> list[Row]:
    """The base model's answers to every evaluation problem."""
    return await _ask_all(ctx, await ctx.models.base(), ctx.plan.identities["base"], "base")


async def ask_checkpoint(ctx: StageContext, folder: Path, step: int) -> list[Row]:
    """Answers of a checkpoint to every problem, as rows of ``run`` with ``step``; those that never came have a code."""
    identity = trained_identity(folder)
    rows = await _ask_all(ctx, await ctx.models.trained(folder, identity), identity, f"step {step}")
    return [{**row, "step": step} for row in rows]


async def ask_few_shot(ctx: StageContext) -> tuple[list[Row], dict[str, int]]:
    """The base model's answers behind demos, as rows of ``run``; how many demos at most each set's problems have."""
    rows: list[Row] = []
    shown = {evaluation.name: demos_that_fit(ctx, evaluation) for evaluation in ctx.plan.evaluations}
    for evaluation in ctx.plan.evaluations:
        if most := shown[evaluation.name]:
            model, identity = await ctx.models.base(), ctx.plan.identities["base"]
            rows += await _ask_set(ctx, evaluation, model, identity, "few-shot", most)
    return rows, {name: most for name, most in shown.items() if most}


async def _ask_all(ctx: StageContext, model: Model, identity: str, which: str) -> list[Row]:
    rows: list[Row] = []
    for evaluation in ctx.plan.evaluations:
        rows += await _ask_set(ctx, evaluation, model, identity, which)
    return rows


async def _ask_set(
    ctx: StageContext, evaluation: EvaluationPlan, model: Model, identity: str, which: str, demos: int = 0
) -> list[Row]:
    generation = for_evaluation(ctx.plan, evaluation)
    problems = ctx.evaluation_rows(evaluation)
    lenient = lenient_verifier(ctx.plan.verifier)

    async def one(problem: Row) -> Sequence[Row]:
        row = {"part": problem.get("part") or ctx.plan.parts[0].name, **problem}
        row.setdefault("options", None)
        seed = ctx.plan.seed_for("evaluate", evaluation.name, problem["id"])
        worked = demos_for(ctx, row, demos)
        request = base_request(ctx, row, generation, model=identity, seed=seed, demos=worked)
        replies, answers = await judged(ctx, model, request, row, range(evaluation.runs))
        answers = await also_leniently(lenient, row, answers)
        about = {"set": evaluation.name, "shift": evaluation.shift, "problem": problem["id"], "model": which}
        came = [reply.index for reply in replies if arrived(reply)]
        rows = [{**about, "run": run, "gold": problem["gold"], **made} for run, made in zip(came, answers, strict=True)]
        lost = [reply for reply in replies if not arrived(reply)]
        return rows + [{**about, "run": reply.index, "code": "no_reply", "evidence": reply.reason} for reply in lost]

    unit = f"{which} answers to {evaluation.name}"
    made = await ctx.each(problems, one, limit=ctx.base_limit, unit=unit)
    return [row for rows in made for row in rows]
