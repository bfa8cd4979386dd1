"""The registry of synthesis methods, the language and docs/methods.md say the same; golden prompts of each method."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from sdrl.methods import METHODS
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE
from sdrl.spec.stage_keys import Synthesize
from tests.compiler.golden import METHODS_FOLDER, kinds_of, method_text

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_language_accepts_the_methods_of_the_table() -> None:
    assert set(typing.get_args(Synthesize.model_fields["method"].annotation)) == set(METHOD_TABLE)
    assert set(METHODS) == set(METHOD_TABLE)


def test_the_page_has_the_table() -> None:
    lines = [
        f"| `{name}` | {method.does} | {', '.join(method.needs)} "
        f"| {', '.join(method.reads)} | {method.source} |".replace("|  |", "| |")
        for name, method in METHOD_TABLE.items()
    ]
    page = PAGE.read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `")] == lines
    for name, method in METHOD_TABLE.items():
        for departure in method.departures:
            assert f"\n- {departure}\n" in page, f"{name}: {departure}"


def test_only_grounded_is_decided_by_the_scripted_instructor() -> None:
    assert [name for name, method in METHOD_TABLE.items() if method.scripted] == [GROUNDED]


@pytest.mark.parametrize(
    ("name", "answers"), [(name, answers) for name in METHODS if name != GROUNDED for answers in kinds_of(name)]
)
def test_a_method_sends_its_golden_prompts(name: str, answers: str, tmp_path: Path) -> None:
    expected = (METHODS_FOLDER / f"{name}-{answers}.txt").read_text(encoding="utf-8")
    assert method_text(name, answers, tmp_path) == expected
