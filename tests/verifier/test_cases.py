"""The policy as tables: every row of ``cases/*.jsonl`` is (slot, gold, verdict), written from the policy by hand.

A line that is an object opens a section: ``about``, ``program``, ``template`` (how the slot stands in the completion)
and ``options``. To add a row, add a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sdrl.verifier import Verifier

CASES = Path(__file__).with_name("cases")


@dataclass(frozen=True)
class Case:
    place: str
    about: str
    program: str
    options: dict[str, str] | None
    completion: str
    gold: str
    verdict: str


def read_cases() -> Iterator[Case]:
    for file in sorted(CASES.glob("*.jsonl")):
        header: dict[str, Any] = {}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            row = json.loads(line)
            if isinstance(row, dict):
                header = row
                continue
            slot, gold, verdict = row
            completion = header["template"].replace("{}", slot)
            program = json.dumps(header["program"])
            place = f"{file.stem}:{number}"
            yield Case(place, header["about"], program, header.get("options"), completion, gold, verdict)


ALL = list(read_cases())


@cache
def verifier(program: str) -> Verifier:
    return Verifier.from_program(json.loads(program))


@pytest.mark.parametrize("case", ALL, ids=[case.place for case in ALL])
def test_the_verdict_is_what_the_policy_says(case: Case) -> None:
    found = verifier(case.program).judge(case.completion, case.gold, case.options)
    assert (found.verdict, case.completion) == (case.verdict, case.completion), f"{case.about}: {found}"


@pytest.mark.parametrize("program", sorted({case.program for case in ALL}))
def test_many_judgements_are_the_single_ones(program: str) -> None:
    cases = [case for case in ALL if case.program == program]
    many = verifier(program).judge_many([(case.completion, case.gold, case.options) for case in cases])
    assert [found.verdict for found in many] == [case.verdict for case in cases]


def test_there_are_enough_rows_of_every_verdict() -> None:
    verdicts = [case.verdict for case in ALL]
    assert len(ALL) >= 250
    assert set(verdicts) == {"correct", "incorrect", "unparsable", "error"}
