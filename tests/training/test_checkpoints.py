"""Checkpoints: complete ones are found, damaged ones passed over, the best look chosen. No torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sdrl.training import checkpoints, validation
from sdrl.training.data import Row
from sdrl.training.generation import Completion
from sdrl.training.job import Curve
from sdrl.training.metrics import MetricsLog, read_metrics
from sdrl.verifier import Verifier
from tests.training.conftest import NUMBER


def checkpoint(folder: Path, step: int, needs: Path | None = None) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    (path / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (path / "optimizer.pt").write_bytes(b"state" * 100)
    checkpoints.mark_complete(path, needs)
    return path


def best_weights(work: Path, step: int) -> Path:
    path = work / f"best-{step}"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"weights" * 100)
    checkpoints.mark_complete(path)
    return path


def look(step: int, accuracy: float, parsable: float = 1.0) -> Curve:
    return Curve(step=step, accuracy=accuracy, parsable=parsable, rows=10)


def test_the_newest_complete_checkpoint_is_chosen_by_number(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        checkpoint(tmp_path, step)
    assert checkpoints.newest_valid(tmp_path) == (tmp_path / "checkpoint-100", [])


@pytest.mark.parametrize("damage", ["truncated", "changed", "removed", "unmarked", "state"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path, damage: str) -> None:
    good, bad = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20)
    target = bad / "optimizer.pt"
    if damage == "truncated":
        target.write_bytes(target.read_bytes()[:-1])
    elif damage == "changed":
        target.write_bytes(b"X" + target.read_bytes()[1:])
    elif damage == "removed":
        target.unlink()
    elif damage == "unmarked":
        (bad / checkpoints.MARKER).unlink()
    else:
        (bad / "trainer_state.json").write_text("{")
    assert checkpoints.newest_valid(tmp_path) == (good, [bad])
    checkpoints.discard([bad])
    assert not bad.exists()


@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_checkpoint_whose_best_weights_are_damaged_is_passed_over(tmp_path: Path, damage: str) -> None:
    """Gone on from, it could not give the model that an undisturbed training gives."""
    folder = tmp_path / "work" / "checkpoints"
    good = checkpoint(folder, 10, best_weights(tmp_path / "work", 5))
    best = best_weights(tmp_path / "work", 15)
    bad = checkpoint(folder, 20, best)
    assert checkpoints.newest_valid(folder) == (bad, [])
    assert checkpoints.needed(folder) == {"best-5", "best-15"}
    if damage == "changed":
        (best / "model.safetensors").write_bytes(b"weighty" * 100)
    else:
        shutil.rmtree(best)
    assert checkpoints.newest_valid(folder) == (good, [bad])


def test_no_checkpoint_at_all_is_a_fresh_start(tmp_path: Path) -> None:
    assert checkpoints.newest_valid(tmp_path / "missing") == (None, [])


def test_the_best_look_is_the_most_accurate_then_the_more_parsable_then_the_earlier() -> None:
    assert checkpoints.best([look(0, 0.5), look(5, 0.7), look(10, 0.6)]) == look(5, 0.7)
    assert checkpoints.best([look(5, 0.7, 0.8), look(10, 0.7, 0.9)]) == look(10, 0.7, 0.9)
    assert checkpoints.best([look(5, 0.7), look(10, 0.7)]) == look(5, 0.7)
    assert checkpoints.best([]) is None


@pytest.mark.parametrize("right", [1, 2])
def test_a_look_read_back_after_a_kill_is_no_better_or_worse_than_it_was(right: int, tmp_path: Path) -> None:
    """A third has no end; cut short in the file, it must not lose to an equal look that comes later."""
    rows = [Row(id=str(n), prompt="", gold="1") for n in range(3)]
    done = [Completion("1" if n < right else "2", (1,), is_truncated=n == 0) for n in range(3)]
    judge = Verifier.from_program(NUMBER | {"extract": {"kind": "last_number"}})
    first, later = (validation.score(step, rows, done, judge) for step in (4, 8))
    log = MetricsLog(tmp_path / "metrics.jsonl")
    log.write(validation.metrics_row(first))
    log.close()
    read_back = validation.curve_of(read_metrics(tmp_path / "metrics.jsonl"), up_to=4)
    assert read_back == [first]
    assert checkpoints.best([*read_back, later]) == checkpoints.best([first, later]) == first


def test_patience_counts_looks_since_the_best() -> None:
    curve = [look(0, 0.5), look(5, 0.7), look(10, 0.6), look(15, 0.7)]
    assert not checkpoints.is_out_of_patience(curve, 3)
    assert checkpoints.is_out_of_patience(curve, 2)
    assert not checkpoints.is_out_of_patience(curve, None)


def test_a_folder_is_swapped_in_whole(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "weights").touch()
    checkpoints.swap_folder(tmp_path / "new", tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["weights"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
