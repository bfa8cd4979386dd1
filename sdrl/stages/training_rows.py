"""Rows as the training process reads them: the exact prompt, the gold, the options, and the completion to learn."""

from __future__ import annotations

from typing import Any

from sdrl.stages.context import Row, StageContext


def training_row(ctx: StageContext, row: Row) -> dict[str, Any]:
    """One selected sample as {id, prompt, gold, options, completion?}: the completion is the voted solution."""
    prompt = ctx.prompts.answer(ctx.part(row["part"]), row["input"], row["options"])
    made = {"id": row["id"], "prompt": prompt, "gold": row["gold"], "options": row["options"]}
    if row["solution"]:
        made["completion"] = row["solution"]
    return made
