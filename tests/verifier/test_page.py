"""Every example of ``docs/verifier.md`` is what the verifier says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import sdrl.verifier
from sdrl.verifier import Verifier
from sdrl.verifier.program import EXTRACTORS, KEYS, TAKES, TYPES

PAGE = (Path(__file__).parents[2] / "docs" / "verifier.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(json|jsonl|python)\n(.*?)^```", re.M | re.S)


def examples() -> list[tuple[str, dict[str, Any]]]:
    """(program, row) of every row, each under the program before it."""
    found, program = [], ""
    for kind, text in BLOCK.findall(PAGE):
        if kind == "json":
            program = text
        elif kind == "jsonl":
            found += [(program, json.loads(row)) for row in text.splitlines()]
    return found


@pytest.mark.parametrize(("program", "row"), examples())
def test_the_row_has_the_verdict_the_page_gives_it(program: str, row: dict[str, Any]) -> None:
    found = Verifier.from_program(json.loads(program)).judge(row["completion"], row["gold"], row.get("options"))
    assert found.verdict == row["verdict"], found
    assert found.prediction == row.get("prediction", found.prediction)


def test_the_lines_of_python_give_what_their_comments_say() -> None:
    code = next(text for kind, text in BLOCK.findall(PAGE) if kind == "python")
    names: dict[str, Any] = {}
    checked = 0
    for line in code.splitlines():
        statement, _, said = line.partition("  # ")
        if not said:
            exec(statement, names)
            continue
        assert eval(statement, names) == ast.literal_eval(said.split(": where")[0]), line
        checked += 1
    assert checked >= 6
    assert names["Verifier"] is sdrl.verifier.Verifier


def test_the_page_names_every_key_type_extractor_and_take() -> None:
    kinds = [f"kind: {kind}" for kind in EXTRACTORS]
    words = [f"`{word}`" for word in (*KEYS, *TYPES, *TAKES)]
    assert [word for word in (*kinds, *words) if word not in PAGE] == []


def test_every_type_and_extractor_has_an_example() -> None:
    programs = [json.loads(program) for program, _ in examples()]
    assert {program["type"] for program in programs} == set(TYPES) - {"program"}
    assert {program["extract"]["kind"] for program in programs} == set(EXTRACTORS)
