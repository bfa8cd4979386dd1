"""How the base model is asked, one way for probe, score and evaluation: the same prompt bytes, stop strings and limits.

A truncated completion is an ordinary draw here (it is judged, and counted as truncated), never a failed one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.compiler.contract import Generation
from sdrl.compiler.sample import Sample
from sdrl.models.model import Model
from sdrl.models.request import Draw, Request
from sdrl.stages.context import Row, StageContext


def base_request(
    ctx: StageContext,
    row: Mapping[str, Any],
    generation: Generation,
    *,
    model: str,
    seed: int,
    demos: Sequence[Sample] = (),
) -> Request:
    """The request that asks a model (base or trained) for an answer to the row's input, behind ``demos`` if any."""
    part = ctx.part(row["part"])
    return Request(
        kind="answer",
        model=model,
        messages=None,
        prompt=ctx.prompts.answer_after(part, demos, row["input"], row["options"]),
        sampling=generation.sampling(),
        schema_name=None,
        schema=None,
        seed=seed,
        accept_truncated=True,
    )


async def judged(
    ctx: StageContext, model: Model, request: Request, row: Mapping[str, Any], indices: range
) -> tuple[list[Draw], list[Row]]:
    """The draws ``indices``, and each judged: rows {completion, prediction, verdict, reason, finish_reason}."""
    replies = await model.draw(request, indices)
    texts = [reply.text for reply in replies if arrived(reply)]
    asked = [(text, row["gold"], row["options"]) for text in texts]
    # mathematics is judged by worker processes, seconds a batch: off the event loop, which has servers to listen to
    is_slow = ctx.plan.settings.answer.type in ("math", "program")
    verdicts = await asyncio.to_thread(ctx.verifier.judge_many, asked) if is_slow else ctx.verifier.judge_many(asked)
    rows = [
        {
            "completion": reply.text,
            "prediction": verdict.prediction,
            "verdict": verdict.verdict,
            "reason": verdict.reason,
            "finish_reason": reply.finish_reason,
        }
        for reply, verdict in zip((reply for reply in replies if arrived(reply)), verdicts, strict=True)
    ]
    return list(replies), rows


def arrived(reply: Draw) -> bool:
    """Whether the draw holds a completion to judge."""
    return reply.status in ("ok", "truncated")


def share(rows: Sequence[Mapping[str, Any]], verdict: str) -> float:
    """Share of rows with this verdict; 0 for none."""
    return sum(row["verdict"] == verdict for row in rows) / len(rows) if rows else 0.0
