"""The event log: schema, sequence, and what a crash leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdrl.run.events import EVENTS, EventLog, read_events

ROOT = Path(__file__).parents[2]
FIXTURE = Path(__file__).parent / "events.fixture.jsonl"


def test_every_event_type_and_its_fields_stand_in_the_documentation() -> None:
    documented = (ROOT / "docs/events.md").read_text()
    for type_, (fields, says) in EVENTS.items():
        row = f"| `{type_}` | {' '.join(f'`{field}`' for field in fields)} | {says} |"
        assert row in documented


def test_the_fixture_log_holds_every_event_type_with_its_fields() -> None:
    events = list(read_events(FIXTURE))
    assert {event["type"] for event in events} == set(EVENTS)
    for event in events:
        assert event["v"] == 1
        assert set(EVENTS[event["type"]][0]) <= set(event)


def test_an_event_that_lacks_a_field_is_our_bug_and_raises(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    with pytest.raises(KeyError, match="lacks"):
        log.emit("progress", {"stage": "vote"})
    log.close()


def test_a_second_process_counts_on_and_ends_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.emit("warning", {"code": "W1", "message": "one"})
    log.close()
    with path.open("ab") as file:
        file.write(b'{"v":1,"seq":1,"type":"warn')  # a kill in the middle of a write
    log = EventLog(path)
    log.emit("warning", {"code": "W2", "message": "two"})
    log.close()
    assert [event["code"] for event in read_events(path)] == ["W1", "W2"]
    assert [event["seq"] for event in read_events(path)] == [0, 1]


def test_listeners_get_what_the_file_gets(tmp_path: Path) -> None:
    heard: list[dict[str, object]] = []
    log = EventLog(tmp_path / "events.jsonl", (heard.append,))
    log.emit("run_finished", {"status": "done", "exit": 0, "message": "done"})
    log.close()
    assert heard == [json.loads((tmp_path / "events.jsonl").read_text())]
