"""A run in view, from its events: whole and torn logs, restarts, values that are no numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

from sdrl.authoring.monitor import Tail, fold, lines_of, sparkline

FIXTURE = Path("tests/run/events.fixture.jsonl")
START = {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": ["generate", "train"], "pid": 1}


def write(path: Path, *events: dict[str, object], torn: str = "") -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(event) + "\n" for event in events) + torn)


def shown(path: Path, tail: Tail) -> str:
    return "\n".join(lines_of(tail.read()))


def test_every_event_of_the_fixture_log_is_borne() -> None:
    events = [json.loads(line) for line in FIXTURE.read_text().splitlines()]
    view = fold(events)
    assert view.name
    assert all(stage["state"] for stage in view.stages.values())
    assert lines_of(view)[0].startswith(view.name)


def test_a_reading_goes_on_where_the_last_one_ended_and_waits_for_a_torn_line(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    half = json.dumps({"type": "progress", "stage": "generate", "done": 5, "total": 10, "unit": "samples"})
    write(log, START, {"type": "stage_started", "stage": "generate", "hash": "a"}, torn=half[:20])
    tail = Tail(log)
    assert "▶ generate  running" in shown(log, tail)
    write(log, torn=half[20:] + "\n")
    assert "██████████░░░░░░░░░░ 5 of 10 samples" in shown(log, tail)
    assert shown(log, tail) == shown(log, tail)


def test_a_log_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    write(log, START, {"type": "run_finished", "status": "done", "exit": 0, "message": ""})
    tail = Tail(log)
    assert "ended: done (exit 0)" in shown(log, tail)
    log.unlink()
    write(log, {**START, "name": "again"})
    assert shown(log, tail).startswith("again")


def test_a_stopped_run_that_goes_on_is_under_way_again() -> None:
    ended = {"type": "run_finished", "status": "stopped", "exit": 5, "message": "signal"}
    begun = {"type": "stage_started", "stage": "generate", "hash": "a"}
    assert "□ generate" in "\n".join(lines_of(fold([START, begun, ended])))
    assert "under way" in lines_of(fold([START, begun, ended, START]))[-1]


def test_curves_bear_what_is_no_number_and_repeated_steps() -> None:
    metrics = [
        {"type": "metric", "stage": "train", "step": step, "max_steps": 4, "reward": value}
        for step, value in ((1, 0.0), (2, math.nan), (3, 0.5), (3, 1.0), (4, math.inf))
    ]
    view = fold([START, *metrics])
    assert view.curves["reward"][3] == 1.0
    assert "▁ █" in "\n".join(lines_of(view))


def test_damaged_events_are_passed_over() -> None:
    view = fold([START, {"type": "progress", "stage": "generate"}, {"type": "metric", "step": "x"}, {}, {"type": 3}])
    assert view.stages == {"generate": {"state": "waiting"}, "train": {"state": "waiting"}}


def test_a_sparkline_is_never_wider_than_asked() -> None:
    assert len(sparkline(range(1000), 40)) == 40
    assert sparkline([]) == ""
    assert sparkline([3, 3]) == "▁▁"
