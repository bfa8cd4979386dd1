"""The lenient reading: what it finds for each type of answer, that it takes nothing back, and where it stands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sdrl.stages.leniently import also_leniently, lenient_verifier
from sdrl.stages.statistics import measures
from sdrl.verifier import Verifier

NUMBER = {"type": "number", "extract": {"kind": "marker", "marker": "####"}}
CHOICE = {"type": "choice", "options": ["A", "B", "C"], "extract": {"kind": "tag", "name": "answer"}}
LABEL = {"type": "label", "options": {"no": ["none (0)"], "nothing at all": []}, "extract": CHOICE["extract"]}
TRUTH = {"type": "boolean", "options": {"true": ["yes"], "false": ["no"]}, "extract": CHOICE["extract"]}
READ = (
    (NUMBER, "The sum is 18.", "18", True),
    (NUMBER, "First 18, then 19.", "18", False),
    (NUMBER, "18 #### 19", "18", False),  # what the strict reading takes stands
    (NUMBER, "<think>18", "18", False),
    ({**NUMBER, "type": "math", "extract": {"kind": "boxed"}}, "So x is 18.", "18", True),
    (CHOICE, "I take (B), a good one.", "B", True),
    (CHOICE, "Beside C nothing is left.", "B", False),
    (LABEL, "There is Nothing at all", "nothing at all", True),
    (LABEL, "I count none (0", "no", False),
    (TRUTH, "Well, YES", "true", True),
    (TRUTH, "Yes. No!", "true", False),
)


def answers(program: dict[str, Any], completion: str, gold: str) -> list[dict[str, Any]]:
    verdict = Verifier.from_program(program).judge(completion, gold, None).verdict
    problem = {"gold": gold, "options": None}
    judged = [{"completion": completion, "verdict": verdict, "problem": "p", "run": 0, "finish_reason": "stop"}]
    return [dict(row) for row in asyncio.run(also_leniently(lenient_verifier(program), problem, judged))]


@pytest.mark.parametrize(("program", "completion", "gold", "right"), READ)
def test_an_answer_that_stands_elsewhere_is_found(
    program: dict[str, Any], completion: str, gold: str, right: bool
) -> None:
    assert [row["lenient"] for row in answers(program, completion, gold)] == [right]


def test_what_is_right_stays_right_and_accuracy_is_told_beside() -> None:
    rows = [*answers(NUMBER, "#### 18, I think", "18"), *answers(NUMBER, "#### 18", "18")]
    rows += [{**row, "problem": "q"} for row in answers(NUMBER, "it is 18", "18")]
    found = measures(rows)
    assert found is not None and found["accuracy_lenient"] >= found["accuracy"] > 0
    assert measures([{key: row[key] for key in row if key != "lenient"} for row in rows]) == {
        key: found[key] for key in found if key != "accuracy_lenient"
    }


@pytest.mark.parametrize(
    "program",
    [
        {"type": "number", "extract": {"kind": "last_number"}},
        {"type": "text", "extract": {"kind": "whole"}},
        {"type": "set", "extract": {"kind": "whole"}},
        {"type": "json", "extract": {"kind": "whole"}},
    ],
)
def test_where_there_is_no_such_reading_rows_say_nothing(program: dict[str, Any]) -> None:
    assert lenient_verifier(program) is None
    assert "lenient" not in answers(program, "x 18", "18")[0]
