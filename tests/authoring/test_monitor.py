"""A run in view, from its events: whole and torn logs, restarts, values that are no numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from sdrl.authoring import monitor
from sdrl.authoring.monitor import RunView, Tail, fold
from sdrl.authoring.run_panel import run_sheet, sparkline
from sdrl.authoring.sheet import COLUMNS, LEAST_COLUMNS, MOST_COLUMNS

FIXTURE = Path("tests/run/events.fixture.jsonl")
START = {"type": "run_started", "name": "sums", "plan_hash": "ab" * 32, "stages": ["generate", "train"], "pid": 1}
BEGUN = {"type": "stage_started", "stage": "generate", "hash": "a"}
SCORED = {"type": "pass_rates", "stage": "score", "n": 100, "draws": 32, "mean": 0.5, "never": 20, "always": 0,
          "tenths": [40, 0, 0, 0, 0, 0, 0, 0, 0, 40]}  # fmt: skip
GAIN = {"type": "gain", "set": "test", "n": 600, "base": 0.46, "trained": 0.965, "gain": 0.505,
        "interval": [0.463, 0.547]}  # fmt: skip


def write(path: Path, *events: dict[str, object], torn: str = "") -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(event) + "\n" for event in events) + torn)


def drawn(view: RunView, *, is_alive: bool = True, columns: int = COLUMNS) -> str:
    return "\n".join(run_sheet(view, is_alive=is_alive, columns=columns).lines)


def shown(tail: Tail) -> str:
    return drawn(tail.read())


def progress(done: int, second: int, total: int | None = 100) -> dict[str, Any]:
    time = f"2026-11-25T10:00:{second:02d}.000+00:00"
    return {"time": time, "type": "progress", "stage": "generate", "done": done, "total": total, "unit": "samples"}


def test_every_event_of_the_fixture_log_is_borne() -> None:
    events = [json.loads(line) for line in FIXTURE.read_text().splitlines()]
    view = fold(events)
    assert view.name
    assert view.gains["test"]["gain"] == 0.505
    assert "pass rates of 240 samples" in drawn(view)


def test_a_reading_goes_on_where_the_last_one_ended_and_waits_for_a_torn_line(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    half = json.dumps(progress(50, 1))
    write(log, START, BEGUN, torn=half[:40])
    tail = Tail(log)
    assert "▶ generate   running" in shown(tail)
    write(log, torn=half[40:] + "\n")
    assert "████████░░░░░░░░ 50 of 100 samples" in shown(tail)
    assert shown(tail) == shown(tail)


def test_a_log_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    write(log, START, {"type": "run_finished", "status": "done", "exit": 0, "message": "done"})
    tail = Tail(log)
    assert "✓ done (exit 0)" in shown(tail)
    anew = tmp_path / "other.jsonl"
    write(anew, {**START, "name": "again, with a longer name than before", "stages": ["keywords", "vote", "train"]})
    anew.replace(log)
    assert tail.read().name.startswith("again")
    assert "under way: 0 of 3 stages done" in shown(tail)


def test_a_stopped_run_that_goes_on_is_under_way_again_and_keeps_what_was_told_once() -> None:
    done = {"type": "stage_finished", "stage": "generate", "rows": 9, "dropped": {"no_json": 2}, "seconds": 3.0}
    kept = {"type": "stage_reused", "stage": "generate", "hash": "a", "rows": 9, "source": "run"}
    ended = {"type": "run_finished", "status": "stopped", "exit": 5, "message": "signal"}
    assert "□ generate" in drawn(fold([START, BEGUN, ended]))
    again = drawn(fold([START, BEGUN, done, ended, START, kept]))
    assert "under way: 1 of 2 stages done" in again
    assert "= generate         9" in again
    assert "−2: no_json 2" in again


def test_a_run_without_a_process_and_without_an_end_was_killed() -> None:
    assert "its process is gone" in drawn(fold([START, BEGUN]), is_alive=False)
    assert "its process is gone" not in drawn(fold([START, BEGUN]))


def test_the_time_left_is_told_from_the_times_of_the_events() -> None:
    view = fold([START, BEGUN, progress(10, 0), progress(20, 5), progress(30, 10)])
    assert view.stages["generate"].left_s() == 35.0
    assert "30 of 100 samples, 35.0 s left" in drawn(view)
    assert fold([START, BEGUN, progress(10, 0)]).stages["generate"].left_s() is None
    assert fold([START, progress(10, 0, None), progress(20, 1, None)]).stages["generate"].left_s() is None


def test_curves_bear_what_is_no_number_and_repeated_steps() -> None:
    metrics: list[dict[str, Any]] = [
        {"type": "metric", "stage": "train", "step": step, "max_steps": 4, "reward": value}
        for step, value in ((1, 0.0), (2, math.nan), (3, 0.5), (3, 1.0), (4, math.inf))
    ]
    look = {"type": "metric", "stage": "train", "step": 3, "max_steps": None, "validation_accuracy": 0.75}
    view = fold([START, *metrics, look])
    assert view.curves["reward"][3] == 1.0
    assert "▁ █" in drawn(view)
    assert "validation ▁" in drawn(view)
    assert view.stages["train"].done == 4


def test_the_gain_and_its_interval_stand_above_the_stages() -> None:
    lines = drawn(fold([START, GAIN])).split("\n")
    (gain,) = [line for line in lines if "points" in line]
    assert gain == "test        46.0 % →  96.5 %  +50.5 points (+46.3 to +54.7), 600 problems"
    assert lines.index(gain) < lines.index("stages")


def test_a_histogram_has_each_count_above_its_column() -> None:
    lines = drawn(fold([START, SCORED])).split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("pass rates of 100 samples"))
    counts, *columns, names = lines[at + 1 : at + 6]
    assert counts.split() == ["20", "40", *["0"] * 8, "40", "0"]
    assert names.split() == ["never", "≤.1", "≤.2", "≤.3", "≤.4", "≤.5", "≤.6", "≤.7", "≤.8", "≤.9", "<1", "all"]
    assert "".join(columns).count("███") == 2 * 3 + 1  # two columns of full height, and the lower third of the 20
    assert len(counts) == len(names)


def test_damaged_events_are_passed_over() -> None:
    view = fold([START, {"type": "progress", "stage": "generate"}, {"type": "metric", "step": "x"}, {}, {"type": 3},
                 {**GAIN, "interval": [1]}, {**SCORED, "tenths": None}, {"type": "stage_finished"}])  # fmt: skip
    assert {name: stage.state for name, stage in view.stages.items()} == {"generate": "waiting", "train": "waiting"}
    assert not view.gains
    assert not view.pass_rates


@pytest.mark.parametrize("columns", [LEAST_COLUMNS, 38, 48, 58, COLUMNS, 94, MOST_COLUMNS])
def test_no_line_is_wider_than_a_panel(columns: int) -> None:
    long = "a message that does not end " * 20
    alarm = {"type": "alarm", "stage": "train", "kind": "kl", "message": long, "time": "2026-11-25T10:00:00+00:00"}
    dropped = {code: 12345 for code in ("near_duplicate", "not_among_the_hardest", "rarely_solved", "never_solved")}
    done = {"type": "stage_finished", "stage": "generate", "rows": 123456, "dropped": dropped, "seconds": 4000.0}
    ended = {"type": "run_finished", "status": "failed", "exit": 1, "message": long}
    metric = {"type": "metric", "stage": "train", "step": 3, "max_steps": 4, "reward": 0.1234567}
    look = {"type": "metric", "stage": "train", "step": 3, "max_steps": None, "validation_accuracy": 0.1234567}
    view = fold([START, done, metric, look, alarm, {**SCORED, "never": 123456}, GAIN, ended])
    lines = drawn(view, columns=columns).split("\n")
    too_wide = [line for line in lines if len(line) > columns]
    assert not [line for line in too_wide if not line.startswith(("gain (", "stages  ", "pass rates", "training, "))]
    assert not too_wide or columns < 48  # headings, whose words a screen breaks


def test_where_there_is_no_room_for_a_histogram_its_numbers_are_told() -> None:
    view = fold([START, SCORED])
    narrow = drawn(view, columns=30)
    assert "█" not in narrow
    assert "never 20, in between 80, all 0" in " ".join(narrow.split())
    for columns in (50, 58, COLUMNS, 130):
        lines = drawn(view, columns=columns).split("\n")
        counts = next(line for line in lines if line.split()[:2] == ["20", "40"])
        names = lines[lines.index(counts) + 4]
        assert len(counts) == len(names) <= columns
        assert sum(line.count("█") > 0 for line in lines) == 3


def test_of_a_long_log_the_last_progress_and_enough_steps_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "MOST_PARSED", 2_000)
    log = tmp_path / "events.jsonl"
    steps = [{"type": "metric", "stage": "train", "step": n, "max_steps": 500, "reward": n / 500} for n in range(501)]
    looks = [
        {"type": "metric", "stage": "train", "step": n, "validation_accuracy": 0.5, "max_steps": None} for n in (1, 9)
    ]
    retry = {"type": "retry", "role": "instructor", "reason": "HTTP 429", "attempt": 2}
    write(log, START, BEGUN, *[progress(n, 1) for n in range(100)], *[retry] * 50, *looks, *steps)
    view = Tail(log).read()
    assert view.stages["generate"].done == 99
    assert view.curves["validation_accuracy"] == {1: 0.5, 9: 0.5}
    assert 1 < len(view.curves["reward"]) < 100
    assert view.curves["reward"][500] == 1.0


def test_where_no_code_has_room_the_count_stands_alone() -> None:
    done = {"type": "stage_finished", "stage": "generate", "rows": 9, "dropped": {"no_json": 2}, "seconds": 3.0}
    view = fold([START, done])
    assert "−2: no_json 2" in drawn(view)
    assert "−2" in drawn(view, columns=46) and "no_json" not in drawn(view, columns=46)


def test_a_sparkline_is_never_wider_than_asked() -> None:
    assert len(sparkline(range(1000), 40)) == 40
    assert sparkline([]) == ""
    assert sparkline([3, 3]) == "▁▁"
