"""The two ways in which several stages ask the instructor: for a new example (a JSON reply) and for a vote.

Both return rows or reasons, never raise for one bad reply, and are pure functions of the plan, the attempt and the
replies, so that a replay through the request cache gives the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.compiler.method_use import demo_of
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.replies import ReplyError, parse_reply, reply_schema
from sdrl.compiler.sample import carried_options, sample_id
from sdrl.compiler.schedule import vote_wave
from sdrl.models.request import Draw, Request
from sdrl.stages.ballot import Rules, count_votes, draws_to_settle
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
    """Ask for one example with the prompt ``harder`` or ``easier``; one draw."""
    asked = await ask(ctx, prompt, part, values, seed=seed, sampling=sampling)
    if asked.reply is None:
        return Written(None, asked.code, asked.why)
    return example_of(ctx, part, asked.reply, asked.prompt_hash, {prompt: asked.request_key})


def example_of(
    ctx: StageContext, part: PartPlan, reply: Mapping[str, Any], prompt_hash: str, request_keys: Mapping[str, str]
) -> Written:
    """The row of a written sample, or why it is none: its output must hold an answer."""
    options = carried_options(ctx.plan.settings.answer.type, reply["input"], reply.get("options"))
    if ctx.verifier.extract(reply["output"], options).prediction is None:
        return Written(None, "no_answer", reply["output"][:200])
    row = {
        "part": part.name,
        "input": reply["input"],
        "output": reply["output"],
        "options": options,
        "prompt_hash": prompt_hash,
        "request_keys": dict(request_keys),
    }
    return Written(row)


async def vote_on(ctx: StageContext, row: Mapping[str, Any]) -> tuple[Row, str | None]:
    """Sample up to ``vote.draws`` answers to the row's input and label it by majority.

    Returns the row with gold, solution, votes and agreement, and the code of why it is dropped, or None when it stays.
    Under ``vote.stop_early`` draws go out in waves and end when the outcome is settled (``draws_to_settle``): gold,
    solution and code are those of all draws, while ``votes``, ``n_draws``, ``n_parsable`` and ``agreement`` (votes for
    the label over ``n_draws``) speak of the draws that were made.

    A form of a demo has a known answer, that of its output: another label drops it (``against_known``), and the output
    is the solution.
    """
    vote = ctx.plan.settings.vote
    rules = Rules(vote.tie, vote.min_agreement)
    request = _vote_request(ctx, row)
    generated: list[str] = [row["output"]] if vote.include_generated else []
    draws = await _draws(ctx, request, row, generated, rules)
    texts = [*_texts(draws), *generated]
    luck = random.Random(ctx.plan.seed_for("tie", row["id"])).random() if vote.tie == "random" else 0.0
    ballot = count_votes(ctx.verifier, texts, row["options"], tie=vote.tie, luck=luck)
    solution = texts[ballot.winner] if ballot.winner is not None else None
    problem = rules.problem(ballot)
    if demo_of(row) is not None and ballot.label is not None:
        solution = row["output"]
        known = ctx.verifier.extract(solution, row["options"]).prediction
        if problem is None and not (known is not None and ctx.verifier.same(ballot.label, known)):
            problem = "against_known"
    voted = {
        **row,
        "gold": ballot.label,
        "solution": solution,
        "votes": ballot.votes,
        "agreement": round(ballot.agreement, 6),
        "n_draws": ballot.n_draws,
        "n_parsable": ballot.n_parsable,
        "request_keys": {**row["request_keys"], "solve": draws[0].request_key},
    }
    return voted, problem


def _vote_request(ctx: StageContext, row: Mapping[str, Any]) -> Request:
    return Request(
        kind="solve",
        model=ctx.plan.identities["instructor"],
        messages=ctx.prompts.messages("solve", ctx.part(row["part"]), input=row["input"], options=row["options"]),
        prompt=None,
        sampling=ctx.plan.settings.vote.sampling.resolved(),
        schema_name=None,
        schema=None,
        seed=ctx.plan.seed_for("vote", row["id"]),
        accept_truncated=False,
    )


async def _draws(
    ctx: StageContext, request: Request, row: Mapping[str, Any], generated: Sequence[str], rules: Rules
) -> list[Draw]:
    """All draws, or with ``stop_early`` the fewest waves of them that settle the vote.

    A wave depends on the plan and on the replies before it in draw order, so that equal replies give equal rows.
    """
    vote, model = ctx.plan.settings.vote, await ctx.models.instructor()
    if not vote.stop_early:
        return await model.draw(request, range(vote.draws))
    draws: list[Draw] = []
    waves = 0
    while left := vote.draws - len(draws):
        needed = draws_to_settle(ctx.verifier, _texts(draws), generated, row["options"], left=left, rules=rules)
        if not needed:
            break
        draws += await model.draw(request, range(len(draws), len(draws) + vote_wave(waves, needed, left)))
        waves += 1
    return draws


def _texts(draws: Sequence[Draw]) -> list[str | None]:
    return [draw.text if draw.status == "ok" else None for draw in draws]


def named(row: Row, parents: tuple[str, ...]) -> Row:
    """The row with its id: a hash of content and parents."""
    return {**row, "id": sample_id(row["input"], row["options"], parents)}
