"""A run that is told to stop takes in what it has paid for, and ends at once when told again."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.project import Size, fault_server, made, sdrl, sent_twice, start, until, write_project

SIZE = Size(samples=4, attempts=8, draws=2, passages=8)
COMMAND = ("run", "small.yaml", "--yes", "--until", "adapt")
EVENTS = "runs/small/events.jsonl"


def test_a_stop_waits_for_the_replies_under_way_so_that_none_is_paid_twice(tmp_path: Path) -> None:
    project = tmp_path / "stopped"
    with fault_server(tmp_path, "--holds-after", "3") as server:
        write_project(project, server.url, SIZE)
        with start(project, *COMMAND) as process:
            until(server.is_holding, process)
            process.send_signal(signal.SIGINT)
            until(lambda: "W870" in (project / EVENTS).read_text(), process)
            server.release()
            _, said = process.communicate(timeout=600)
        assert process.returncode == 5, said
        assert "can go on with the same command" in said
        assert "replies under way" in said
        before = len(server.calls())
        assert before > 3
        code, said = sdrl(project, *COMMAND)
        assert code == 0, said
        assert before < len(server.calls())
        assert not sent_twice(server.calls())
        write_project(tmp_path / "undisturbed", server.url, SIZE)
        assert sdrl(tmp_path / "undisturbed", *COMMAND)[0] == 0
    assert made(project / "runs/small") == made(tmp_path / "undisturbed/runs/small")


def test_a_second_signal_ends_the_run_at_once(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with fault_server(tmp_path, "--holds-after", "0") as server:  # a run that waited for it would wait for an hour
        write_project(project, server.url, SIZE)
        with start(project, *COMMAND) as process:
            until(server.is_holding, process)
            process.send_signal(signal.SIGTERM)
            until(lambda: "W870" in (project / EVENTS).read_text(), process)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=600)
        assert process.returncode == 5
