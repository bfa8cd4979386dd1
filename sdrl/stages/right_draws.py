"""Rejection sampling for RFT: the base model's own right draws of the score stage, as completions to learn.

The draws lie in the request cache, from which the same request replays them, as many as scoring asked
for: nothing is asked anew. A draw counts when
its verdict is correct and it came to its end by itself; draws that differ in spacing alone are one. Source: arXiv
2308.01825 section 3.3. Our departure: distinct by text, where the paper compares equations, which most tasks lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sdrl.compiler.contract import for_score
from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.base_answers import base_request, judged
from sdrl.stages.context import Row, StageContext
from sdrl.stages.training_rows import training_row


async def right_draws(ctx: StageContext, samples: Sequence[Row], per_sample: int) -> list[dict[str, Any]]:
    """Rows {id, prompt, gold, options, completion}, at most ``per_sample`` a sample, in the order of the draws.

    A sample without a right draw (``select.never_solved: last``) gives none. Raises: `SdrlError` E864 when all do.
    """
    generation = for_score(ctx.plan)
    model, name = await ctx.policy()

    async def one(row: Row) -> list[dict[str, Any]]:
        request = base_request(ctx, row, generation, model=name, seed=ctx.plan.seed_for("score", row["id"]))
        _, answers = await judged(ctx, model, request, row, range(row["asked"]))
        right = [answer for answer in answers if answer["verdict"] == "correct" and answer["finish_reason"] != "length"]
        texts = distinct([answer["completion"] for answer in right])[:per_sample]
        asked = training_row(ctx, row)
        return [{**asked, "id": f"{row['id']}:{number}", "completion": text} for number, text in enumerate(texts)]

    made = await ctx.each(samples, one, limit=ctx.base_limit, unit="samples replayed")
    await ctx.models.release("base" if ctx.round == 1 else "trained")
    rows = [row for rows in made for row in rows]
    if not rows:
        raise SdrlError(
            "E864",
            f"none of the {len(samples)} selected samples has a right draw to learn from",
            help="select solvable samples (select.never_solved: drop), or train with grpo",
        )
    return rows


def distinct(texts: Sequence[str]) -> list[str]:
    """The texts without those that repeat an earlier one but for spacing."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(" ".join(text.split()), text)
    return list(first.values())
