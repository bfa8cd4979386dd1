"""A training killed by SIGKILL at random moments, again and again, ends with the weights of an undisturbed one.

``python -m tests.training.kills FOLDER KILLS SEED``, started by ``test_kill_safe.py``. FOLDER holds ``calm.json`` and
``rough.json``, jobs that differ in their folders only. The libraries are loaded once and every attempt is a fork of
that process, so that a kill costs a second; the parent itself never computes. Prints one JSON line.
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
from pathlib import Path
from typing import Any

from sdrl.training.__main__ import main as train
from sdrl.training.checkpoints import newest_valid, step_of
from sdrl.training.job import METRICS, TrainingJob, read_job, read_outcome

LONGEST_S = 1.2  # a training of the tests takes about as long


def attempt(job_file: Path, *, kill_after_s: float | None = None) -> bool:
    """Run a job in a fork, killed so long after it began to train; returns whether it was killed before its end."""
    job = read_job(job_file)
    metrics = job.work_dir / METRICS
    size = metrics.stat().st_size if metrics.exists() else 0
    child = os.fork()
    if child == 0:
        log = os.open(job_file.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os._exit(train([str(job_file)]))
    if kill_after_s is None:
        return os.waitpid(child, 0)[1] != 0
    while not metrics.exists() or metrics.stat().st_size == size:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    time.sleep(kill_after_s)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def weights(job: TrainingJob) -> str:
    """The sha256 of the final weights."""
    return hashlib.sha256((job.out_dir / "model.safetensors").read_bytes()).hexdigest()


def endure(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Train calmly, then roughly with so many kills; returns both weights and what the kills met."""
    import torch
    import trl  # noqa: F401  # loaded once, before the forks

    torch.set_num_threads(1)
    calm, rough = folder / "calm.json", folder / "rough.json"
    assert not attempt(calm)
    moments = random.Random(seed)
    job = read_job(rough)
    steps: list[int] = []
    done = torn = 0
    while done < kills:
        if not attempt(rough, kill_after_s=moments.random() * LONGEST_S):
            # it was quicker than the kill: begin again from nothing
            _forget(job)
            continue
        done += 1
        found, passed_over = newest_valid(job.work_dir / "checkpoints")
        steps.append(step_of(found) if found else 0)
        torn += len(passed_over)
    assert not attempt(rough), rough.with_suffix(".log").read_text()[-3000:]
    outcome = read_outcome(job.work_dir)
    return {
        "calm": weights(read_job(calm)),
        "rough": weights(job),
        "kills": done,
        "resumed_from": steps,
        "torn": torn,
        "status": outcome.status if outcome else None,
        "left": sorted(path.name for path in job.out_dir.parent.glob("*.partial*")),
    }


def _forget(job: TrainingJob) -> None:
    shutil.rmtree(job.work_dir)
    shutil.rmtree(job.out_dir, ignore_errors=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    print(json.dumps(endure(Path(words[0]), int(words[1]), int(words[2]))))  # noqa: T201
