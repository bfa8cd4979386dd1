"""The programs and verdicts of every answer type are those of the golden files; see ``golden.py``."""

from __future__ import annotations

import io
import json

import pytest

from sdrl.cli.verify_rows import Lines
from sdrl.cli.verify_workers import Workers
from sdrl.verifier import Verifier
from sdrl.verifier.program import TYPES
from tests.verifier.golden import ANSWERS, FOLDER, program_text, verdicts

JUDGED = [name for name in ANSWERS if name != "program"]


def test_every_answer_type_has_its_golden_files() -> None:
    assert set(ANSWERS) == set(TYPES)


@pytest.mark.parametrize("name", list(ANSWERS))
def test_the_program_is_the_golden_one(name: str) -> None:
    assert program_text(name) == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", JUDGED)
def test_the_verdicts_are_the_golden_ones(name: str) -> None:
    assert verdicts(name).decode() == (FOLDER / f"{name}.out.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", JUDGED)
def test_worker_processes_give_the_same_bytes(name: str) -> None:
    program = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    rows = (FOLDER / f"{name}.in.jsonl").read_bytes()
    with Workers(program, Verifier.from_program(program), 2) as workers:
        outcomes = list(workers.judged(Lines(io.BytesIO(rows), 300)))  # a few rows a batch
    assert len(outcomes) > 1
    assert b"".join(each.output for each in outcomes) == (FOLDER / f"{name}.out.jsonl").read_bytes()
