"""The policy as tables: every row of ``cases/*.jsonl`` is (slot, gold, verdict[, prediction]), written by hand.

The verdict of a row is written from the policy (design, the verifier) before the code is asked; where both disagree the
code is mended and the row stays. A line that is an object opens a section: ``about``, ``program``, ``template`` (how
the slot stands in the completion) and ``options``. To add a row, add a line.
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
from sdrl.verifier.program import EXTRACTORS, TAKES, TYPES

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
    prediction: str | None


def read_cases() -> Iterator[Case]:
    for file in sorted(CASES.glob("*.jsonl")):
        header: dict[str, Any] = {}
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            row = json.loads(line)
            if isinstance(row, dict):
                header = row
                continue
            slot, gold, verdict, *more = row
            completion = header["template"].replace("{}", slot)
            program = json.dumps(header["program"])
            place = f"{file.stem}:{number}"
            yield Case(
                place, header["about"], program, header.get("options"), completion, gold, verdict, *(more or [None])
            )


ALL = list(read_cases())


@cache
def verifier(program: str) -> Verifier:
    return Verifier.from_program(json.loads(program))


@pytest.mark.parametrize("case", ALL, ids=[case.place for case in ALL])
def test_the_verdict_is_what_the_policy_says(case: Case) -> None:
    found = verifier(case.program).judge(case.completion, case.gold, case.options)
    assert found.verdict == case.verdict, f"{case.about}: {case.completion!r} against {case.gold!r}: {found}"
    assert case.prediction in (None, found.prediction), f"{case.about}: {case.completion!r}"


@pytest.mark.parametrize("program", sorted({case.program for case in ALL}))
def test_many_judgements_are_the_single_ones(program: str) -> None:
    cases = [case for case in ALL if case.program == program]
    many = verifier(program).judge_many([(case.completion, case.gold, case.options) for case in cases])
    assert [found.verdict for found in many] == [case.verdict for case in cases]


def test_there_are_enough_rows_and_no_row_stands_twice() -> None:
    assert len(ALL) >= 2_000
    assert {case.verdict for case in ALL} == {"correct", "incorrect", "unparsable", "error"}
    seen: dict[tuple[object, ...], str] = {}
    for case in ALL:
        key = (case.program, json.dumps(case.options), case.completion, case.gold)
        assert key not in seen, f"{case.place} repeats {seen[key]}"
        seen[key] = case.place


def test_every_type_and_every_extractor_with_every_take_has_rows_of_both_kinds() -> None:
    kinds: dict[tuple[str, ...], set[str]] = {}
    for case in ALL:
        program = json.loads(case.program)
        kinds.setdefault((program["type"],), set()).add(case.verdict)
        kinds.setdefault((program["extract"]["kind"], program.get("take", "last")), set()).add(case.verdict)
    wanted = {(kind,) for kind in TYPES if kind != "program"}  # an installed package's type: test_plugin.py
    wanted |= {(kind, take) for kind in EXTRACTORS for take in TAKES if (kind, take) != ("whole", "first")}
    assert wanted <= set(kinds)
    assert not [key for key in wanted if not {"correct", "incorrect"} <= kinds[key]]
