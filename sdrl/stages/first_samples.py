"""The first samples of a run, written and voted on before the rest is paid for, so that a person can look at them.

Asks exactly what the stages generate and vote will ask for the same attempts, so the request cache answers these later
and nothing is paid twice. Runs no filter: what a filter drops is worth seeing too.
"""

from __future__ import annotations

from sdrl.corpus.passage import named_in
from sdrl.stages.asking import vote_on
from sdrl.stages.attempts import Attempts
from sdrl.stages.context import Row, StageContext


async def first_samples(ctx: StageContext, count: int) -> list[Row]:
    """The first ``count`` voted samples: {id, part, input, options, gold, solution, votes, agreement, n_draws,
    passage}.

    Fewer where the plan's attempts do not bring so many. ``passage`` is the text, or null.
    """
    attempts = Attempts.of(ctx)
    passages = {row["passage"]["id"]: row["passage"]["text"] for row in ctx.rows("retrieve")}
    kept: list[Row] = []
    tried = 0
    while len(kept) < count and tried < attempts.most:
        size = min(attempts.most - tried, count - len(kept))
        written, _ = await attempts.write(range(tried, tried + size))
        voted = await ctx.each(written, lambda row: vote_on(ctx, row), limit=ctx.instructor_limit, unit="votes")
        kept += [row for row, code in voted if code is None]
        tried += size
    return [_shown(row, passages) for row in kept]


def _shown(row: Row, passages: dict[str, str]) -> Row:
    keys = ("id", "part", "input", "options", "gold", "solution", "votes", "agreement", "n_draws")
    texts = [passages[each] for each in named_in(row["passage"], passages)]
    return {**{key: row[key] for key in keys}, "passage": "\n\n".join(texts) or None}
