"""Which demos stand before a test problem where the base model is asked with worked examples: the few-shot baseline.

At most ``MOST``, the first of the problem's part, as many as leave room for the reply in the model's context where that
is known. Asks nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdrl.compiler.contexts import context_of
from sdrl.compiler.contract import for_evaluation
from sdrl.compiler.plan import EvaluationPlan
from sdrl.compiler.sample import Sample
from sdrl.models.weights import weights_of
from sdrl.stages.context import Row, StageContext

MOST = 4
CHARACTERS_A_TOKEN = 2.5  # fewer than tokenizers of models make of English: rather a demo too few than a refusal


def demos_for(ctx: StageContext, row: Row, most: int) -> Sequence[Sample]:
    """The demos before one problem; never the problem itself."""
    return [demo for demo in ctx.part(row["part"]).demos if demo.input != row["input"]][:most]


def demos_that_fit(ctx: StageContext, evaluation: EvaluationPlan) -> int:
    """The most demos with which every problem of a set still leaves room for its reply; 0 where there are none."""
    models = ctx.plan.settings.models
    most = min(MOST, max(len(part.demos) for part in ctx.plan.parts))
    if models is None or not most:
        return 0
    folder = weights_of(models.base.model, ctx.plan.identities["base"], ctx.plan.base_dir).folder
    context = context_of(models.base.model, folder)
    if context is None:
        return most
    room = context - for_evaluation(ctx.plan, evaluation).max_tokens
    problems = [{"part": ctx.plan.parts[0].name, "options": None, **row} for row in ctx.evaluation_rows(evaluation)]
    longest = max(problems, key=lambda row: len(row["input"]), default=None)
    if longest is None:
        return 0

    def fits(count: int) -> bool:
        part = ctx.part(longest["part"])
        text = ctx.prompts.answer_after(part, demos_for(ctx, longest, count), longest["input"], longest["options"])
        return len(text) / CHARACTERS_A_TOKEN <= room

    return next((count for count in range(most, 0, -1) if fits(count)), 0)
