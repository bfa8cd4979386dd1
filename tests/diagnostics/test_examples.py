"""The bad example of a code earns it, and the good one is a spec without it, wherever both are YAML of a spec."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.spec.codes import CODES, Code
from sdrl.spec.loader import load_spec
from tests.diagnostics.examples import embedded, write_files

# earned by a suite, by a file that an example can only describe, or by templates, programs and chat models it names
DESCRIBED = {
    "E101",
    "E102",
    "E103",
    "E104",
    "E107",
    "E114",
    "E301",
    "E302",
    "E304",
    "E305",
    "E306",
    "E350",
    "E351",
    "E352",
    "E411",
    "E548",
    "E503",
}
COMPILED = ("E4", "E5")
CHECKED = [
    code
    for code in CODES.values()
    if code.code[:2] in ("E1", "E2", "E3", "W3", *COMPILED)
    and code.code not in DESCRIBED
    and embedded(code.code, code.bad) is not None
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("examples")
    write_files(made)
    return made


def codes(code: str, example: str, folder: Path) -> list[str]:
    """What the example earns in its small spec."""
    text = embedded(code, example)
    assert text is not None
    path = folder / "small.yaml"
    with contextlib.chdir(folder):
        if code.startswith(COMPILED):
            return [item.code for item in compile_spec(path, text=text).diagnostics]
        return [item.code for item in load_spec(path, text=text).diagnostics]


@pytest.mark.parametrize("code", CHECKED, ids=lambda code: code.code)
def test_the_bad_example_earns_its_code_and_the_good_one_does_not(code: Code, folder: Path) -> None:
    assert code.code in codes(code.code, code.bad, folder)
    if embedded(code.code, code.good) is not None:
        assert code.code not in codes(code.code, code.good, folder)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_good_example_that_is_a_spec_is_a_right_one(code: Code, folder: Path) -> None:
    text = embedded(code.code, code.good)
    if text is None or code.code.startswith("E1"):
        assert code.good  # a command, a template or a part of a spec
        return
    found = load_spec(folder / "small.yaml", text=text).diagnostics
    assert [item for item in found if item.is_error] == []


def test_most_codes_of_the_language_have_examples_that_are_checked() -> None:
    language = {code for code in CODES if code[:2] in ("E1", "E2", "E3", "W3")}
    assert language - {code.code for code in CHECKED} <= DESCRIBED
