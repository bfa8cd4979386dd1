"""Kills at random moments change no weight; any damage to any file of a checkpoint is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.checkpoints import is_valid, needed_by, newest_valid, step_of
from sdrl.training.job import TrainingJob, write_job
from tests.training.conftest import NUMBER

pytestmark = pytest.mark.slow

Make = Callable[..., TrainingJob]
KILLS = int(os.environ.get("SDRL_TEST_KILLS", "4"))  # make kills: more
# A random model now and then writes a digit and soon learns to: a look in the middle is the best one.
DIGITS: dict[str, Any] = {
    "verifier": NUMBER | {"extract": {"kind": "last_number"}},
    "reward": {"correct": 1, "wrong": 0, "parsable": 1, "truncated": 0},
    "rollouts": 8,
    "learning_rate": 3e-3,
    "epochs": 5,
    "eval_every": 3,
    "save_every": 2,
}


def jobs(make_job: Make, folder: Path) -> dict[str, TrainingJob]:
    """Two like jobs, long enough to be met by a kill, written where `tests.training.kills` looks."""
    made = {name: make_job(name, **DIGITS) for name in ("calm", "rough")}
    for name, job in made.items():
        write_job(job, folder / f"{name}.json")
    return made


def test_killed_at_random_moments_it_ends_with_the_same_weights(make_job: Make, tmp_path: Path) -> None:
    made = jobs(make_job, tmp_path)
    seed = int.from_bytes(os.urandom(4), "big")
    words = [sys.executable, "-m", "tests.training.kills", str(tmp_path), str(KILLS), str(seed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600 + 60 * KILLS)
    assert done.returncode == 0, (seed, done.stderr[-3000:])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert (found["kills"], found["status"], found["left"]) == (KILLS, ["ok", "ok"], []), (seed, found)
    assert found["rough"] == found["calm"], (seed, found)
    best = found["best_steps"][0]
    assert found["best_steps"] == [best, best] and 0 < best < 20, "what came out is neither the base nor the last step"
    assert found["calm"]["model"] != found["calm"]["last"]
    work = made["rough"].work_dir
    assert [path.name for path in work.glob("best-*")] == [f"best-{best}"]
    _every_damage_is_seen(work / "checkpoints")


def _every_damage_is_seen(folder: Path) -> None:
    """Each file of a real checkpoint cut short, with one bit changed, emptied, and gone: the one before is taken."""
    newest, passed_over = newest_valid(folder)
    assert newest is not None and passed_over == []
    assert all(needed_by(checkpoint) is not None for checkpoint in folder.glob("checkpoint-*"))
    tried = 0
    for damaged in _damages(newest):
        tried += 1
        assert not is_valid(newest), damaged
        found, over = newest_valid(folder)
        assert over == [newest], damaged
        assert found is not None and step_of(found) < step_of(newest)
    assert tried >= 4 * 8
    assert is_valid(newest)
    best = needed_by(newest)
    assert best is not None
    for damaged in _damages(best):
        assert not is_valid(newest), f"{best.name}: {damaged}"
    assert is_valid(newest)


def _damages(checkpoint: Path) -> Iterator[str]:
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        for name, content in (
            ("cut", whole[: len(whole) // 2]),
            ("bit", bytes(changed)),
            ("empty", b""),
            ("gone", None),
        ):
            path.unlink() if content is None else path.write_bytes(content)
            yield f"{path.name}: {name}"
            path.write_bytes(whole)
