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
