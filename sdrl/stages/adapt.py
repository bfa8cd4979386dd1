"""Step 7: S_harder from the solved, S_easier from the unsolved, each verified as in the vote (paper section 4.2).

The writer sees the one sample and nothing else: not its votes, not the base model's answers.
"""

from __future__ import annotations

from sdrl.compiler.sample import Sample
from sdrl.stages.asking import Written, named, write_example
from sdrl.stages.context import Row, StageContext, StageOutput
from sdrl.stages.vote import filter_state, vote_and_filter


async def run(ctx: StageContext) -> StageOutput:
    """Rows as of the vote stage, with origin ``harder`` or ``easier`` and the parent's id."""
    adapt = ctx.plan.settings.adapt
    if adapt.rounds == 0 or not (adapt.harder or adapt.easier):
        return StageOutput([])
    solved = {row["id"]: bool(row["solved"]) for row in ctx.rows("probe")}
    initial = [row for row in ctx.newest() if row["id"] in solved]
    wanted = [(row, "harder" if solved[row["id"]] else "easier") for row in initial]
    wanted = [(row, way) for row, way in wanted if (adapt.harder if way == "harder" else adapt.easier)]
    limit = ctx.instructor_limit
    written = await ctx.each(wanted, lambda pair: _rewrite(ctx, *pair), limit=limit, unit="rewrites")
    dropped = [
        {"parent": row["id"], "origin": way, "code": example.code, "evidence": example.evidence}
        for (row, way), example in zip(wanted, written, strict=True)
        if example.row is None
    ]
    rows = [example.row for example in written if example.row is not None]
    state = await filter_state(ctx, ctx.samples())
    kept, lost = await vote_and_filter(ctx, rows, state)
    return StageOutput(kept, dropped + lost, {"harder": _count(kept, "harder"), "easier": _count(kept, "easier")})


async def _rewrite(ctx: StageContext, row: Row, way: str) -> Written:
    sample = Sample(row["input"], row["solution"] or row["output"], row["options"])
    seed = ctx.plan.seed_for(way, row["id"])
    sampling = ctx.plan.settings.synthesize.sampling.resolved()
    example = await write_example(ctx, way, ctx.part(row["part"]), {"sample": sample}, seed=seed, sampling=sampling)
    if example.row is None:
        return example
    adapted = {**example.row, "origin": way, "parent": row["id"], "passage": row["passage"], "attempt": None}
    return Written(named(adapted, (row["id"], way)))


def _count(rows: list[Row], origin: str) -> int:
    return sum(row["origin"] == origin for row in rows)
