"""MetaMath's self-verification (arXiv 2309.12284, section 3.3): a question with its answer as a statement to solve.

One number of the demo's question becomes x; a model makes a statement of the masked question and the answer; the new
question is the statement with 'What is the value of unknown variable x?'.

Departures: (1) The vote must find the masked number too; the paper asks once. (2) Where the question has an x of its
own, the unknown is the next letter that it lacks. (3) Words are masked from two to twenty, in English alone. (4) The
number is masked before a model sees the question, not in its statement. (5) A statement without the unknown or without
the answer is refused.
"""

from __future__ import annotations

from sdrl.compiler.backward import asked_of, has_letter, holds
from sdrl.methods.attempt import Attempt, Draft, Refusal, Writing
from sdrl.methods.metamath import asked_for, backward


def write(attempt: Attempt) -> Writing:
    """Two requests: ``templates/metamath/declare.jinja`` and ``reason.jinja``."""
    found = asked_for(attempt, again=True)
    if isinstance(found, Refusal):
        return found
    masked, answer = found
    reply = yield Draft("declare", {"masked_question": masked.question, "unknown": masked.unknown, "value": answer})
    statement, language = str(reply["statement"]), attempt.plan.settings.task.language
    if not has_letter(statement, masked.unknown):
        return Refusal("no_unknown", statement[:200])
    if not holds(statement, answer, language):
        return Refusal("lost_answer", f"{answer} is not in: {statement[:200]}")
    return (yield from backward(attempt, asked_of(statement, masked.unknown, language), masked))
