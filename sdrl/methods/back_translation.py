"""Humpback (arXiv 2308.06259, sections 2.2 and 2.3): a good output comes first, then the input that it answers.

Self-augmentation: a worked answer is drawn from a passage, and the input is written for it. Self-curation: the model
rates the pair from 1 to 5, reason first, and pairs below 4 are dropped. Where a task has few answers they are given to
the outputs in turn.

Departures: (1) The original takes pieces of web pages as outputs as they stand; few are in a task's output form, so one
is drawn from the passage. (2) It trains a model that predicts instructions, and trains anew on what it kept before it
rates again; here the instructor is asked, with demos, once. (3) Its scale speaks of how an assistant should sound; ours
of whether the output answers the input. (4) The input's writer sees the passage beside the output.
"""

from __future__ import annotations

from sdrl.compiler.method_use import few_answers
from sdrl.compiler.sample import Sample
from sdrl.methods.attempt import Attempt, Draft, Example, Refusal, Writing, id_of

BEST = 5  # the scale's upper end
KEPT = 4  # the lowest rating that stays


def write(attempt: Attempt) -> Writing:
    """Three requests, ``templates/back-translation/``: ``response.jinja``, ``instruction.jinja``, ``rating.jinja``."""
    if attempt.passage is None:
        return Refusal("no_passage", "the search found no passage for this part")
    answers = few_answers(attempt.plan)
    label = answers[attempt.turn % len(answers)] if answers else None
    seen = {"passage": attempt.passage["text"], "demos": attempt.demos}
    output = (yield Draft("response", {**seen, "label": label}))["output"]
    if not _is_readable(attempt, output):
        return Refusal("no_answer", output[:200])
    asked = yield Draft("instruction", {**seen, "output": output})
    reply = {"input": asked["input"], "output": output} | ({"options": asked["options"]} if "options" in asked else {})
    rated = yield Draft("rating", {"sample": Sample(reply["input"], output, reply.get("options"))})
    score, reason = rated["score"], rated["reason"]
    if not 1 <= score <= BEST:
        return Refusal("wrong_grade", f"the rating is {score}, not a whole number from 1 to {BEST}")
    if score < KEPT:
        return Refusal("low_rating", f"rated {score} of {BEST}: {reason[:400]}")
    notes = {"rating": score} | ({"label": label} if label else {})
    return Example(reply, parents=tuple(id_of(demo) for demo in attempt.demos), notes=notes)


def _is_readable(attempt: Attempt, output: str) -> bool:
    """Whether the output holds an answer, so that an input is worth asking for; True where only the sample can say."""
    if attempt.plan.settings.answer.type in ("choice", "program"):
        return True
    return attempt.verifier.extract(output).prediction is not None
