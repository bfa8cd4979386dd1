"""The problem language of the embedded pair: word problems with known truth, written and read back.

    problem = write_problem(random.Random(7), family=INSTRUCTOR, n_steps=3, distractor=True, nouns=nouns_in(passage))
    problem.text, problem.solution(), problem.answer
    read_problem(problem.text).answer == problem.answer        # any text of the instructor's family; None for others
    harder(problem.text, rng), easier(problem.text, rng)       # one step more, one step fewer; None if unreadable
    mistakes(problem)                                          # plausible wrong answers, likeliest first
    write_problem(..., ambiguous="missing" | "two_ways")       # .readings holds all answers the text allows

Problems are one line of text (one opening, a sentence per step, perhaps a distractor, a question); solutions are one
line per step ("12+7=19") and "#### ANSWER". Standard library only; imports nothing else of sdrl, touches no file.
"""

from __future__ import annotations

from sdrl.embedded.problems.language import MISSING, TWO_WAYS, Problem, Sentence, write_problem
from sdrl.embedded.problems.reader import easier, harder, mistakes, read_problem
from sdrl.embedded.problems.templates import FAMILIES, HELD_OUT, INSTRUCTOR, OOD, TEMPLATES, Template
from sdrl.embedded.problems.words import NAMES, NOUNS, PLACES, made_up_name, made_up_noun, names_in, nouns_in

__all__ = [
    "FAMILIES",
    "HELD_OUT",
    "INSTRUCTOR",
    "MISSING",
    "NAMES",
    "NOUNS",
    "OOD",
    "PLACES",
    "TEMPLATES",
    "TWO_WAYS",
    "Problem",
    "Sentence",
    "Template",
    "easier",
    "harder",
    "made_up_name",
    "made_up_noun",
    "mistakes",
    "names_in",
    "nouns_in",
    "read_problem",
    "write_problem",
]
