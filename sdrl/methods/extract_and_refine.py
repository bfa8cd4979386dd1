"""MAmmoTH2 (arXiv 2405.03548, sections 2.2 and 2.3): question-answer pairs that stand in a passage, then refined.

A passage's pairs are copied out of it once; the attempts that use the passage take them in turn. Most texts hold none
(the paper finds pairs in 30 % of its documents), so that an attempt whose passage has none looks into up to three more,
which no other attempt uses, where the library has so many. Refining completes the reasoning that the passage leaves out
and brings the pair to the task's form.

Departures: (1) Recall is the search by keywords, where the paper trains a classifier of web pages. (2) An attempt takes
one pair, so that pairs of a passage are left over where there are more passages than attempts. (3) Worked examples and
cases with their outcome count as pairs. (4) The paper refines without a task; here the pair is brought to the task's
input and output, and the label is the vote's.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sdrl.methods.attempt import Attempt, Draft, Example, Passage, Refusal, Writing, id_of

SPARE = 3  # further passages that an attempt may look into


def write(attempt: Attempt) -> Writing:
    """Requests of ``templates/extract-and-refine/``: ``extract.jinja``, of a passage, until one holds a pair;
    ``generate.jinja``, of the pair."""
    if attempt.passage is None:
        return Refusal("no_passage", "the search found no passage for this part")
    seen = []
    for passage, visit in ((attempt.passage, attempt.visit), *((spare, 0) for spare in _spare(attempt))):
        seen.append(passage["id"])
        pairs = (yield Draft("extract", {"passage": passage["text"]}, key=passage["id"]))["pairs"]
        if visit < len(pairs):
            break
    else:
        if pairs:
            return Refusal("no_pair_left", f"earlier attempts took the {len(pairs)} pairs of {seen[-1]}")
        return Refusal("no_pairs", f"no question with an answer in {', '.join(seen)}")
    reply = yield Draft("generate", {**pairs[visit], "passage": passage["text"], "demos": attempt.demos})
    parents = tuple(id_of(demo) for demo in attempt.demos)
    return Example(reply, parents, passage["id"], notes={"pair": pairs[visit]})


def _spare(attempt: Attempt) -> Iterator[Passage]:
    """Passages behind those that all attempts of the part are dealt, each for one attempt."""
    settings = attempt.plan.settings
    attempts = ceil(attempt.part.share * settings.synthesize.most_attempts) + 1  # parts are dealt nearly by their share
    for at in range(SPARE):
        place = attempts * (settings.retrieve.per_sample + at) + attempt.turn
        if place < len(attempt.library):
            yield attempt.library[place]
