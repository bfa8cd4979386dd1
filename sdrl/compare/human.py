"""Human training data of a suite: rows as the training stage takes them, without those that an evaluation set asks.

Reads the file or data set that ``human`` names, with the machinery of evaluation sets; writes nothing. Our departure
from the paper, which takes the training sets as they are: what comes back in an evaluation set is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.compare.loading import LoadedSuite
from sdrl.compare.suite import Arm
from sdrl.compiler import evaluations
from sdrl.compiler.canonical import digest, digest_bytes, json_line
from sdrl.compiler.compile import Compiled
from sdrl.compiler.hub import Resources
from sdrl.compiler.overlap import Overlap
from sdrl.compiler.plan import Plan
from sdrl.spec.diagnostics import SdrlError
from sdrl.verifier import Verifier

Row = dict[str, Any]


@dataclass(frozen=True)
class HumanSamples:
    """``content``: lines of {id, input, gold, options, solution}; ``overlapping``: how many an evaluation set asks."""

    content: bytes
    rows: int
    overlapping: int

    @property
    def sha256(self) -> str:
        """Digest of the content."""
        return digest_bytes(self.content)


def human_samples(loaded: LoadedSuite, arm: Arm, compiled: Compiled) -> HumanSamples:
    """The human rows for an arm, in an order that the spec's seed decides and that is the same for all arms.

    Raises:
        SdrlError: they cannot be read (E542 to E546), or are not what the arm needs (E352).
    """
    plan = compiled.require()
    settings = plan.settings
    free, read = free_rows(loaded, compiled)
    overlapping = read - len(free)
    if settings.train.algorithm == "rft":
        raise _refused("rft learns from the base model's draws", "train on human data with grpo, rloo or sft")
    if settings.train.algorithm == "sft":
        free = solved(free, Verifier.from_program(plan.verifier))
    wanted = settings.select.samples if arm.control.samples == "human-same" else 1
    if len(free) < wanted:
        asked = f" ({overlapping} stand in an evaluation set)" * bool(overlapping)
        needed = f"{wanted} {'is' if wanted == 1 else 'are'} needed"
        message = f"{len(free)} of {read} human samples can be trained on{asked}, {needed}"
        advice = (
            "lower select.samples; for sft, gold needs a field with the solution and extract says where the answer is"
        )
        raise _refused(message, advice)
    return HumanSamples(b"".join(map(json_line, free)), len(free), overlapping)


def free_rows(loaded: LoadedSuite, compiled: Compiled) -> tuple[list[Row], int]:
    """The human rows that no evaluation set asks, in the order that all arms take them, and how many were read.

    Raises:
        SdrlError: they cannot be read (E542 to E546).
    """
    plan = compiled.require()
    rows = _rows(loaded, plan, Verifier.from_program(plan.verifier))
    asked = _asked(compiled)
    free = [row for row in rows if asked.find(row["input"]) is None]
    free.sort(key=lambda row: digest([plan.settings.seed, "human", row["id"]]))
    return free, len(rows)


def _rows(loaded: LoadedSuite, plan: Plan, verifier: Verifier) -> list[Row]:
    human = loaded.suite.human
    assert human is not None  # loading refuses an arm on human data without any
    frozen = evaluations.freeze(
        human.as_evaluation(),
        0,
        loaded.path.parent,
        Resources(pin=True),
        program=plan.verifier,
        seed=plan.settings.seed,
        verifier=verifier,
    )
    for code, key, message, help_ in frozen.problems:
        raise SdrlError(code, f"human{'.' * bool(key)}{key}: {message}", help=help_)
    rows = [json.loads(line) for line in frozen.content.splitlines()]
    worked: Sequence[str | None] = frozen.worked or [None] * len(rows)
    return [{"options": None, **row, "solution": solution} for row, solution in zip(rows, worked, strict=True)]


def _asked(compiled: Compiled) -> Overlap:
    """Every input of the evaluation sets."""
    overlap = Overlap()
    for evaluation in compiled.require().evaluations:
        lines = compiled.files.get(evaluation.file, b"").splitlines()
        overlap.add(evaluation.name, [json.loads(line)["input"] for line in lines])
    return overlap


def solved(rows: list[Row], verifier: Verifier) -> list[Row]:
    """Rows whose solution, read as a completion, gives their own gold: others would teach another form."""
    with_one = [row for row in rows if row["solution"]]
    found = verifier.judge_many([(row["solution"], row["gold"], row["options"]) for row in with_one])
    return [row for row, each in zip(with_one, found, strict=True) if each.verdict == "correct"]


def _refused(message: str, advice: str) -> SdrlError:
    return SdrlError("E352", message, help=advice)
