"""Two processes of one training on this CPU (gloo): killed, they end with the weights of two undisturbed ones.

The undisturbed ones have a launcher each and find each other by an address, as two machines do. Real torch and trl.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.job import OUTCOME, Outcome, TrainingJob, write_job
from sdrl.training.launch import command, run_training
from sdrl.training.metrics import read_metrics
from tests.training.test_training_process import PARENT, Make, wait_for_end, weights_sha
from tests.waiting import comes_true

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
# A random model is never right, so the length decides the reward: something to learn from.
SETTINGS: dict[str, Any] = {
    "processes": 2,
    "epochs": 2,
    "eval_every": 100,
    "save_every": 2,
    "validation_rows": None,
    "max_completion_tokens": 32,
    "reward": {"correct": 1, "wrong": 0, "parsable": 0.5, "truncated": -1},
}


def run(job: TrainingJob, on_metrics: Any = lambda row: None) -> Outcome:
    return asyncio.run(run_training(job, on_metrics=on_metrics))


def workers_of(job_file: Path) -> list[int]:
    """The processes that train this job, of all processes of this machine."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(job_file).encode() in words and b"sdrl.training" in words and b"torch.distributed.run" not in words:
            found.append(int(entry.parent.name))
    return found


def train_from_two_launchers(job: TrainingJob, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Train as two machines would: each with a launcher of its own, found by an address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SDRL_MAIN_ADDRESS", f"127.0.0.1:{probe.getsockname()[1]}")
    with subprocess.Popen([sys.executable, "-m", "sdrl.training.node", str(job.work_dir), "--rank", "1"]) as other:
        try:
            outcome = run(job)
            assert other.wait(600) == 0
        finally:
            other.kill()
    return outcome


def kill_the_run_and_hang_a_worker(job: TrainingJob, step: int, folder: Path) -> list[int]:
    """Train below a parent; once `step` is reported stop one worker, as a hung one, and kill the parent."""
    job_file = write_job(job, folder / "handed.json")
    words = [sys.executable, "-c", PARENT, str(job_file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        for line in parent.stdout:
            row = json.loads(line)
            if row.get("step", -1) >= step and "loss" in row:
                break
        workers = workers_of(job.work_dir / "job.json")
        if workers:
            os.kill(workers[-1], signal.SIGSTOP)
        parent.kill()
    return workers


def test_two_processes_killed_in_the_middle_end_with_the_weights_of_two_undisturbed_machines(
    make_job: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First one process is killed, then the run itself while a process is hung: never does one stay behind."""
    calm, rough = make_job("calm", nodes=2, **SETTINGS), make_job("rough", **SETTINGS)
    assert train_from_two_launchers(calm, monkeypatch).final_step == 8

    pids: list[int] = []

    def kill_one(row: dict[str, Any]) -> None:
        if row.get("step", 0) >= 3 and "loss" in row and not pids:
            pids.extend(workers_of(rough.work_dir / "job.json"))
            os.kill(pids[0], signal.SIGKILL)

    killed = run(rough, kill_one)
    assert (killed.status, killed.code) == ("failed", "E805"), killed
    assert len(pids) == 2
    assert all(wait_for_end(pid) for pid in pids)

    workers = kill_the_run_and_hang_a_worker(rough, 5, tmp_path)
    try:
        assert len(workers) == 2
        assert all(wait_for_end(pid) for pid in workers), "a training process outlived its run"
    finally:
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert not (rough.work_dir / OUTCOME).exists()

    resumed = run(rough)
    assert (resumed.status, resumed.final_step) == ("ok", 8), resumed
    assert resumed.resumed_from in (2, 4, 6)
    assert weights_sha(rough.out_dir) == weights_sha(calm.out_dir)
    rows = [row for row in read_metrics(rough.work_dir / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in rows][-1] == 8


WORKER = """
import os, pathlib, sys, time
from sdrl.training.__main__ import end_with_parent
end_with_parent()
pathlib.Path(sys.argv[1], os.environ["RANK"]).write_text(str(os.getpid()))
time.sleep(3600)
"""


def test_a_resume_in_the_middle_of_a_later_epoch_sees_the_prompts_in_their_order(make_job: Make) -> None:
    """Batches are skipped there, below which accelerate's loader does not reach the sampler of several processes."""
    calm, rough = make_job("calm", **SETTINGS), make_job("rough", **SETTINGS)
    assert run(calm).final_step == 8
    pids: list[int] = []

    def kill_one(row: dict[str, Any]) -> None:
        if row.get("step", 0) >= 7 and "loss" in row and not pids:
            pids.extend(workers_of(rough.work_dir / "job.json"))
            os.kill(pids[0], signal.SIGKILL)

    run(rough, kill_one)
    assert pids and all(wait_for_end(pid) for pid in pids)
    resumed = run(rough)
    assert resumed.resumed_from in (6, 8), resumed  # the second of the two epochs, of four updates each
    assert weights_sha(rough.out_dir) == weights_sha(calm.out_dir)


def test_a_killed_launcher_takes_even_a_hung_process_with_it(tmp_path: Path) -> None:
    """Their stdin stays open here: it is the launcher's death that ends them."""
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    (tmp_path / "started").mkdir()
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(tmp_path / "worker.py")]
    with subprocess.Popen(
        [sys.executable, *words, str(tmp_path / "started")], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as launcher:
        workers: list[int] = []

        def are_there() -> bool:
            workers[:] = [int(text) for path in (tmp_path / "started").iterdir() if (text := path.read_text())]
            return len(workers) == 2

        try:
            assert comes_true(are_there, pause_s=0.02)
            os.kill(workers[0], signal.SIGSTOP)
            launcher.kill()
            assert all(wait_for_end(pid) for pid in workers), "a process outlived its launcher"
        finally:
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            launcher.kill()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device": "cuda", "processes": 4}, "--multi_gpu --num_processes 4"),
        ({"device": "cuda", "processes": 8, "layout": "fsdp2"}, "--config_file accelerate.yaml"),
        (
            {"device": "cuda", "processes": 16, "nodes": 2},
            "--config_file accelerate.yaml --machine_rank 1 --main_process_ip first --main_process_port 7",
        ),
        ({"processes": 2}, "--standalone --nproc_per_node 2"),
        (
            {"processes": 2, "nodes": 2},
            "--nnodes 2 --node_rank 1 --nproc_per_node 1 --master_addr first --master_port 7",
        ),
    ],
)
def test_the_launcher_is_told(
    changes: dict[str, Any], words: str, make_job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDRL_MAIN_ADDRESS", "first:7")
    job = make_job(**changes)
    said = " ".join(word.removeprefix(f"{job.work_dir}/") for word in command(job, job.work_dir / "job.json", 1))
    assert words in said.replace("--num_machines 1 ", "").replace("--mixed_precision no ", "")
