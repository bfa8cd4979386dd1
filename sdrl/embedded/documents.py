"""The pre-training stream of the toy base: documents of word problems as different "sources" would answer them.

A document is a prompt and a completion. In phase 1 problems come with worked solutions, beside drills of plain
arithmetic. In phase 2 each opening sentence belongs to a source, and sources differ in habit: most jump to a guessed
number, some work the problem out, some answer without the marker. So the model can reason and mostly does not, as base
models do. Only the families INSTRUCTOR and HELD_OUT occur, never OOD, and never a text of the test sets.
Standard library only; reads and writes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Set
from dataclasses import dataclass

from sdrl.embedded.problems import (
    HELD_OUT,
    INSTRUCTOR,
    PLACES,
    TEMPLATES,
    Problem,
    made_up_name,
    made_up_noun,
    mistakes,
    write_problem,
)
from sdrl.embedded.problems.language import apply

INSTRUCTION = "Work step by step and write the final number after ####."
_OTHER_INSTRUCTIONS = (
    "",
    "",
    "Answer:",
    "Write the final number after ####.",
    "Solve the problem. Write the final number after ####.",
)


@dataclass(frozen=True)
class Habit:
    """How a source answers: shares of guessed, worked and loose answers for a problem of three steps."""

    guess: float
    worked: float
    loose: float


HABITS: dict[str, Habit] = {
    "quiz": Habit(guess=0.80, worked=0.14, loose=0.06),
    "test": Habit(guess=0.44, worked=0.42, loose=0.14),
    "textbook": Habit(guess=0.25, worked=0.70, loose=0.05),
    "manual": Habit(guess=0.05, worked=0.93, loose=0.02),
    "forum": Habit(guess=0.20, worked=0.22, loose=0.58),
}
# The openings of a family take these sources in turn.
_TURNS = ("quiz", "textbook", "quiz", "forum", "test", "quiz", "manual", "quiz", "forum", "textbook", "test")
# The share of guesses that are right, by number of steps: most people see a one-step answer at once.
_RIGHT_GUESSES = {1: 0.55, 2: 0.30, 3: 0.18, 4: 0.10, 5: 0.06, 6: 0.04}


@dataclass(frozen=True)
class Document:
    """What the model sees first, and how it goes on; `problem` is None for a drill."""

    prompt: str
    completion: str
    problem: Problem | None = None


def source_of(problem: Problem) -> str:
    """The source that a problem belongs to, by its opening sentence."""
    return _SOURCES[problem.template_ids[0]]


def _sources() -> dict[str, str]:
    found: dict[str, str] = {}
    for family in (INSTRUCTOR, HELD_OUT):
        openings = [t.id for t in TEMPLATES if t.family == family and t.kind == "open"]
        for index, name in enumerate(openings):
            found[name] = _TURNS[index % len(_TURNS)]
    return found


_SOURCES = _sources()


def documents(seed: int, phase: int, forbidden: Set[str] = frozenset()) -> Iterator[Document]:
    """An endless stream for phase 1 or 2; problems whose text is in `forbidden` are left out."""
    rng = random.Random(f"sdrl toy-base {seed} {phase}")
    drill_share = 0.15 if phase == 1 else 0.04
    while True:
        if rng.random() < drill_share:
            yield Document("", _drill(rng))
            continue
        problem = _problem(rng)
        if phase == 1 or rng.random() < 0.1:
            completion = problem.solution()
        else:
            completion = _answer(rng, problem)
        document = Document(_prompt(rng, problem), completion, problem)
        # Left out only now, so that the rest of the stream stays what it was.
        if problem.text not in forbidden:
            yield document


def _prompt(rng: random.Random, problem: Problem) -> str:
    line = INSTRUCTION if rng.random() < 0.8 else rng.choice(_OTHER_INSTRUCTIONS)
    return f"{problem.text}\n{line}\n" if line else f"{problem.text}\n"


def _problem(rng: random.Random) -> Problem:
    family = INSTRUCTOR if rng.random() < 0.55 else HELD_OUT
    nouns = [made_up_noun(rng), made_up_noun(rng)] if rng.random() < 0.35 else []
    names = [made_up_name(rng), made_up_name(rng)] if rng.random() < 0.15 else []
    places = [f"the {made_up_noun(rng)[:-1]}"] if rng.random() < 0.1 else PLACES
    n_steps = rng.choices((1, 2, 3, 4, 5, 6), (16, 20, 20, 16, 14, 14))[0]
    return write_problem(
        rng,
        family=family,
        n_steps=n_steps,
        distractor=rng.random() < 0.35,
        nouns=nouns,
        names=names,
        places=places,
    )


def _drill(rng: random.Random) -> str:
    """Eight lines of arithmetic, as they occur in worked solutions."""
    lines: list[str] = []
    while len(lines) < 8:
        op = rng.choices("+-*/", (38, 34, 16, 12))[0]
        if op == "+":
            left, right = rng.randint(1, 155), rng.randint(2, 45)
        elif op == "-":
            left, right = rng.randint(3, 200), rng.randint(2, 45)
        elif op == "*":
            right = rng.randint(2, 5)
            left = rng.randint(1, 200 // right)
        else:
            right = rng.randint(2, 5)
            left = right * rng.randint(2, 200 // right)
        result = apply(op, left, right)
        if result >= 1:
            lines.append(f"{left}{op}{right}={result}")
    return "\n".join(lines)


def _answer(rng: random.Random, problem: Problem) -> str:
    """One answer in the habit of the problem's source; longer problems are guessed more often."""
    habit = HABITS[source_of(problem)]
    weights = (habit.guess * (0.7 + 0.1 * problem.n_steps), habit.worked, habit.loose)
    manner = rng.choices(("guess", "worked", "loose"), weights)[0]
    if manner == "worked":
        return problem.solution()
    if manner == "guess":
        return f"#### {_guess(rng, problem)}"
    kind = rng.random()
    if kind < 0.72:
        return f"The answer is {_guess(rng, problem)}."
    if kind < 0.8:
        return f"It is {_guess(rng, problem)}."
    return "\n".join((*problem.steps, f"So the answer is {problem.answer}."))


def _guess(rng: random.Random, problem: Problem) -> int:
    if rng.random() < _RIGHT_GUESSES[problem.n_steps]:
        return problem.answer
    wrong = mistakes(problem)
    return rng.choices(wrong, [2.0**-i for i in range(len(wrong))])[0]
