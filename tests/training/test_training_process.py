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

from sdrl.training.__main__ import main
from sdrl.training.checkpoints import newest_valid, step_of
from sdrl.training.job import OUTCOME, Outcome, TrainingJob, read_outcome, write_job
from sdrl.training.launch import run_training
from sdrl.training.metrics import read_metrics
from tests.waiting import comes_true

# Warnings of torch, transformers and trl about each other are not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

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


def wait_for_end(pid: int) -> bool:
    """Return whether a process that is no child of ours ends."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return comes_true(lambda: bool(select.select([handle], [], [], 1)[0]), looks=60, pause_s=0)
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


def test_killed_twice_and_damaged_it_ends_with_the_weights_of_an_undisturbed_training(
    make_job: Make, tmp_path: Path
) -> None:
    """Attempt 1 loses its parent, attempt 2 is killed itself and its newest checkpoint damaged, attempt 3 ends it."""
    from sdrl.training.process import train

    # A random model is never right, so the length decides the reward here: something to learn from.
    reward = {"correct": 1, "wrong": 0, "parsable": 0.5, "truncated": -1}
    calm, rough = (
        make_job(
            name, epochs=5, eval_every=10, save_every=2, reward=reward, max_completion_tokens=32, validation_rows=None
        )
        for name in ("calm", "rough")
    )
    assert train(calm).final_step == 20

    trainer_pid = kill_parent_at_step(rough, 3, tmp_path)
    assert wait_for_end(trainer_pid), "the training process outlived its parent"
    assert not (rough.work_dir / OUTCOME).exists()

    seen: list[dict[str, Any]] = []

    def kill_soon(row: dict[str, Any]) -> None:
        seen.append(row)
        if "loss" in row and row["step"] >= seen[0]["resumed_from"] + 3 and "killed" not in seen[0]:
            os.kill(seen[0]["pid"], signal.SIGKILL)
            seen[0]["killed"] = True

    killed = run(rough, kill_soon)
    assert (killed.status, killed.code) == ("failed", "E805"), killed
    newest, _ = newest_valid(rough.work_dir / "checkpoints")
    assert newest is not None
    (newest / "optimizer.pt").write_bytes((newest / "optimizer.pt").read_bytes()[:-100])

    rows: list[dict[str, Any]] = []
    resumed = run(rough, rows.append)
    assert (resumed.status, resumed.final_step, resumed.model_dir) == ("ok", 20, str(rough.out_dir)), resumed
    assert resumed.resumed_from is not None and 0 < resumed.resumed_from < step_of(newest)
    assert weights_sha(rough.out_dir) == weights_sha(calm.out_dir)
    assert any(row.get("alarm") == "checkpoint" for row in rows)
    everything = read_metrics(rough.work_dir / "metrics.jsonl")
    assert [row["step"] for row in everything if "loss" in row] == list(range(1, 21))

    row = next(row for row in rows if "loss" in row)
    assert row["max_steps"] == 20 and row["kl"] is not None and row["entropy"] > 0
    rewards = row["rewards"]
    assert set(rewards) == {"correct", "wrong", "parsable", "truncated"}
    expected = rewards["correct"] + 0.5 * rewards["parsable"] - rewards["truncated"]
    assert row["reward"] == pytest.approx(expected, abs=1e-5)


def test_what_the_child_cannot_do_is_one_clear_error_in_the_outcome(make_job: Make) -> None:
    job = make_job(trl={"epsilom": 0.1})
    assert main([str(write_job(job, job.work_dir / "job.json"))]) == 1
    outcome = read_outcome(job.work_dir)
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("failed", "E804")
    assert outcome.message == "train.trl.epsilom is no field of TRL's GRPOConfig"
    assert outcome.help == "did you mean epsilon?"


def test_a_model_folder_that_is_none_is_one_clear_error(make_job: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    job = make_job(model=str(tmp_path / "empty"))
    assert main([str(write_job(job, job.work_dir / "job.json"))]) == 1
    outcome = read_outcome(job.work_dir)
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("failed", "E806")
    assert str(tmp_path / "empty") in outcome.message
