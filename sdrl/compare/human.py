"""Human training data of a suite: rows as the training stage takes them, without those that an evaluation set asks.

Reads the file or data set that ``human`` names, with the machinery of evaluation sets; writes nothing. Our departure
from the paper, which takes the training sets as they are: what comes back in an evaluation set is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.compare.cells import Cell
from sdrl.compare.loading import LoadedSuite
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


def human_samples(loaded: LoadedSuite, cell: Cell, compiled: Compiled) -> HumanSamples:
    """The human rows for a cell, in an order that the spec's seed decides and that is the same for all arms.

    Raises:
        SdrlError: they cannot be read (E542 to E546), or are not what the cell needs (E352).
    """
    plan = compiled.require()
    settings, verifier = plan.settings, Verifier.from_program(plan.verifier)
    rows = _rows(loaded, plan, verifier)
    asked = _asked(compiled)
    free = [row for row in rows if asked.find(row["input"]) is None]
    overlapping = len(rows) - len(free)
    if settings.train.algorithm == "rft":
        raise _refused(cell, "rft learns from the base model's draws", "train on human data with grpo, rloo or sft")
    if settings.train.algorithm == "sft":
        free = _solved(free, verifier)
    wanted = settings.select.samples if cell.arm.control.samples == "human-same" else 1
    if len(free) < wanted:
        message = f"{len(free)} of {len(rows)} human samples can be trained on, {wanted} are needed"
        advice = (
            "lower select.samples; for sft, gold needs a field with the solution and extract says where the answer is"
        )
        raise _refused(cell, message, advice)
    free.sort(key=lambda row: digest([settings.seed, "human", row["id"]]))
    return HumanSamples(b"".join(map(json_line, free)), len(free), overlapping)


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


def _solved(rows: list[Row], verifier: Verifier) -> list[Row]:
    """Rows whose solution, read as a completion, gives their own gold: others would teach another form."""
    with_one = [row for row in rows if row["solution"]]
    found = verifier.judge_many([(row["solution"], row["gold"], row["options"]) for row in with_one])
    return [row for row, each in zip(with_one, found, strict=True) if each.verdict == "correct"]


def _refused(cell: Cell, message: str, advice: str) -> SdrlError:
    return SdrlError("E352", f"{cell.name}: {message}", help=advice)
