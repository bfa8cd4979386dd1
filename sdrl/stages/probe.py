"""Step 6: greedy M_base on S_initial splits it into solved and unsolved (paper section 4.2, Algorithm 1 line 6).

A base model that hardly ever gives a readable answer ends the run behind this stage, before the expensive ones
(``run.readiness``).
"""

from __future__ import annotations

from sdrl.compiler.contract import for_probe
from sdrl.stages.base_answers import base_request, judged, share
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a sample: {id, solved, completion, prediction, verdict, reason, finish_reason}."""
    generation = for_probe(ctx.plan)
    model, name = await ctx.policy()

    async def one(row: Row) -> Row:
        request = base_request(ctx, row, generation, model=name, seed=ctx.plan.seed_for("probe", row["id"]))
        _, answers = await judged(ctx, model, request, row, range(1))
        if not answers:
            return {"id": row["id"], "code": "no_reply", "evidence": "the base model's reply never arrived"}
        return {"id": row["id"], "solved": answers[0]["verdict"] == "correct", **answers[0]}

    made = await ctx.each(ctx.newest(), one, limit=ctx.base_limit, unit="probes")
    rows = [row for row in made if "code" not in row]
    parsable = 1.0 - share(rows, "unparsable") - share(rows, "error")
    notes = {"parsable": round(parsable, 6), "solved": sum(bool(row["solved"]) for row in rows)}
    return StageOutput(rows, [row for row in made if "code" in row], notes)
