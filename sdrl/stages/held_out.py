"""Which samples are sealed off for validation (ours): decided by passage, demo and parent, before anything is scored.

No adapted form of a training sample, no other form of its demo, and no other sample of its passage sits in validation.
A sealed sample competes for no place among those that train.
"""

from __future__ import annotations

from sdrl.compiler.method_use import demo_of
from sdrl.stages.context import Row, StageContext


def held_out(ctx: StageContext) -> set[str]:
    """The ids of the sealed samples, among all that are written so far."""
    samples = {row["id"]: row for row in ctx.samples()}
    return {id_ for id_, row in samples.items() if _is_held_out(ctx, row, samples)}


def _is_held_out(ctx: StageContext, row: Row, samples: dict[str, Row]) -> bool:
    validate = ctx.plan.settings.validate_
    root = row
    while root["parent"]:
        root = samples[root["parent"]]
    group = demo_of(root) or (root["passage"] if validate.by == "passage" and root["passage"] else root["id"])
    return ctx.plan.seed_for("validation", group) < validate.share * 2**31
