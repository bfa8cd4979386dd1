"""Writes the two test sets of the word problems: `python -m sdrl.embedded.problems.sets --out specs/data`.

`word-problems-test.jsonl` (600 rows) uses the family HELD_OUT: sentences met in pre-training, never written by the
instructor. `word-problems-ood.jsonl` (300 rows) uses OOD, sentences met by nobody. Rows: id, question, answer (the
worked solution, which ends in "#### N"). Deterministic; the pre-training stream leaves these texts out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

from sdrl.embedded.problems.language import Problem, write_problem
from sdrl.embedded.problems.templates import HELD_OUT, OOD
from sdrl.embedded.problems.words import NOUNS

FILES = {HELD_OUT: ("word-problems-test.jsonl", 600), OOD: ("word-problems-ood.jsonl", 300)}
_SEED = 20261120
# Real nouns that pre-training does not use, so that the sets also ask for words never met.
_OTHER_NOUNS = tuple(
    "ligaments tendons enzymes neurons antibodies vertebrates glaciers earthquakes hurricanes telescopes satellites "
    "isotopes electrons catalysts hormones vitamins bacteria wages tariffs mortgages dividends treaties senators "
    "verdicts colonies pyramids temples sculptures violins sonnets metaphors pronouns theorems integrals hexagons "
    "volcanoes rivers islands forests deserts".split()
)


def problem_set(family: str) -> list[Problem]:
    """The problems of one test set, one to six steps in equal shares, no text twice.

    Raises:
        KeyError: the family has no test set.
    """
    rng = random.Random(f"{_SEED} {family}")
    found: dict[str, Problem] = {}
    while len(found) < FILES[family][1]:
        problem = write_problem(
            rng,
            family=family,
            n_steps=1 + len(found) % 6,
            distractor=rng.random() < 0.35,
            nouns=_OTHER_NOUNS if rng.random() < 0.5 else NOUNS,
        )
        found.setdefault(problem.text, problem)
    return list(found.values())


def held_back_texts() -> frozenset[str]:
    """All texts of both sets: what pre-training must leave out."""
    return frozenset(problem.text for family in FILES for problem in problem_set(family))


def rows(family: str) -> list[dict[str, str]]:
    """The rows of the file of one family."""
    prefix = "t" if family == HELD_OUT else "o"
    return [
        {"id": f"{prefix}{index:03d}", "question": problem.text, "answer": problem.solution()}
        for index, problem in enumerate(problem_set(family))
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sdrl.embedded.problems.sets", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    folder: Path = parser.parse_args(arguments).out
    folder.mkdir(parents=True, exist_ok=True)
    for family, (name, _) in FILES.items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(family)]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
