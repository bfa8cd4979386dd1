"""`python -m sdrl.training.node RUN/training --rank N`: this machine's part of a training that another machine leads.

The leading machine runs `sdrl run`, which writes job.json into the run's training folder (on a disk that all machines
see) and starts its own processes. This waits for that file, starts the same job with its own rank, and does so again
when the leading machine starts another attempt; it ends when the outcome says that the training is done. Needs
SDRL_MAIN_ADDRESS, the leading machine's host:port. Writes nothing into the folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.job import OUTCOME, read_job, read_outcome
from sdrl.training.launch import command, death_signal, end_group, environment

JOB = "job.json"
_POLL_SECONDS = 0.5
_JUST_WRITTEN_S = 60.0  # a job file this much older than we are belongs to this start of all machines


def follow(work_dir: Path, rank: int) -> int:
    """Take part in every attempt until the training is done; returns 0."""
    seen = 0
    began = time.time()
    while True:
        while (written := _written(work_dir)) == seen or (not seen and written < (began - _JUST_WRITTEN_S) * 1e9):
            if seen and _is_done(work_dir):
                return 0
            time.sleep(_POLL_SECONDS)
        seen = written
        _take_part(work_dir, rank)


def _written(work_dir: Path) -> int:
    try:
        return (work_dir / JOB).stat().st_mtime_ns
    except OSError:
        return 0


def _is_done(work_dir: Path) -> bool:
    outcome = read_outcome(work_dir) if (work_dir / OUTCOME).exists() else None
    return outcome is not None and outcome.status == "ok"


def _take_part(work_dir: Path, rank: int) -> None:
    """Run this machine's processes of one attempt to their end."""
    job = read_job(work_dir / JOB)
    process = subprocess.Popen(
        command(job, work_dir / JOB, rank),
        stdin=subprocess.PIPE,  # closes with us, and the processes watch it
        env=environment(job, os.environ),
        start_new_session=True,
        preexec_fn=death_signal(),
    )
    try:
        process.wait()
    finally:
        if process.stdin is not None:
            process.stdin.close()
        end_group(process.pid)


def main(arguments: list[str]) -> int:
    """Follow the folder named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m sdrl.training.node", description="Take part in a training.")
    parser.add_argument("work_dir", metavar="RUN/training", type=Path)
    parser.add_argument("--rank", type=int, required=True, help="this machine's number, from 1")
    args = parser.parse_args(arguments)
    try:
        return follow(args.work_dir, args.rank)
    except SdrlError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
