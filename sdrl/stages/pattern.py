"""Step 3: the instructor summarises the general pattern of the demos (paper section 4.1, Table 1; Algorithm 1 line 3).

Only with demos, and only where ``synthesize.pattern`` asks for it and the method uses it: without demos neither pattern
nor demos appear in any prompt.
"""

from __future__ import annotations

from sdrl.compiler.method_use import asks_pattern
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.schedule import PATTERN_DEMOS
from sdrl.stages.asking import ask
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a part: {part, pattern}; pattern is null where there are no demos."""
    parts = [part for part in ctx.plan.parts if part.demos and asks_pattern(ctx.plan)]
    asked = {row["part"]: row for row in await ctx.each(parts, lambda part: _ask(ctx, part), limit=16, unit="parts")}
    return StageOutput([asked.get(part.name, {"part": part.name, "pattern": None}) for part in ctx.plan.parts])


async def _ask(ctx: StageContext, part: PartPlan) -> Row:
    sampling = ctx.plan.settings.synthesize.sampling.resolved()
    seed = ctx.plan.seed_for("pattern", part.name)
    asked = await ask(ctx, "pattern", part, {"demos": part.demos[:PATTERN_DEMOS]}, seed=seed, sampling=sampling)
    if asked.reply is None:
        ctx.warn(
            "W860", f"the instructor gave no usable pattern for part '{part.name}'; its demos are used without one"
        )
    pattern = asked.reply["pattern"] if asked.reply else None
    return {"part": part.name, "pattern": pattern, "request_keys": {"pattern": asked.request_key}}
