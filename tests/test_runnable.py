"""What `make` and the documents run by name can be imported: a benchmark that nobody started lately is not broken."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "tests").rglob("*.py")
    if path.stem not in ("__main__", "conftest", "fake_python")  # the last is a script that ends its process
    and not path.stem.startswith("test_")
)


def test_there_are_such_modules() -> None:
    assert {"tests.faults.many_calls", "tests.models.bench_calls", "tests.bench.tui"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_tests_can_be_imported(name: str) -> None:
    assert importlib.import_module(name).__doc__, "it says what it is for"
