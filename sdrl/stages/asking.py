"""The two ways in which several stages ask the instructor: for a new example (a JSON reply) and for a vote.

Both return rows or reasons, never raise for one bad reply, and are pure functions of the plan, the attempt and the
replies, so that a replay through the request cache gives the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.replies import ReplyError, parse_reply, reply_schema
from sdrl.compiler.sample import carried_options, sample_id
from sdrl.models.request import Request
from sdrl.stages.ballot import Ballot, count_votes
from sdrl.stages.context import Row, StageContext, prompt_hash


@dataclass(frozen=True)
class Asked:
    """A parsed reply, or the code and text of why there is none."""

    reply: dict[str, Any] | None
    request_key: str
    prompt_hash: str
    code: str = ""
    why: str = ""


async def ask(
    ctx: StageContext,
    prompt: str,
    part: PartPlan,
    values: Mapping[str, Any],
    *,
    seed: int,
    sampling: Mapping[str, Any],
    index: int = 0,
) -> Asked:
    """Send one prompt to the instructor, draw ``index``, and parse the JSON reply its schema asks for."""
    answer = ctx.plan.settings.answer
    messages = ctx.prompts.messages(prompt, part, **values)
    named = reply_schema(prompt, answer)
    request = Request(
        kind=prompt,
        model=ctx.plan.identities["instructor"],
        messages=messages,
        prompt=None,
        sampling=dict(sampling),
        schema_name=named[0] if named else None,
        schema=named[1] if named else None,
        seed=seed,
        accept_truncated=False,
    )
    draw = (await (await ctx.models.instructor()).draw(request, [index]))[0]
    sent = prompt_hash(messages)
    if draw.status != "ok":
        return Asked(None, draw.request_key, sent, draw.status, draw.reason)
    try:
        return Asked(parse_reply(prompt, answer, draw.text), draw.request_key, sent)
    except ReplyError as error:
        return Asked(None, draw.request_key, sent, error.code, str(error))


@dataclass(frozen=True)
class Written:
    """One example as the instructor wrote it, or the code and text of why there is none."""

    row: Row | None
    code: str = ""
    evidence: str = ""


async def write_example(
    ctx: StageContext, prompt: str, part: PartPlan, values: Mapping[str, Any], *, seed: int, sampling: Mapping[str, Any]
) -> Written:
    """Ask for one example with the prompt ``generate``, ``harder`` or ``easier``; one draw."""
    asked = await ask(ctx, prompt, part, values, seed=seed, sampling=sampling)
    if asked.reply is None:
        return Written(None, asked.code, asked.why)
    options = carried_options(ctx.plan.settings.answer.type, asked.reply["input"], asked.reply.get("options"))
    if ctx.verifier.extract(asked.reply["output"], options).prediction is None:
        return Written(None, "no_answer", asked.reply["output"][:200])
    row = {
        "part": part.name,
        "input": asked.reply["input"],
        "output": asked.reply["output"],
        "options": options,
        "prompt_hash": asked.prompt_hash,
        "request_keys": {prompt: asked.request_key},
    }
    return Written(row)


async def vote_on(ctx: StageContext, row: Mapping[str, Any]) -> tuple[Row, str | None]:
    """Sample ``vote.draws`` answers to the row's input and label it by majority.

    Returns the row with gold, solution, votes and agreement, and the code of why it is dropped, or None when it stays.
    """
    vote = ctx.plan.settings.vote
    part = ctx.part(row["part"])
    messages = ctx.prompts.messages("solve", part, input=row["input"], options=row["options"])
    request = Request(
        kind="solve",
        model=ctx.plan.identities["instructor"],
        messages=messages,
        prompt=None,
        sampling=vote.sampling.resolved(),
        schema_name=None,
        schema=None,
        seed=ctx.plan.seed_for("vote", row["id"]),
        accept_truncated=False,
    )
    draws = await (await ctx.models.instructor()).draw(request, range(vote.draws))
    texts: list[str | None] = [draw.text if draw.status == "ok" else None for draw in draws]
    if vote.include_generated:
        texts.append(row["output"])
    luck = random.Random(ctx.plan.seed_for("tie", row["id"])).random() if vote.tie == "random" else None
    ballot = count_votes(ctx.verifier, texts, row["options"], tie=vote.tie, luck=luck or 0.0)
    voted = {
        **row,
        "gold": ballot.label,
        "solution": texts[ballot.winner] if ballot.winner is not None else None,
        "votes": ballot.votes,
        "agreement": round(ballot.agreement, 6),
        "n_draws": ballot.n_draws,
        "n_parsable": ballot.n_parsable,
        "request_keys": {**row["request_keys"], "solve": draws[0].request_key},
    }
    return voted, _vote_problem(ballot, vote.min_agreement)


def _vote_problem(ballot: Ballot, min_agreement: float | None) -> str | None:
    if ballot.is_tie and ballot.label is None:
        return "vote_tie"
    if ballot.label is None:
        return "vote_unparsable"
    if min_agreement is not None and ballot.agreement < min_agreement:
        return "low_agreement"
    return None


def named(row: Row, parents: tuple[str, ...]) -> Row:
    """The row with its id: a hash of content and parents."""
    return {**row, "id": sample_id(row["input"], row["options"], parents)}
