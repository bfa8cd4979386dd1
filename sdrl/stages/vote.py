"""Step 5: label by majority vote, then filter (paper section 4.1: 16 votes; the filters are ours).

Rows come out in attempt order; what the vote or a filter drops is refilled with further attempts while
``synthesize.attempts`` allows, so that ``synthesize.samples`` means accepted samples.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdrl.filters import FilterState, apply_filters
from sdrl.filters.text import sample_text
from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.asking import vote_on
from sdrl.stages.attempts import Attempts
from sdrl.stages.context import Row, StageContext, StageOutput
from sdrl.stages.embeddings import compares_vectors, vectors_of
from sdrl.stages.remarks import remarked


async def run(ctx: StageContext) -> StageOutput:
    """Rows of generate plus {gold, solution, votes, agreement, n_draws, n_parsable}."""
    wanted = ctx.plan.settings.synthesize.samples
    wave = ctx.rows("generate")
    attempts = Attempts.of(ctx, wave)
    state = await filter_state(ctx)
    rows: list[Row] = []
    dropped: list[Row] = []
    tried = wave[-1]["attempt"] + 1
    while True:
        kept, lost = await vote_and_filter(ctx, wave, state)
        rows += kept
        dropped += lost
        if len(rows) >= wanted or tried >= attempts.most:
            break
        size = min(attempts.wave, attempts.most - tried)
        wave, unread = await attempts.write(range(tried, tried + size))
        dropped += unread
        tried += size
    if not rows:
        raise SdrlError(
            "E863",
            f"no example survived the vote and the filters: {_codes(dropped)}",
            help="read artifacts/generate.jsonl; a lower vote.min_agreement or a stronger instructor keeps more",
        )
    if len(rows) < wanted:
        ctx.warn("W861", f"{len(rows)} of {wanted} samples accepted in {tried} attempts: {_codes(dropped)}")
    return StageOutput(rows[:wanted], dropped, {"attempts": tried})


async def vote_and_filter(ctx: StageContext, rows: Sequence[Row], state: FilterState) -> tuple[list[Row], list[Row]]:
    """Vote on each row, then run the spec's filters over those that stay; kept rows and dropped rows with codes."""
    limit = ctx.instructor_limit
    voted = await ctx.each(rows, lambda row: _vote_and_ask(ctx, row), limit=limit, unit="votes", is_lost=_is_lost)
    dropped = [{**row, "code": code} for row, code in voted if code is not None]
    stay = [row for row, code in voted if code is None]
    if compares_vectors(ctx):
        state.learn(await vectors_of(ctx, map(sample_text, stay)))
    filtered = apply_filters(ctx.plan.settings.filter, stay, state)
    kept = [dict(row) for row in filtered.kept]
    return kept, dropped + [{**drop.sample, "code": drop.code, "evidence": drop.evidence} for drop in filtered.dropped]


def _is_lost(voted: tuple[Row, str | None]) -> bool:
    return voted[1] is not None


async def _vote_and_ask(ctx: StageContext, row: Row) -> tuple[Row, str | None]:
    voted, code = await vote_on(ctx, row)
    return (voted, code) if code is not None else (await remarked(ctx, voted), None)


async def filter_state(ctx: StageContext, kept: Sequence[Row] = ()) -> FilterState:
    """What new samples are compared with: the evaluation sets, the task's language, and the samples ``kept`` so far."""
    inputs = {each.name: [row["input"] for row in ctx.evaluation_rows(each)] for each in ctx.plan.evaluations}
    state = FilterState(inputs, ctx.plan.settings.task.language)
    if compares_vectors(ctx):
        known = [text for texts in inputs.values() for text in texts]
        state.learn(await vectors_of(ctx, [*known, *map(sample_text, kept)]))
    state.remember(kept)
    return state


def _codes(dropped: Sequence[Row]) -> str:
    counts: dict[str, int] = {}
    for row in dropped:
        counts[row["code"]] = counts.get(row["code"], 0) + 1
    return ", ".join(f"{code} {count}" for code, count in sorted(counts.items(), key=lambda item: -item[1]))
