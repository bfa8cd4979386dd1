"""The training process as a run uses it: started by accelerate, killed, resumed. Real torch and trl."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.job import OUTCOME, Outcome, TrainingJob, write_job
from sdrl.training.launch import run_training
from sdrl.training.metrics import read_metrics

pytest.importorskip("trl")
pytestmark = pytest.mark.slow

Make = Callable[..., TrainingJob]

PARENT = """
import asyncio, json, pathlib, sys
from sdrl.training.job import read_job
from sdrl.training.launch import run_training
job = read_job(pathlib.Path(sys.argv[1]))
asyncio.run(run_training(job, on_metrics=lambda row: print(json.dumps(row), flush=True)))
"""


def weights_sha(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def run(job: TrainingJob, on_metrics: Callable[[dict[str, Any]], None] = lambda row: None) -> Outcome:
    return asyncio.run(run_training(job, on_metrics=on_metrics))


def wait_for_end(pid: int, seconds: float = 20.0) -> bool:
    """Return whether a process that is no child of ours ended in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def kill_parent_at_step(job: TrainingJob, step: int, folder: Path) -> int:
    """Train below a parent that is killed once `step` is reported; returns the training process's id."""
    job_file = write_job(job, folder / "handed.json")
    pid = 0
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(job_file)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            row = json.loads(line)
            pid = row.get("pid", pid)
            if row.get("step", -1) >= step and "loss" in row:
                break
        parent.kill()
    return pid


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    # A random model is never right, so the length decides the reward here: something to learn from.
    reward = {"correct": 1, "wrong": 0, "parsable": 0.5, "truncated": -1}
    return {"epochs": 2, "eval_every": 4, "save_every": 2, "reward": reward, "max_completion_tokens": 24, "rollouts": 8}


def test_killed_and_damaged_it_ends_with_the_weights_of_an_undisturbed_training(
    make_job: Make, settings: dict[str, Any], tmp_path: Path
) -> None:
    calm = make_job("calm", validation_rows=None, **settings)
    seen: list[dict[str, Any]] = []
    outcome = run(calm, seen.append)
    assert (outcome.status, outcome.final_step, outcome.best_step) == ("ok", 8, 8), outcome
    assert [row["step"] for row in seen if "loss" in row] == list(range(1, 9))
    row = next(row for row in seen if "loss" in row)
    assert set(row["rewards"]) == {"correct", "wrong", "parsable", "truncated"}
    assert row["reward"] == pytest.approx(
        row["rewards"]["correct"] + 0.5 * row["rewards"]["parsable"] - row["rewards"]["truncated"], abs=1e-5
    )
    assert row["kl"] is not None and row["entropy"] > 0 and row["max_steps"] == 8

    rough = make_job("rough", validation_rows=None, **settings)
    trainer_pid = kill_parent_at_step(rough, 3, tmp_path)
    assert wait_for_end(trainer_pid), "the training process outlived its parent"
    assert not (rough.work_dir / OUTCOME).exists()

    def kill_at_six(row: dict[str, Any]) -> None:
        if "pid" in row:
            seen.append(row)
        if row.get("step") == 6 and "loss" in row:
            os.kill(seen[-1]["pid"], signal.SIGKILL)

    killed = run(rough, kill_at_six)
    assert (killed.status, killed.code) == ("failed", "E805"), killed
    newest = max((rough.work_dir / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    optimizer = newest / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-100])

    resumed = run(rough)
    assert resumed.status == "ok", resumed
    assert resumed.resumed_from is not None and resumed.resumed_from < int(newest.name.split("-")[1])
    assert weights_sha(rough.out_dir) == weights_sha(calm.out_dir)
    rows = read_metrics(rough.work_dir / "metrics.jsonl")
    assert [row["step"] for row in rows if "loss" in row] == list(range(1, 9))
    assert any(row.get("alarm") == "checkpoint" for row in rows)


def test_what_the_child_cannot_do_is_one_clear_error_in_the_outcome(make_job: Make) -> None:
    outcome = run(make_job(trl={"epsilom": 0.1}))
    assert (outcome.status, outcome.code) == ("failed", "E804")
    assert outcome.message == "train.trl.epsilom is no field of TRL's GRPOConfig"
    assert outcome.help == "did you mean epsilon?"
