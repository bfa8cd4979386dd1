"""What MetaMath's four methods (arXiv 2309.12284, section 3) have in common: the demo, the number, the worked solution.

An attempt takes its part's demos in turn. Whatever it asks is worked out by the prompt ``reason``, shown a few other
demos and never the one it starts from, whose output would give the answer, or the masked number, away. The solution is
kept where it comes to the answer that is known beforehand.
"""

from __future__ import annotations

import random
from collections.abc import Generator

from sdrl.compiler.backward import Masked, maskings
from sdrl.compiler.overlap import normal_form
from sdrl.compiler.prompts import options_to_show
from sdrl.compiler.sample import Sample, carried_options
from sdrl.methods.attempt import Attempt, Draft, Example, Refusal, Reply, id_of


def demo_of(attempt: Attempt) -> Sample:
    """The demo that this attempt starts from."""
    return attempt.part.demos[attempt.turn % len(attempt.part.demos)]


def others(attempt: Attempt) -> tuple[Sample, ...]:
    """The attempt's demos without the one it starts from."""
    start = normal_form(demo_of(attempt).input)
    return tuple(demo for demo in attempt.demos if normal_form(demo.input) != start)


def reasoned(attempt: Attempt, problem: str) -> Generator[Draft, Reply, str]:
    """Ask for a worked solution of ``problem``, which has the demo's options: ``templates/metamath/reason.jinja``."""
    options = options_to_show(problem, demo_of(attempt).options) or None
    reply = yield Draft("reason", {"demos": others(attempt), "problem": problem, "options": options})
    return str(reply["output"])


def keeps_answer(attempt: Attempt, problem: str, output: str) -> bool:
    """Whether a solution of ``problem`` has the demo's answer."""
    demo = demo_of(attempt)
    return attempt.agrees(
        output, demo.output, carried_options(attempt.plan.settings.answer.type, problem, demo.options)
    )


def example(attempt: Attempt, problem: str, output: str, **notes: str) -> Example:
    """A form of the demo; its parents are the demo and then those that the prompt showed."""
    demo = demo_of(attempt)
    reply: Reply = {"input": problem, "output": output} | ({"options": dict(demo.options)} if demo.options else {})
    return Example(reply, parents=tuple(map(id_of, (demo, *others(attempt)))), notes=notes)


def asked_for(attempt: Attempt, *, again: bool) -> tuple[Masked, str] | Refusal:
    """The number of the demo that this attempt asks for, each in turn in an order that the demo decides, and the
    demo's answer.

    When all were asked for, from the first one ``again``, or refused.
    """
    demo = demo_of(attempt)
    found = list(maskings(demo.input, attempt.plan.settings.task.language))
    if not found:
        return Refusal("no_number", demo.input[:200])
    random.Random(attempt.plan.seed_for("mask", id_of(demo))).shuffle(found)
    round_ = attempt.turn // len(attempt.part.demos)
    if round_ >= len(found) and not again:
        return Refusal("used_up", f"the demo has {len(found)} numbers, and each was asked for before")
    answer = attempt.verifier.extract(demo.output).prediction
    if answer is None:
        return Refusal("no_answer", demo.output[:200])
    return found[round_ % len(found)], answer


def backward(attempt: Attempt, problem: str, masked: Masked) -> Generator[Draft, Reply, Example | Refusal]:
    """Work out a backward question; kept where the masked number comes out."""
    output = yield from reasoned(attempt, problem)
    if attempt.verifier.judge(output, masked.value).verdict != "correct":
        found = attempt.verifier.extract(output).prediction
        return Refusal("wrong_value", f"{found} where {masked.value} was masked in: {problem[:200]}")
    return example(attempt, problem, output, unknown=masked.unknown, value=masked.value)
