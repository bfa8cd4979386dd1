"""Specs that earn a code each, and the texts a user then reads as golden files.

``bad/CODE.yaml`` (or ``CODE_variant.yaml``) beside ``bad/CODE.txt``; ``make golden`` writes the texts anew, to be read
in the diff. That every code has a fixture is tested in tests/diagnostics.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.spec.loader import load_spec
from sdrl.spec.render import render_text
from sdrl.spec.source import lines_of

BAD = Path(__file__).parent / "bad"
FIXTURES = sorted(BAD.glob("*.yaml"))


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


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_problem_has_a_place_in_the_file(path: Path) -> None:
    lines = lines_of(path.read_bytes().decode(errors="replace"))
    for item in load_spec(path).diagnostics:
        assert item.line is not None and item.column is not None
        assert 1 <= item.line <= len(lines)
        assert 1 <= item.column <= len(lines[item.line - 1]) + 1


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_error_says_one_way_to_mend_it(path: Path) -> None:
    assert [item.message for item in load_spec(path).diagnostics if item.is_error and not item.help] == []
