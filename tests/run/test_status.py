"""What ``sdrl status`` makes of a run's events."""

from __future__ import annotations

import json
from pathlib import Path

from sdrl.cli.status import render, state_of


def test_no_stage_of_an_ended_run_is_shown_as_running(tmp_path: Path) -> None:
    events = [
        {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": ["keywords", "retrieve"]},
        {"type": "stage_started", "stage": "keywords"},
        {"type": "run_finished", "status": "failed", "exit": 1, "message": "E819: no key"},
    ]
    lines = [json.dumps({"seq": seq, **event}) for seq, event in enumerate(events)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    state = state_of(tmp_path)
    assert [stage["state"] for stage in state["stages"].values()] == ["stopped", "waiting"]
    assert render(state).endswith("\nfailed: E819: no key")


def test_a_run_that_is_done_says_so_once(tmp_path: Path) -> None:
    events = [
        {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": []},
        {"type": "run_finished", "status": "done", "exit": 0, "message": "done"},
    ]
    lines = [json.dumps({"seq": seq, **event}) for seq, event in enumerate(events)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert render(state_of(tmp_path)).splitlines()[-1] == "done"


def test_a_stopped_run_says_so_once(tmp_path: Path) -> None:
    events = [
        {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": []},
        {"type": "run_finished", "status": "stopped", "exit": 5, "message": "stopped; the same command goes on"},
    ]
    lines = [json.dumps({"seq": seq, **event}) for seq, event in enumerate(events)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    assert render(state_of(tmp_path)).splitlines()[-1] == "stopped; the same command goes on"


def test_a_running_run_shows_its_endpoints_limit_and_circuit(tmp_path: Path) -> None:
    events = [
        {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": ["vote"]},
        {"type": "requests", "role": "instructor", "sent": 1200, "cached": 0, "failed": 0, "in_flight": 61},
        {"type": "limit", "role": "instructor", "limit": 61, "most": 256, "reason": "7 of 71 calls refused"},
        {"type": "breaker", "role": "instructor", "state": "half_open", "reason": "one call tries"},
    ]
    lines = [json.dumps({"seq": seq, **event}) for seq, event in enumerate(events)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    state = {**state_of(tmp_path), "pid": 4321, "ended": None}
    said = render(state)
    assert "instructor 61 in flight, 1,200 sent, at most 61 of 256 at once (7 of 71 calls refused)" in said
    assert said.splitlines()[-3].endswith("circuit half open: one call tries")
