"""Step 1: K = I(D_example, I_des): search words for each part of the task (paper section 4.1, Algorithm 1 line 1).

Without a corpus, or under a method that reads no passages, there is nothing to search, and no request is sent; a list
in the spec is taken as it stands.
"""

from __future__ import annotations

from sdrl.compiler.method_use import reads_passages
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.schedule import KEYWORD_DEMOS, KEYWORD_TRIES
from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.asking import ask
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a part: {part, keywords}."""
    retrieve = ctx.plan.settings.retrieve
    if not reads_passages(ctx.plan):
        return StageOutput([{"part": part.name, "keywords": []} for part in ctx.plan.parts])
    if retrieve.keywords != "auto":
        given = list(retrieve.keywords)
        return StageOutput([{"part": part.name, "keywords": given} for part in ctx.plan.parts])
    rows = await ctx.each(ctx.plan.parts, lambda part: _ask(ctx, part), limit=16, unit="parts")
    return StageOutput(rows)


async def _ask(ctx: StageContext, part: PartPlan) -> Row:
    sampling = ctx.plan.settings.synthesize.sampling.resolved()
    seed = ctx.plan.seed_for("keywords", part.name)
    why = "no reply"
    for index in range(KEYWORD_TRIES):
        asked = await ask(
            ctx, "keywords", part, {"demos": part.demos[:KEYWORD_DEMOS]}, seed=seed, sampling=sampling, index=index
        )
        why = asked.why or asked.code
        words = [word.strip() for word in (asked.reply or {}).get("keywords", []) if word.strip()]
        if words:
            keys = {"keywords": asked.request_key}
            return {"part": part.name, "keywords": list(dict.fromkeys(words)), "request_keys": keys}
    raise SdrlError(
        "E860",
        f"the instructor gave no usable keywords for part '{part.name}' in {KEYWORD_TRIES} tries: {why}",
        help="write them yourself in the spec: retrieve: {keywords: [word, word]}",
    )
