"""Step 8: pass rates over L draws at a temperature above 0, for all of S_synth (paper section 4.3).

Under ``score.adaptive`` a sample gets draws in rounds, and no more once its place among those that train is settled
(``compiler.adaptive``); a sample that is sealed off for validation competes for none, and gets those of the first
round. A round is decided when every draw before it has been judged, from the plan and these draws alone: a replay
through the request cache takes the same decisions.

Also records label doubt: where the base model's own majority is an answer other than the voted label, the label is
suspect (ours; the paper trusts the vote; ``select.doubted`` says what follows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sdrl.compiler.adaptive import Standing, further_draws
from sdrl.compiler.contract import for_score
from sdrl.compiler.schedule import score_wave
from sdrl.models.model import Model
from sdrl.models.request import Request
from sdrl.stages.ballot import Ballot, count_predictions
from sdrl.stages.base_answers import arrived, base_request, judged
from sdrl.stages.context import Row, StageContext, StageOutput
from sdrl.stages.held_out import held_out


@dataclass
class _Sample:
    """One sample's draws so far: of each that arrived its prediction and verdict, no completion."""

    row: Row
    request: Request
    asked: int = 0
    truncated: int = 0
    predictions: list[str | None] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    @property
    def correct(self) -> int:
        """Right draws."""
        return self.verdicts.count("correct")


async def run(ctx: StageContext) -> StageOutput:
    """One row a sample: {id, asked, draws, correct, parsable, truncated, errors, pass_rate, majority, label_doubt}.

    ``asked``: draws asked for; ``draws``: those that arrived, over which ``pass_rate`` is the share of right ones.
    """
    generation = for_score(ctx.plan)
    model, name = await ctx.policy()
    samples = [
        _Sample(row, base_request(ctx, row, generation, model=name, seed=ctx.plan.seed_for("score", row["id"])))
        for row in ctx.samples()
    ]
    rounds = await (_in_rounds if ctx.plan.settings.score.adaptive else _at_once)(ctx, model, samples)
    made = [_row(ctx, sample) for sample in samples]
    rows = [row for row in made if "code" not in row]
    notes = {"draws": sum(row["draws"] for row in rows), "rounds": rounds}
    return StageOutput(rows, [row for row in made if "code" in row], notes)


async def _at_once(ctx: StageContext, model: Model, samples: Sequence[_Sample]) -> int:
    draws = ctx.plan.settings.score.draws
    await _draw(ctx, model, samples, [draws] * len(samples), "samples scored")
    return 1


async def _in_rounds(ctx: StageContext, model: Model, samples: Sequence[_Sample]) -> int:
    draws, select = ctx.plan.settings.score.draws, ctx.plan.settings.select
    sealed = held_out(ctx)
    ties = {sample.row["id"]: ctx.plan.seed_for("tie", sample.row["id"]) / 2**31 for sample in samples}
    await _draw(ctx, model, samples, [score_wave(draws)] * len(samples), "samples scored")
    competing = [sample for sample in samples if sample.row["id"] not in sealed and sample.verdicts]
    rounds, asks = 1, select.doubted != "keep"
    while True:
        standings = [
            Standing(sample.asked, sample.correct, ties[sample.row["id"]], asks and _doubt(ctx, sample)[1])
            for sample in competing
        ]
        further = further_draws(standings, draws, select)
        if not any(further):
            return rounds
        rounds += 1
        await _draw(ctx, model, competing, further, f"samples scored further (round {rounds})")


async def _draw(ctx: StageContext, model: Model, samples: Sequence[_Sample], further: Sequence[int], unit: str) -> None:
    """So many further draws of each sample, judged."""

    async def one(pair: tuple[_Sample, int]) -> None:
        sample, more = pair
        indices = range(sample.asked, sample.asked + more)
        replies, answers = await judged(ctx, model, sample.request, sample.row, indices)
        sample.asked += more
        sample.truncated += sum(reply.status == "truncated" for reply in replies if arrived(reply))
        sample.predictions += [answer["prediction"] for answer in answers]
        sample.verdicts += [answer["verdict"] for answer in answers]

    going = [(sample, more) for sample, more in zip(samples, further, strict=True) if more]
    await ctx.each(going, one, limit=ctx.base_limit, unit=unit)


def _row(ctx: StageContext, sample: _Sample) -> Row:
    row, draws = sample.row, len(sample.verdicts)
    if not draws:
        return {"id": row["id"], "code": "no_reply", "evidence": "no draw of the base model arrived"}
    ballot, doubt = _doubt(ctx, sample)
    return {
        "id": row["id"],
        "asked": sample.asked,
        "draws": draws,
        "correct": sample.correct,
        "parsable": ballot.n_parsable,
        "truncated": sample.truncated,
        "errors": sample.verdicts.count("error"),
        "pass_rate": round(sample.correct / draws, 6),
        "majority": ballot.label,
        "label_doubt": doubt,
        "request_key": sample.request.key,
    }


def _doubt(ctx: StageContext, sample: _Sample) -> tuple[Ballot, bool]:
    """The base model's own vote, and whether it is for another answer than the label."""
    ballot = count_predictions(ctx.verifier, sample.predictions)
    return ballot, ballot.label is not None and not ctx.verifier.same(ballot.label, sample.row["gold"])
