"""A run that is told to stop takes in what it has paid for, and ends at once when told again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.faults.project import Serving, Size, fault_server, made, sdrl, sent_twice, start, write_project

SIZE = Size(samples=4, attempts=8, draws=2, passages=8)
COMMAND = ("run", "small.yaml", "--yes", "--until", "adapt")


def until_asked(server: Serving, calls: int) -> None:
    """Wait until the server has answered so many calls: others are then under way."""
    deadline = time.monotonic() + 60
    while len(server.calls()) < calls and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT])
def test_a_stop_waits_for_the_replies_under_way_so_that_none_is_paid_twice(
    tmp_path: Path, number: signal.Signals
) -> None:
    with fault_server(tmp_path, "--latency-ms", "120") as server:
        write_project(tmp_path / "stopped", server.url, SIZE)
        with start(tmp_path / "stopped", *COMMAND) as process:
            until_asked(server, 3)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 5, said
        assert "can go on with the same command" in said
        assert "replies under way" in said
        before = len(server.calls())
        code, said = sdrl(tmp_path / "stopped", *COMMAND)
        assert code == 0, said
        assert before < len(server.calls())
        assert not sent_twice(server.calls())
        write_project(tmp_path / "undisturbed", server.url, SIZE)
        assert sdrl(tmp_path / "undisturbed", *COMMAND)[0] == 0
    assert made(tmp_path / "stopped/runs/small") == made(tmp_path / "undisturbed/runs/small")


def test_a_second_signal_ends_the_run_at_once(tmp_path: Path) -> None:
    with fault_server(tmp_path, "--latency-ms", "20000") as server:
        write_project(tmp_path / "project", server.url, SIZE)
        with start(tmp_path / "project", *COMMAND) as process:
            events = tmp_path / "project/runs/small/events.jsonl"
            deadline = time.monotonic() + 60
            while not (events.exists() and "stage_started" in events.read_text()) and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            process.communicate(timeout=60)
        assert process.returncode == 5
        assert time.monotonic() - began < 5
