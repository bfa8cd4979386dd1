"""The table of codes and the code that reports them agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sdrl
from sdrl.spec import codes_language, codes_lints, codes_plan, codes_run
from sdrl.spec.codes import CODES, Code, find

SOURCES = [path for path in Path(sdrl.__file__).parent.rglob("*.py") if not path.name.startswith("codes")]


def test_no_code_means_two_things() -> None:
    rows = [row[0] for table in (codes_language, codes_lints, codes_plan, codes_run) for row in table.ROWS]
    assert len(rows) == len(set(rows))


def test_every_code_that_is_reported_can_be_explained() -> None:
    used = {code for path in SOURCES for code in re.findall(r'"([EW][1-8]\d\d)"', path.read_text(encoding="utf-8"))}
    assert used - set(CODES) == set()


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_code_is_explained_in_full(code: Code) -> None:
    assert re.fullmatch(r"[EW][1-8]\d\d", code.code)
    assert code.title and code.bad and code.good
    assert code.what.endswith(".") and code.why.endswith(".")
    assert code.bad != code.good


def test_a_code_is_found_whatever_its_case() -> None:
    assert find(" e205 ") == CODES["E205"]
    assert find("E999") is None
