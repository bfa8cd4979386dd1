"""TarGEN (arXiv 2310.17876, section 3): without any example, contexts bring instance seeds, and a seed one instance.

Step 1 names contexts in which examples of the task can be set. Step 2 writes instance seeds for one of them: the raw
matter of an example, without question and answer. Step 3 makes an instance of a seed whose answer is given
beforehand. Step 4, self-correction, shows the finished instance beside the task and has its output checked and
corrected.

Departures: (1) The numbers of contexts and seeds are ours: a request brings forty contexts, each has five seeds, and a
later request for contexts shows those of the one before. (2) The paper writes a prompt of its own for every label of a
dataset; here the answers that the spec declares are given in turn. (3) Where a task has no few answers nothing is
constrained: the input is written first. (4) The label is the vote's; the corrected output is one vote of it where
``vote.include_generated`` says so.
"""

from __future__ import annotations

import random
from collections.abc import Generator

from sdrl.compiler.method_use import few_answers
from sdrl.compiler.sample import Sample, carried_options
from sdrl.methods.attempt import Attempt, Draft, Example, Reply, Writing

CONTEXTS = 40  # of one request; templates/targen/contexts.jinja names the number
SEEDS = 5  # of one context; templates/targen/seeds.jinja names the number


def write(attempt: Attempt) -> Writing:
    """Four requests, the templates of ``templates/targen/``; attempts in a row share the first two."""
    place, index = divmod(attempt.turn, SEEDS)
    context = yield from _context(attempt, place)
    reply = yield Draft("seeds", {"context": context}, key=f"{attempt.part.name}/{place}")
    seed = _shuffled(attempt, place, reply["seeds"][:SEEDS], index)
    answers = few_answers(attempt.plan)
    label = answers[attempt.turn % len(answers)] if answers else None
    written = yield Draft("generate", {"context": context, "instance_seed": seed, "label": label})
    sample = Sample(written["input"], written["output"], written.get("options"))
    checked = yield Draft("correct", {"sample": sample})
    outcome = _correction(attempt, written, checked["output"])
    notes = {"context": context, "seed": seed, "correction": outcome} | ({"label": label} if label else {})
    return Example(written if outcome == "unreadable" else {**written, "output": checked["output"]}, notes=notes)


def _context(attempt: Attempt, place: int) -> Generator[Draft, Reply, str]:
    """The ``place``-th context of the part, from the request that brings it; each request shows those before it."""
    request, at = divmod(place, CONTEXTS)
    earlier: list[str] = []
    for number in range(request + 1):
        values = {"earlier_contexts": "\n".join(earlier) or None}
        reply = yield Draft("contexts", values, key=f"{attempt.part.name}/{number}")
        earlier = reply["contexts"][:CONTEXTS]
    return earlier[at % len(earlier)]


def _shuffled(attempt: Attempt, place: int, seeds: list[str], index: int) -> str:
    """The ``index``-th seed of a context in an order of chance: the most obvious one comes first in the reply, and is
    not to meet the same label in every context."""
    order = list(seeds)
    random.Random(attempt.plan.seed_for("seed-order", attempt.part.name, place)).shuffle(order)
    return order[index % len(order)]


def _correction(attempt: Attempt, written: Reply, output: str) -> str:
    """What the correction did to the answer: ``kept``, ``changed``, or ``unreadable`` where it left none."""
    options = carried_options(attempt.plan.settings.answer.type, written["input"], written.get("options"))
    if attempt.verifier.extract(output, options).prediction is None:
        return "unreadable"
    return "kept" if attempt.agrees(written["output"], output, options) else "changed"
