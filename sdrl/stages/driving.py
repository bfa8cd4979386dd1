"""Asking what a synthesis method yields, request by request, through the cache like every other request.

A request's seed follows from its prompt and the attempt, or from its prompt and ``key`` where several attempts share
it; so a stopped run asks the same again and gets the replies that it has. Makes no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sdrl.compiler.plan import PartPlan
from sdrl.methods import Attempt, Draft, Example, Refusal, Reply, Writing
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.stages.asking import Asked, ask
from sdrl.stages.context import StageContext


@dataclass
class Made:
    """What an attempt came to: its example, or the code and text of why there is none; and what was asked for it."""

    example: Example | None = None
    code: str = ""
    evidence: str = ""
    prompt_hash: str = ""
    request_keys: dict[str, str] = field(default_factory=dict)


async def driven(ctx: StageContext, writing: Writing, attempt: Attempt) -> Made:
    """Ask what ``writing`` yields until it returns; an unreadable reply ends it, but where its draft may fail."""
    made = Made()
    reply: Reply | None = None
    while True:
        try:
            draft = next(writing) if reply is None else writing.send(reply)
        except StopIteration as end:
            return _ended(made, end.value)
        asked = await _ask(ctx, draft, attempt.part, attempt.index if draft.key is None else draft.key)
        made.prompt_hash = asked.prompt_hash
        made.request_keys[_unused(draft.prompt, made.request_keys)] = asked.request_key
        if asked.reply is None and not draft.may_fail:
            writing.close()
            made.code, made.evidence = asked.code, asked.why
            return made
        reply = asked.reply or {}


def _unused(prompt: str, keys: Mapping[str, str]) -> str:
    """A name for one more request of a prompt: ``concepts``, ``concepts-2``, …"""
    count = sum(name == prompt or name.startswith(f"{prompt}-") for name in keys)
    return f"{prompt}-{count + 1}" if count else prompt


def _ended(made: Made, outcome: Example | Refusal) -> Made:
    if isinstance(outcome, Refusal):
        made.code, made.evidence = outcome.code, outcome.evidence
    else:
        made.example = outcome
    return made


async def _ask(ctx: StageContext, draft: Draft, part: PartPlan, owner: str | int) -> Asked:
    """The first reply that can be read, of as many as the step may ask for; else the last one."""
    synthesize = ctx.plan.settings.synthesize
    sampling, seed = synthesize.sampling.resolved(), ctx.plan.seed_for(draft.prompt, owner)
    tries = METHOD_TABLE[synthesize.method].step(draft.prompt).tries
    for index in range(tries):
        asked = await ask(ctx, draft.prompt, part, draft.values, seed=seed, sampling=sampling, index=index)
        if asked.reply is not None:
            break
    return asked
