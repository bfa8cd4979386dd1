"""Step 8: pass rates over L draws at a temperature above 0, for all of S_synth (paper section 4.3).

Also records label doubt: where the base model's own majority is an answer other than the voted label, the label is
suspect (ours; the paper trusts the vote).
"""

from __future__ import annotations

from sdrl.compiler.contract import for_score
from sdrl.stages.ballot import count_votes
from sdrl.stages.base_answers import arrived, base_request, judged
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a sample: {id, draws, correct, parsable, truncated, pass_rate, majority, label_doubt}."""
    settings = ctx.plan.settings.score
    generation = for_score(ctx.plan)
    model, name = await ctx.policy()

    async def one(row: Row) -> Row:
        request = base_request(ctx, row, generation, model=name, seed=ctx.plan.seed_for("score", row["id"]))
        replies, answers = await judged(ctx, model, request, row, settings.draws)
        if not answers:
            return {"id": row["id"], "code": "no_reply", "evidence": "no draw of the base model arrived"}
        ballot = count_votes(ctx.verifier, [answer["completion"] for answer in answers], row["options"])
        correct = sum(answer["verdict"] == "correct" for answer in answers)
        return {
            "id": row["id"],
            "draws": len(answers),
            "correct": correct,
            "parsable": ballot.n_parsable,
            "truncated": sum(reply.status == "truncated" for reply in replies if arrived(reply)),
            "errors": sum(answer["verdict"] == "error" for answer in answers),
            "pass_rate": round(correct / len(answers), 6),
            "majority": ballot.label,
            "label_doubt": ballot.label is not None and not ctx.verifier.same(ballot.label, row["gold"]),
            "request_key": request.key,
        }

    made = await ctx.each(ctx.samples(), one, limit=ctx.base_limit, unit="samples scored")
    rows = [row for row in made if "code" not in row]
    return StageOutput(rows, [row for row in made if "code" in row], {"draws": sum(row["draws"] for row in rows)})
