"""``sdrl gc``: what no run names goes, and nothing else; a run is not disturbed, and goes on with what it had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.run.lock import hold

KEPT = ("a" * 64, "b" * 64, "c" * 64)  # of a plan, of a seal, an index
SPARE = ("d" * 64, f".{'e' * 64}.77", "f" * 64)


def write(path: Path, text: str = "x" * 1000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store, and a run of a suite's cell that needs some of it."""
    monkeypatch.chdir(tmp_path)
    for name in (*KEPT[:2], *SPARE[:2]):
        write(tmp_path / ".sdrl/artifacts" / name / "vote.jsonl")
    for name in (KEPT[2], SPARE[2]):
        write(tmp_path / ".sdrl/indexes" / name / "meta.json")
    write(tmp_path / ".sdrl/requests.sqlite", "paid for")
    write(tmp_path / "elsewhere/file")
    (tmp_path / ".sdrl/artifacts/linked").symlink_to(tmp_path / "elsewhere")
    run = tmp_path / "runs/suite/cells/one"
    write(run / "events.jsonl", "")
    write(run / "plan/plan.json", json.dumps({"stages": [{"name": "vote", "hash": KEPT[0]}]}))
    write(run / "artifacts/retrieve.seal.json", json.dumps({"hash": KEPT[1], "notes": {"index": KEPT[2]}}))
    write(run / "artifacts/vote.seal.json", "torn {")
    return tmp_path


def names(root: Path) -> set[str]:
    return {path.name for kind in ("artifacts", "indexes") for path in (root / ".sdrl" / kind).iterdir()}


def test_nothing_goes_without_a_yes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(here)
    assert main(["gc"]) == 0
    said = capsys.readouterr().out
    assert names(here) == before
    assert [line.split()[-4:] for line in said.splitlines()[:2]] == [
        ["stages", "2", "0.0", "MB"],
        ["indexes", "1", "0.0", "MB"],
    ]
    assert "--yes removes them" in said


def test_what_no_run_names_goes_and_replies_stay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "--yes"]) == 0
    assert "replies are kept" in capsys.readouterr().out
    assert names(here) == {*KEPT, "linked"}
    assert (here / ".sdrl/requests.sqlite").read_text() == "paid for"
    assert (here / "elsewhere/file").exists()
    assert main(["gc", "--yes"]) == 0
    assert "nothing to free" in capsys.readouterr().out


def test_a_run_under_way_keeps_all(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(here)
    with hold(here / "runs/suite/cells/one/lock"):
        assert main(["gc", "--yes"]) == 5
    assert "is under way" in capsys.readouterr().err
    assert names(here) == before


def test_a_folder_of_runs_that_is_not_there_makes_nothing_spare(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(here)
    assert main(["gc", "rums", "--yes"]) == 2
    assert "there is no folder rums" in capsys.readouterr().err
    assert names(here) == before


def test_without_a_store_it_says_how_to_name_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gc", "--store", "none"]) == 2
    assert "sdrl gc --store DIR" in capsys.readouterr().err
