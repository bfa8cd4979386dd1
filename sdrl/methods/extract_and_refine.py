"""MAmmoTH2 (arXiv 2405.03548, sections 2.2 and 2.3): question-answer pairs that stand in a passage, then refined.

A passage's pairs are copied out of it once; the attempts that use the passage take them in turn. Refining completes the
reasoning that the passage leaves out and brings the pair to the task's form.

Departures: (1) Recall is the search by keywords, where the paper trains a classifier of web pages. (2) An attempt takes
one pair, so that pairs of a passage are left over where there are more passages than attempts. (3) Worked examples and
cases with their outcome count as pairs. (4) The paper refines without a task; here the pair is brought to the task's
input and output, and the label is the vote's.
"""

from __future__ import annotations

from sdrl.methods.attempt import Attempt, Draft, Example, Refusal, Writing, id_of


def write(attempt: Attempt) -> Writing:
    """Two requests of ``templates/extract-and-refine/``: ``extract.jinja``, of the passage; ``generate.jinja``, of a
    pair."""
    if attempt.passage is None:
        return Refusal("no_passage", "the search found no passage for this part")
    text = attempt.passage["text"]
    found = yield Draft("extract", {"passage": text}, key=attempt.passage["id"])
    pairs = found["pairs"]
    if not pairs:
        return Refusal("no_pairs", f"passage {attempt.passage['id']} holds no question with an answer")
    if attempt.visit >= len(pairs):
        return Refusal("no_pair_left", f"earlier attempts took the {len(pairs)} pairs of {attempt.passage['id']}")
    pair = pairs[attempt.visit]
    reply = yield Draft("generate", {**pair, "passage": text, "demos": attempt.demos})
    return Example(reply, parents=tuple(id_of(demo) for demo in attempt.demos), notes={"pair": pair})
