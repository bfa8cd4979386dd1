"""Vectors of texts from ``models.embedder``, where a filter compares by them.

One request a text, answered from the request cache where it was asked before; a text whose vector never came has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sdrl.models.request import Request
from sdrl.stages.context import StageContext

UNIT = "embeddings"
EMBEDS = ("embedding", "decontaminate_embedding")


def compares_vectors(ctx: StageContext) -> bool:
    """Whether a filter of the spec needs vectors."""
    return any(step.is_on and step.name in EMBEDS for step in ctx.plan.settings.filter)


async def vectors_of(ctx: StageContext, texts: Iterable[str]) -> dict[str, list[float]]:
    """By text."""
    wanted = list(dict.fromkeys(texts))
    model = await ctx.models.embedder()

    async def one(text: str) -> list[float] | None:
        request = Request(
            kind="embed",
            model=ctx.plan.identities["embedder"],
            messages=None,
            prompt=text,
            sampling={"max_tokens": 0},
            schema_name=None,
            schema=None,
            seed=0,
            accept_truncated=False,
        )
        draw = (await model.draw(request, [0]))[0]
        return [float(each) for each in json.loads(draw.text)] if draw.status == "ok" else None

    made = await ctx.each(wanted, one, limit=ctx.instructor_limit, unit=UNIT)
    return {text: vector for text, vector in zip(wanted, made, strict=True) if vector is not None}
