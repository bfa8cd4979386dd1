"""What the instructor says of a written sample where a filter needs it: a grade (``judge``), tags (``tags``).

One request a filter and sample, at temperature 0 where the endpoint takes one; a reply that cannot be read is None, and
the sample stays. Pure in the sense of ``asking``: a replay through the request cache gives the same remarks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.sample import Sample
from sdrl.spec.stage_keys import ASKING
from sdrl.stages.asking import ask
from sdrl.stages.context import Row, StageContext


def asked_about(ctx: StageContext) -> tuple[str, ...]:
    """The prompts that the spec's filters need about each sample, in their order."""
    steps = [step.name for step in ctx.plan.settings.filter if step.is_on and step.name in ASKING]
    return tuple(dict.fromkeys(ASKING[name] for name in steps))


async def remarked(ctx: StageContext, row: Mapping[str, Any]) -> Row:
    """The voted row with ``grade`` ({score, reason}) and ``tags`` (texts), as far as filters ask for them."""
    made = dict(row)
    sampling = ctx.plan.settings.synthesize.sampling.resolved()
    if sampling["temperature"] is not None:
        sampling = {**sampling, "temperature": 0.0}
    sample = Sample(row["input"], row["solution"] or row["output"], row["options"])
    for prompt in asked_about(ctx):
        seed = ctx.plan.seed_for(prompt, row["id"])
        asked = await ask(ctx, prompt, ctx.part(row["part"]), {"sample": sample}, seed=seed, sampling=sampling)
        made["request_keys"] = {**made["request_keys"], prompt: asked.request_key}
        if prompt == "judge":
            made["grade"] = asked.reply
        else:
            made["tags"] = asked.reply["tags"] if asked.reply else None
    return made
