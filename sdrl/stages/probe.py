"""Step 6: greedy M_base on S_initial splits it into solved and unsolved (paper section 4.2, Algorithm 1 line 6).

A base model that hardly ever gives a readable answer ends the run here, before the expensive stages
(``probe.min_parsable``).
"""

from __future__ import annotations

from sdrl.compiler.contract import for_probe
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.base_answers import base_request, judged, share
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a sample: {id, solved, completion, prediction, verdict, reason, finish_reason}."""
    generation = for_probe(ctx.plan)
    model = await ctx.models.base()
    name = ctx.plan.identities["base"]

    async def one(row: Row) -> Row:
        request = base_request(ctx, row, generation, model=name, seed=ctx.plan.seed_for("probe", row["id"]))
        _, answers = await judged(ctx, model, request, row, 1)
        if not answers:
            return {"id": row["id"], "code": "no_reply", "evidence": "the base model's reply never arrived"}
        return {"id": row["id"], "solved": answers[0]["verdict"] == "correct", **answers[0]}

    made = await ctx.each(ctx.rows("vote"), one, limit=ctx.base_limit, unit="probes")
    rows = [row for row in made if "code" not in row]
    parsable = 1.0 - share(rows, "unparsable") - share(rows, "error")
    wanted = ctx.plan.settings.probe.min_parsable
    if parsable < wanted:
        sample = next((row["completion"] for row in rows if row["verdict"] == "unparsable"), "")
        raise SdrlError(
            "E865",
            f"only {parsable:.1%} of the base model's greedy answers can be read (probe.min_parsable is {wanted:.0%}); "
            f"one of them: {sample[:160]!r}",
            help="name the form in task.output_format, show two demos in prompts.answer, set models.base.stop, "
            "or use prompt: chat for an instruct model",
            exit=Exit.GATE,
        )
    notes = {"parsable": round(parsable, 6), "solved": sum(bool(row["solved"]) for row in rows)}
    return StageOutput(rows, [row for row in made if "code" in row], notes)
