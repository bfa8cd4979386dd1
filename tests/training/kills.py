"""A training killed by SIGKILL at random moments, again and again, ends with the weights of an undisturbed one.

``python -m tests.training.kills FOLDER KILLS SEED``, started by ``test_kill_safe.py``. FOLDER holds ``calm.json`` and
``rough.json``, jobs that differ in their folders only. The libraries are loaded once and every attempt is a fork of
that process, so that a kill costs a second; the parent itself never computes. A kill comes so many rows of metrics
after an attempt began, and up to one step later: counted in progress, it meets steps, looks and saves on a busy machine
as on a quiet one. Prints one JSON line.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.training.__main__ import main as train
from sdrl.training.checkpoints import newest_valid, step_of
from sdrl.training.job import METRICS, TrainingJob, read_job, read_outcome

MOST_ROWS = 9  # metrics rows of an attempt before its kill: seven steps with their looks
STEP_S = 0.06  # about a step, or a look, or a checkpoint, on a quiet machine


@dataclass(frozen=True)
class Moment:
    """When to kill: once an attempt has written so many rows, and a little later."""

    rows: int
    later_s: float


def attempt(job_file: Path, *, moment: Moment | None = None) -> int | None:
    """Run a job in a fork, killed at a moment; returns its exit status, None where the kill ended it."""
    metrics = read_job(job_file).work_dir / METRICS
    before = _rows(metrics)
    child = os.fork()
    if child == 0:
        log = os.open(job_file.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os._exit(train([str(job_file)]))
    if moment is not None:
        while _rows(metrics) < before + moment.rows:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        time.sleep(moment.later_s)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if status == -signal.SIGKILL and moment is not None else status


def _rows(metrics: Path) -> int:
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def weights(job: TrainingJob) -> dict[str, str]:
    """The sha256 of the weights that came out, and of those that the last step left."""
    last = job.work_dir / "checkpoints" / "checkpoint-20"
    files = {"model": job.out_dir, "last": last}
    return {name: hashlib.sha256((at / "model.safetensors").read_bytes()).hexdigest() for name, at in files.items()}


def endure(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Train calmly, then roughly with so many kills; returns both weights and what the kills met."""
    import torch
    import trl  # noqa: F401

    import sdrl.training.process  # noqa: F401  # all is loaded before the forks: a source changed meanwhile does nothing

    torch.set_num_threads(1)
    calm, rough = folder / "calm.json", folder / "rough.json"
    _must_end_well(calm)
    moments = random.Random(seed)
    job = read_job(rough)
    met: list[int] = []
    torn = 0
    while len(met) < kills:
        moment = Moment(moments.randint(1, MOST_ROWS), moments.random() * STEP_S)
        status = attempt(rough, moment=moment)
        assert status in (None, 0), _log(rough)
        if status == 0:  # it was quicker than the kill: begin again from nothing
            _forget(job)
            continue
        found, passed_over = newest_valid(job.work_dir / "checkpoints")
        met.append(step_of(found) if found else 0)
        torn += len(passed_over)
    _must_end_well(rough)
    outcomes = {name: read_outcome(read_job(path).work_dir) for name, path in (("calm", calm), ("rough", rough))}
    return {
        "calm": weights(read_job(calm)),
        "rough": weights(job),
        "best_steps": [outcome.best_step if outcome else None for outcome in outcomes.values()],
        "kills": len(met),
        "resumed_from": met,
        "torn": torn,
        "status": [outcome.status if outcome else None for outcome in outcomes.values()],
        "left": sorted(path.name for path in job.out_dir.parent.glob("*.partial*")),
    }


def _must_end_well(job_file: Path) -> None:
    status = attempt(job_file)
    assert status == 0, f"ended with {status}: {_log(job_file)}"


def _log(job_file: Path) -> str:
    return job_file.with_suffix(".log").read_text(errors="replace")[-3000:]


def _forget(job: TrainingJob) -> None:
    shutil.rmtree(job.work_dir)
    shutil.rmtree(job.out_dir, ignore_errors=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    print(json.dumps(endure(Path(words[0]), int(words[1]), int(words[2]))))  # noqa: T201
