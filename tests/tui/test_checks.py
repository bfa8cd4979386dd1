"""docs/tui-checks.md names tests and figures that exist; and what holds of the app's own files."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tui-checks.md"
MOST_LINES = 400
MOST_OF_THE_APP = 300
LATER = {35}  # served to a browser


def test_every_test_and_figure_that_the_page_names_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^(?:async )?def (test_\w+)", tests, re.M))
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 60
    assert named <= defined, sorted(named - defined)
    bench = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "bench").glob("tui*.py"))
    for cell in re.findall(r"bench ((?:`[^`]+`(?:, )?)+)", page):
        for label in re.findall(r"`([^`]+)`", cell):
            assert f'"{label}' in bench, label


def test_every_check_has_a_row() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), re.M)]
    assert set(rows) == set(range(1, 40)) - LATER
    assert rows == sorted(rows)


def test_files_stay_small_and_threads_stay_out_of_widgets() -> None:
    files = [*(ROOT / "tui").rglob("*.py"), *(ROOT / "tui").rglob("*.tcss")]
    assert len(files) > 15
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MOST_LINES, path
        assert "call_from_thread" not in text, path
    app = ROOT / "tui" / "sdrl_tui" / "app.py"
    assert len(app.read_text(encoding="utf-8").splitlines()) < MOST_OF_THE_APP
