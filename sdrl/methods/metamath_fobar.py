"""MetaMath's FOBAR (arXiv 2309.12284, section 3.3): a demo's question with an unknown, asked backward from its answer.

One number of the question becomes x; the new question is the masked one with 'If we know the answer to the above
question is …, what is the value of unknown variable x?'. All of this is code; the model only works it out.

Departures: (1) The vote must find the masked number too; the paper asks once. (2) Where the question has an x of its
own, the unknown is the next letter that it lacks. (3) Words are masked from two to twenty, in English alone. (4) Each
number of a demo is asked for once: the question would be the same.
"""

from __future__ import annotations

from sdrl.compiler.backward import asked_back
from sdrl.methods.attempt import Attempt, Refusal, Writing
from sdrl.methods.metamath import asked_for, backward


def write(attempt: Attempt) -> Writing:
    """One request: ``templates/metamath/reason.jinja``."""
    found = asked_for(attempt, again=False)
    if isinstance(found, Refusal):
        return found
    masked, answer = found
    problem = asked_back(masked, answer, attempt.plan.settings.task.language)
    return (yield from backward(attempt, problem, masked))
