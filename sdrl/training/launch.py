"""The parent's side: start the training process, follow its metrics, end it with us.

Starts `accelerate launch … -m sdrl.training JOB.json` in a process group of its own, with a death signal and a pipe
at its stdin that nobody writes to. Launchers leave their own children alive when they are killed, so each training
process asks for a death signal too, watches that pipe, and ends when it closes. Reads WORK/metrics.jsonl and
WORK/outcome.json. No torch.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sdrl.compiler.launch_files import MAIN_ADDRESS, accelerate_config, deepspeed_config
from sdrl.spec.diagnostics import SdrlError
from sdrl.training.job import (
    LOG,
    METRICS,
    OUTCOME,
    STOP,
    Outcome,
    TrainingJob,
    read_outcome,
    write_atomically,
    write_job,
)
from sdrl.training.metrics import parse_row

ACCELERATE = "accelerate.yaml"
DEEPSPEED = "zero3.json"
WATCH = "SDRL_TRAINING_WATCH_STDIN"
_POLL_SECONDS = 0.25
_GRACE_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


def command(job: TrainingJob, job_file: Path, rank: int = 0) -> list[str]:
    """Return the command that runs a job on the machine `rank`; a person can run the same line.

    Several processes on a CPU go through torch's own launcher: `accelerate launch --cpu --num_processes N` starts one
    process and says nothing, and the child would refuse that. Raises: `SdrlError` E810 where several machines are
    asked for and the first one's address is not known.
    """
    module = ["-m", "sdrl.training", str(job_file)]
    if job.device == "cpu" and job.processes > 1:
        return [sys.executable, "-m", "torch.distributed.run", *_torch_words(job, rank), *module]
    launcher = [sys.executable, "-m", "accelerate.commands.launch"]
    if job.is_sharded or job.nodes > 1:
        return [*launcher, "--config_file", str(job.work_dir / ACCELERATE), *_machine_words(job, rank), *module]
    if job.device == "cpu":
        launcher.append("--cpu")
    elif job.processes > 1:
        launcher.append("--multi_gpu")
    fixed = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    return [*launcher, "--num_processes", str(job.processes), *fixed, *module]


def _torch_words(job: TrainingJob, rank: int) -> list[str]:
    each = ["--nproc_per_node", str(job.processes // job.nodes)]
    if job.nodes == 1:
        return ["--standalone", *each]
    host, port = main_address()
    return [
        *("--nnodes", str(job.nodes), "--node_rank", str(rank), *each),
        *("--master_addr", host, "--master_port", port),
    ]


def _machine_words(job: TrainingJob, rank: int) -> list[str]:
    if job.nodes == 1:
        return []
    host, port = main_address()
    return ["--machine_rank", str(rank), "--main_process_ip", host, "--main_process_port", port]


def main_address() -> tuple[str, str]:
    """Return host and port of the leading machine. Raises: `SdrlError` E810 when the environment does not say."""
    host, _, port = os.environ.get(MAIN_ADDRESS, "").rpartition(":")
    if not host or not port.isdigit():
        raise SdrlError(
            "E810",
            f"a training on several machines needs the first one's address, and {MAIN_ADDRESS} does not hold HOST:PORT",
            help="start it with launch/slurm.sh of the plan folder, or as launch/commands.sh says",
        )
    return host, port


def write_accelerate(job: TrainingJob) -> None:
    """Write the work folder's accelerate.yaml (and DeepSpeed's file), where the layout needs them."""
    if not job.is_sharded and job.nodes == 1:
        return
    precision = "no" if job.precision == "fp32" else "bf16"
    beside = job.work_dir / DEEPSPEED
    config = accelerate_config(job.layout, job.processes, job.nodes, precision=precision, deepspeed_file=str(beside))
    write_atomically(job.work_dir / ACCELERATE, json.dumps(config, indent=1) + "\n")  # YAML holds JSON
    if job.layout == "zero3":
        write_atomically(beside, json.dumps(deepspeed_config(), indent=1) + "\n")


def environment(job: TrainingJob, base: Mapping[str, str], hidden: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the child's environment: passive waiting, a fixed thread count, no telemetry, none of ``hidden``."""
    own = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(job.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        WATCH: "1",
    }
    return {**{name: value for name, value in base.items() if name not in hidden}, **own}


async def run_training(
    job: TrainingJob,
    *,
    on_metrics: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool] = lambda: False,
    hidden: frozenset[str] = frozenset(),
) -> Outcome:
    """Run a job to its end and return how it ended; run again, it goes on from the newest good checkpoint.

    `on_metrics` gets every row that this attempt appends, in order. When `should_stop` turns true the child is asked
    to save and end (outcome `stopped`). Cancelling ends the whole process group before the cancellation goes on.
    The environment variables `hidden` stay with the caller.
    """
    job.work_dir.mkdir(parents=True, exist_ok=True)
    for left in (OUTCOME, STOP):
        (job.work_dir / left).unlink(missing_ok=True)
    write_accelerate(job)
    job_file = write_job(job, job.work_dir / "job.json")
    words = command(job, job_file)
    tail = _Tail(job.work_dir / METRICS, on_metrics)
    started = time.monotonic()
    read_end, write_end = os.pipe()
    with (job.work_dir / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=read_end,
            stdout=log,
            stderr=log,
            env=environment(job, os.environ, hidden),
            start_new_session=True,
            preexec_fn=death_signal(),
        )
    os.close(read_end)
    try:
        await _follow(process, tail, should_stop, job.work_dir / STOP)
    finally:
        # Every way out ends here, cancellation too: no training outlives the call that started it.
        os.close(write_end)
        await asyncio.shield(_end_group(process))
        tail.read()
    outcome = read_outcome(job.work_dir) or _silent_end(process.returncode, job.work_dir)
    return outcome.model_copy(update={"seconds": round(time.monotonic() - started, 3)})


async def _follow(
    process: asyncio.subprocess.Process, tail: _Tail, should_stop: Callable[[], bool], stop_file: Path
) -> None:
    waiter = asyncio.ensure_future(process.wait())
    try:
        while not waiter.done():
            await asyncio.wait({waiter}, timeout=_POLL_SECONDS)
            tail.read()
            if should_stop() and not stop_file.exists():
                stop_file.touch()
    finally:
        waiter.cancel()


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End what is left of the group: the closed pipe ends the child, the signals end whoever does not listen."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            pass
    end_group(process.pid)
    await process.wait()


def end_group(pid: int) -> None:
    """Kill whoever is left of a launcher's process group."""
    _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def death_signal() -> Callable[[], None] | None:
    """Return what asks Linux to kill the process that calls it when its parent dies; None on other systems.

    The library is looked up here, not after a fork.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask


def _silent_end(code: int | None, work_dir: Path) -> Outcome:
    """Return the outcome of a process that left none."""
    if code in (-signal.SIGKILL, 137) or _log_says_killed(work_dir / LOG):
        why, fix = "was killed, most likely for lack of memory", "lower train.rollouts or train.max_completion_tokens"
    else:
        why, fix = f"ended with status {code} before it could say why", None
    log = work_dir / LOG
    return Outcome(
        status="failed", code="E805", message=f"the training process {why}", help=fix or f"see {log}", log=str(log)
    )


def _log_says_killed(log: Path) -> bool:
    """Return whether accelerate reports a child ended by SIGKILL, which its own exit status hides."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - 4096))
            return b"SIGKILL" in handle.read()
    except OSError:
        return False


class _Tail:
    """Reads the rows appended to a file since the tail was made, whole lines only."""

    def __init__(self, path: Path, on_row: Callable[[dict[str, Any]], None]) -> None:
        self._path = path
        self._on_row = on_row
        self._at = path.stat().st_size if path.exists() else 0

    def read(self) -> None:
        """Hand on every complete new line."""
        if not self._path.exists():
            return
        with self._path.open("rb") as handle:
            handle.seek(self._at)
            block = handle.read()
        whole = block.rfind(b"\n") + 1
        self._at += whole
        for line in block[:whole].decode("utf-8", errors="replace").splitlines():
            if (row := parse_row(line)) is not None:
                self._on_row(row)
