"""A vLLM that sdrl started is watched, and dies with it however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vllm.parts import command, marked, processes_of, sdrl, small_project
from tests.waiting import comes_true

pytestmark = pytest.mark.vllm


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    small_project(tmp_path)
    yield tmp_path
    for pid in processes_of(tmp_path):
        os.kill(pid, signal.SIGKILL)


def start_until_it_scores(project: Path) -> subprocess.Popen[str]:
    words = command("run", "small.yaml", "--run", "run", "--yes", "--until", "score")
    process = subprocess.Popen(
        words, cwd=project, env=marked(project), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("probe"):
            return process
    pytest.fail(f"the run ended before it probed: {process.wait()}")


def servers(project: Path) -> list[int]:
    return [pid for pid in processes_of(project) if b"vllm" in Path(f"/proc/{pid}/cmdline").read_bytes().lower()]


def gone(project: Path) -> bool:
    return comes_true(lambda: not processes_of(project), pause_s=0.1)


def test_a_killed_run_leaves_no_server(project: Path) -> None:
    process = start_until_it_scores(project)
    assert servers(project)
    process.kill()
    process.communicate()
    assert gone(project)


def test_a_server_that_dies_ends_the_run_resumable(project: Path) -> None:
    process = start_until_it_scores(project)
    for pid in servers(project):
        os.kill(pid, signal.SIGKILL)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 5, said
    assert "E842" in said or "E817" in said, said
    assert gone(project)
    again = sdrl(project, "run", "small.yaml", "--run", "run", "--yes", "--until", "score")
    assert again.returncode == 0, again.stderr
