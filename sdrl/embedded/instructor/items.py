"""One problem with its kind of answer: a number, a lettered option, or a label; written with known truth, read back.

Label problems end in a question about the final number ("... more than, fewer than or equal to 12?", or yes and no).
Choice problems carry four options, one of them right, the others typical mistakes. Pure functions of their arguments.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sdrl.embedded.instructor.forms import Kind
from sdrl.embedded.problems import Problem, mistakes, read_problem

_PLAIN_QUESTION = "How many {nouns} is that now?"
_COMPARISON = re.compile(r"Is the final number of (.+?) more than, fewer than or equal to (\d+)\?$")
_YES_NO = re.compile(r"Is the final number of (.+?) more than (\d+)\?$")
_LAST_SENTENCE = re.compile(r"[^.?!]*[.?!]\s*$")
_INTEGER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Item:
    """A problem and how its result is turned into an answer.

    `labels` are three words (more, fewer, equal) or two (yes, no); `bound` is what the result is compared with.
    """

    text: str
    problem: Problem
    kind: Kind = "number"
    options: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] = ()
    bound: int = 0

    def answer(self, result: int) -> str:
        """The answer for a result, right or wrong; a choice takes the option nearest to it."""
        if self.kind == "choice":
            return min(self.options, key=lambda option: (_distance(option[1], result), option[0]))[0]
        if self.kind == "label":
            return self._label(result)
        return str(result)

    def mistakes(self) -> list[int]:
        """Wrong results that lead to a wrong answer, likeliest first; may be empty."""
        right = self.answer(self.problem.answer)
        return [number for number in mistakes(self.problem) if self.answer(number) != right]

    def _label(self, result: int) -> str:
        if len(self.labels) == 2:
            return self.labels[0] if result > self.bound else self.labels[1]
        more, fewer, equal = self.labels
        if result == self.bound:
            return equal
        return more if result > self.bound else fewer


def dress(problem: Problem, kind: Kind, labels: Sequence[str], letters: Sequence[str], rng: random.Random) -> Item:
    """Give a problem the kind of answer that is asked for."""
    if kind == "choice":
        return Item(problem.text, problem, "choice", options=_options(problem, letters, rng))
    if kind == "label":
        near = [problem.answer, *mistakes(problem)[:3], max(0, problem.answer - 3), problem.answer + 3]
        bound = rng.choice(near)
        ask = "more than, fewer than or equal to" if len(labels) == 3 else "more than"
        body = _LAST_SENTENCE.sub("", problem.text).strip()
        question = f"Is the final number of {problem.slots['nouns']} {ask} {bound}?"
        return Item(f"{body} {question}", problem, "label", labels=tuple(labels), bound=bound)
    return Item(problem.text, problem)


def read_item(text: str, options: Sequence[tuple[str, str]], labels: Sequence[str]) -> Item | None:
    """Understand a problem written by `dress`; None where it is not in the language."""
    flat = " ".join(text.split())
    compared = _COMPARISON.search(flat) or _YES_NO.search(flat)
    if compared:
        body = flat[: compared.start()] + _PLAIN_QUESTION.format(nouns=compared.group(1))
        problem = read_problem(body)
        words = tuple(labels) or (("more", "fewer", "equal") if "fewer" in compared.group() else ("yes", "no"))
        if problem is None or len(words) != (3 if "fewer" in compared.group() else 2):
            return None
        return Item(flat, problem, "label", labels=words, bound=int(compared.group(2)))
    problem = read_problem(flat)
    if problem is None:
        return None
    return Item(flat, problem, "choice", options=tuple(options)) if options else Item(flat, problem)


def _options(problem: Problem, letters: Sequence[str], rng: random.Random) -> tuple[tuple[str, str], ...]:
    wrong = [number for number in mistakes(problem) if number not in problem.readings]
    extra = (problem.answer + step for step in range(2, 60, 3))
    wrong += [number for number in extra if number not in wrong and number not in problem.readings]
    numbers = [problem.answer, *wrong[: len(letters) - 1]]
    rng.shuffle(numbers)
    return tuple((letter, str(number)) for letter, number in zip(letters, numbers, strict=True))


def _distance(text: str, result: int) -> float:
    match = _INTEGER.search(text)
    return abs(int(match.group()) - result) if match else float("inf")
