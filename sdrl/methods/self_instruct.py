"""Self-Instruct (arXiv 2212.10560, section 3): examples from a pool that grows with what it brings.

Each prompt shows eight examples, six written by people and two by the model where there are so many, and asks for a
new one. A new one enters the pool where its ROUGE-L with everything in it is below 0.7. Where a task has few answers
the answer comes first and the input is written for it, else the input comes first.

Departures: (1) the original's pool holds tasks, each with instances; ours holds examples of the one task. (2) The
original asks the model which answers a classification task has; ours are declared, and taken in turn. (3) The original
lets each new task into the pool at once; ours enter after their wave of attempts, so that a wave can be asked for
together and again. (4) The output is a proposal: the label is the vote's. (5) Its filters by keyword and length are for
tasks that a text model cannot do, and are left out.
"""

from __future__ import annotations

import random

from sdrl.compiler.method_use import few_answers
from sdrl.methods.attempt import Attempt, Draft, Example, Writing, id_of

SHOWN = 8
BY_PEOPLE = 6
MOST_ALIKE = 0.7  # ROUGE-L with an example of the pool at which a new one does not enter


def write(attempt: Attempt) -> Writing:
    """One request: ``templates/self-instruct/generate.jinja``."""
    chance = random.Random(attempt.seed)
    human, own = list(attempt.part.demos), list(attempt.pool)
    n_own = min(len(own), SHOWN - min(BY_PEOPLE, len(human)))
    shown = chance.sample(human, min(len(human), SHOWN - n_own)) + chance.sample(own, n_own)
    chance.shuffle(shown)
    answers = few_answers(attempt.plan)
    label = answers[attempt.turn % len(answers)] if answers else None
    reply = yield Draft("generate", {"demos": tuple(shown), "label": label})
    return Example(reply, parents=tuple(id_of(sample) for sample in shown), notes={"label": label} if label else {})
