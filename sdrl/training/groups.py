"""Groups whose rewards are all equal: none of their completions says anything about the others.

Their advantages are 0, so in the mean of the loss they only thin out the groups that do teach. `keep` leaves them
there, as TRL does. `drop` takes them out of that mean: what the other groups contribute is weighted by all groups over
those that teach. `replace` first draws other prompts in their place, at most `TRIES` times. Source: dynamic sampling,
arXiv 2503.14476 section 3.2. Our departures, numbered: (1) the number of tries is bounded, DAPO goes on until the batch
is full; (2) substitutes come from the training prompts in an order seeded by the step, so that a resumed training draws
the same; (3) what no try could fill is dropped; (4) the KL term stays on all groups. Pure: loads no torch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

TRIES = 2  # rounds of substitutes an update


def teaches(rewards: Sequence[float | None]) -> bool:
    """Return whether a group's rewards differ; a completion without a verdict counts for nothing."""
    known = [reward for reward in rewards if reward is not None]
    return bool(known) and max(known) - min(known) > 1e-9


def scale(groups: int, teaching: int) -> float:
    """Return what the teaching groups' advantages are multiplied by, so that the loss is the mean over these alone."""
    return groups / teaching if teaching else 1.0


def substitutes(rows: int, taken: Sequence[int], seed: int, step: int, process: int) -> Iterator[int]:
    """Yield indices of rows that are not in the batch, in an order that seed, step and process decide."""
    order = [index for index in range(rows) if index not in set(taken)]
    random.Random(f"{seed}:substitutes:{step}:{process}").shuffle(order)
    yield from order
