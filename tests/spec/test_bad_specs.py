"""Each code of the language has a spec that earns it, and the text a user then reads is a golden file.

``bad/CODE.yaml`` (or ``CODE_variant.yaml``) beside ``bad/CODE.txt``; ``python tests/spec/test_bad_specs.py`` writes the
texts anew, to be read in the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.spec.codes import CODES
from sdrl.spec.loader import load_spec
from sdrl.spec.render import render_text

BAD = Path(__file__).parent / "bad"
FIXTURES = sorted(BAD.glob("*.yaml"))
# earned by files that cannot be kept as fixtures: test_hostile_files.py
ELSEWHERE = {"E101", "E102", "E107"}
# reported by the compiler, which knows templates
COMPILERS = {"E301", "E302", "E304", "E305", "E306"}


def rendered(path: Path) -> str:
    """What ``sdrl validate`` prints for a fixture, independent of the folder it lies in."""
    loaded = load_spec(path.name, text=path.read_text(encoding="utf-8")) if is_text(path) else load_spec(path)
    return render_text(loaded.diagnostics).replace(f"{BAD}/", "")


def is_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_bad_spec_reads_as_its_golden_text(path: Path) -> None:
    text = rendered(path)
    assert f" {path.stem[:4]} " in text
    assert text == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_bad_spec_says_nothing_else(path: Path) -> None:
    codes = {line.split(": ", 1)[1][:4] for line in rendered(path).splitlines() if line.startswith(path.name)}
    assert codes == {path.stem[:4]}


def test_every_code_of_the_language_has_a_fixture() -> None:
    language = {code for code in CODES if code[:2] in ("E1", "E2", "E3", "W3")} | {"E511"}
    assert language - COMPILERS - ELSEWHERE == {path.stem[:4] for path in FIXTURES}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_problem_has_a_place_in_the_file(path: Path) -> None:
    lines = path.read_bytes().decode(errors="replace").split("\n")
    for item in load_spec(path).diagnostics:
        assert item.line is not None and item.column is not None
        assert 1 <= item.line <= len(lines)
        assert 1 <= item.column <= len(lines[item.line - 1]) + 1


if __name__ == "__main__":
    for fixture in FIXTURES:
        fixture.with_suffix(".txt").write_text(rendered(fixture), encoding="utf-8")
