"""Answers that the tolerance would take 0 for (W514), and what is none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.tiny_golds import is_tiny
from tests.compiler.project import SPEC, write_project, write_rows


@pytest.mark.parametrize(
    ("canonical", "tiny"),
    [
        ("0.000001", True),
        ("-0.0000005", True),
        ("1/2000000", True),
        ("0.0000011", False),
        ("0", False),
        ("1/2", False),
        ("x^2", False),
    ],
)
def test_tiny_is_within_the_tolerance_of_zero_and_not_zero(canonical: str, tiny: bool) -> None:
    assert is_tiny(canonical, Decimal("1e-6")) is tiny


def found(compiled: Compiled) -> list[str]:
    return [item.message for item in compiled.diagnostics if item.code == "W514"]


def test_the_first_row_of_a_set_and_a_demo_are_named(tmp_path: Path) -> None:
    path = write_project(tmp_path, SPEC.replace("#### 5", "#### 2e-7"))
    rows = [{"question": f"q {n}", "answer": f"#### {gold}"} for n, gold in enumerate(["0.5", "0", "3e-9", "4e-9"])]
    write_rows(tmp_path / "test.jsonl", rows)
    messages = found(compile_spec(path))
    assert len(messages) == 2
    assert any("0.0000002" in message for message in messages)
    assert any(message.startswith("test.jsonl:3: ") for message in messages)


def test_a_relative_tolerance_has_no_such_answers(tmp_path: Path) -> None:
    spec = SPEC.replace("#### 5", "#### 2e-7").replace(
        'extract: {marker: "####"}', 'extract: {marker: "####"}\n  tolerance: {abs: 0, rel: 1e-6}', 1
    )
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None
    assert found(compiled) == []
