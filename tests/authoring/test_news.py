"""What a person who looked elsewhere is told of: what came by itself, and nothing that they did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sdrl.authoring.effects import Show
from sdrl.authoring.events import Acted, Answered, Event, Failed, Opened, Said, Sampled
from sdrl.authoring.news import news
from sdrl.authoring.panels import content
from sdrl.authoring.reducer import reduce
from sdrl.authoring.state import Panel, State
from sdrl.run.lock import hold


def after(state: State, *events: Event) -> State:
    for event in events:
        state, _ = reduce(state, event)
    return state


ASKING = after(State(), Opened("a.yaml", "sdrl: 1\nname: a\n"), Acted("model", "m http://x/v1"), Said("tell me"))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Answered(ASKING.asking, "So."), "✓ answer"),
        (Failed(ASKING.asking, "refused"), "✗ no answer"),
        (Acted("stop"), ""),
        (Acted("set", "seed 3"), ""),
    ],
)
def test_an_answer_is_told_of_and_one_that_was_stopped_is_not(event: Event, told: str) -> None:
    assert ASKING.asking
    assert news(ASKING, after(ASKING, event)) == told
    assert news(ASKING, ASKING) == ""


@pytest.mark.parametrize(("problem", "told"), [("", "✓ samples"), ("no key", "✗ no samples")])
def test_samples_are_told_of_when_they_come(problem: str, told: str) -> None:
    waiting = replace(ASKING, asking=0, is_sampling=True)
    assert news(waiting, after(waiting, Sampled(waiting.rev, (), problem))) == told


@pytest.mark.parametrize(
    ("status", "told"),
    [("done", "✓ run done"), ("stopped", "□ run stopped"), ("failed", "✗ run failed"), ("gone", "✗ run gone")],
)
def test_a_run_is_told_of_when_it_ends_and_not_when_it_had_ended_long_ago(status: str, told: str) -> None:
    going = State(panels={"run": Panel("run a", ("under way",), argument="a")})
    ended = State(panels={"run": Panel("run a", (status,), argument="a", key=status)})
    other = State(panels={"run": Panel("run b", (status,), argument="b", key=status)})
    assert news(going, ended) == told
    assert news(State(), ended) == news(ended, ended) == news(going, other) == news(ended, going) == ""


def test_the_panel_of_a_run_says_how_it_ended(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    started = {"v": 1, "seq": 0, "time": "2026-11-25T10:00:00.000+00:00", "type": "run_started"}
    started |= {"plan_hash": "ab" * 32, "name": "sums", "stages": ["keywords"], "pid": 1}
    log.write_text(json.dumps(started) + "\n")
    asked = Show("run", 1, "a.yaml", "sdrl: 1\n", str(tmp_path))
    with hold(tmp_path / "lock"):
        assert content(asked, {}).key == ""
    assert content(asked, {}).key == "gone"
    with log.open("a") as file:
        end = {"type": "run_finished", "status": "stopped", "exit": 130, "message": "stopped"}
        file.write(json.dumps({**started, "seq": 1, **end}) + "\n")
    assert content(asked, {}).key == "stopped"
