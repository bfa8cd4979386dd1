"""Samples on trial: written by a real instructor through a run's own stages, judged, made demos, and learnt from."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import pytest

from sdrl.authoring.effects import MakeSamples
from sdrl.authoring.events import Acted, Opened, Sampled, from_json, to_json
from sdrl.authoring.runs import log_of
from sdrl.authoring.sampling import why_ended
from sdrl.authoring.services import Services
from sdrl.authoring.state import Sample, State
from sdrl.authoring.workbench import Replay

SPEC = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
synthesize: {samples: 20}
vote: {draws: 4}
models:
  instructor: {model: scripted-instructor, endpoint: embedded}
  base: {model: toy-base, serve: embedded}
"""
SAMPLES = tuple(
    Sample(f"id{n}", f"What is {n} + {n}?", (), f"{2 * n}", f"So.\n#### {2 * n}", ((f"{2 * n}", 3), ("7", 1)), 5, 0.6)
    for n in range(1, 4)
)  # fmt: skip


@pytest.fixture
def bench() -> Replay:
    """A spec with three samples on trial."""
    made = Replay()
    made.dispatch(Opened("sums.yaml", SPEC))
    made.dispatch(Acted("samples", "3"))
    made.dispatch(Sampled(made.state.rev, SAMPLES))
    return made


def calls(store: Path) -> int:
    """How many calls the request cache holds, each paid for once."""
    with closing(sqlite3.connect(store / "requests.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])


def lines(state: State) -> str:
    return "\n".join(state.panels["samples"].lines)


def test_three_are_written_for_real_and_their_replies_are_paid_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    services = Services()
    text = SPEC + "evaluate: [{name: test, dataset: a/b, input: '{q}', gold: {field: a}}]\n"  # not at hand, not needed
    made = services.perform(MakeSamples(3, "sums.yaml", text, 3))
    assert isinstance(made, Sampled)
    assert made.problem == ""
    assert [sample.gold == sample.votes[0][0] for sample in made.samples] == [True] * 3
    assert all(0 < sum(count for _, count in sample.votes) <= sample.draws <= 4 for sample in made.samples)
    paid = calls(tmp_path / ".sdrl")
    rmtree(tmp_path / ".sdrl" / "samples")
    assert services.perform(MakeSamples(4, "sums.yaml", text, 3)) == Sampled(4, made.samples)
    assert calls(tmp_path / ".sdrl") == paid > 0


def test_without_a_model_the_panel_says_what_to_connect() -> None:
    bench = Replay()
    bench.dispatch(Opened("sums.yaml", SPEC[: SPEC.index("models:")]))
    state = bench.dispatch(Acted("samples"))
    assert "No instructor is connected" in lines(state)
    line = next(line for line in state.panels["samples"].lines if "embedded}" in line)
    bench.dispatch(Acted("set", line.strip().removeprefix("/set ")))
    assert "samples can be written for real by scripted-instructor" in lines(bench.dispatch(Acted("samples")))


def test_a_problem_is_told_in_the_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = Services().perform(MakeSamples(1, "sums.yaml", SPEC[: SPEC.index("models:")], 3))
    assert isinstance(made, Sampled)
    assert made.problem.startswith("E846 the spec names no instructor")
    bench = Replay()
    bench.dispatch(Opened("sums.yaml", SPEC))
    bench.dispatch(Acted("samples", "3"))
    assert bench.state.is_sampling
    state = bench.dispatch(Sampled(1, (), made.problem))
    assert "✗ E846" in lines(state)
    assert not state.is_sampling


def test_a_trial_that_failed_tells_its_error_and_its_fix(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.parent.mkdir(parents=True)
    log.write_text("run sums\nE829: the endpoint is gone\n  help: start it\n  more: sdrl explain E829\n")
    told = why_ended(tmp_path, 1)
    assert (told.code, told.message, told.help) == ("E829", "the endpoint is gone", "start it")
    log.write_text("Segmentation fault\n")
    assert why_ended(tmp_path, 1).message == "Segmentation fault"
    log.write_text("")
    assert "exit -11" in why_ended(tmp_path, -11).message


def test_the_one_in_view_is_shown_with_its_votes_and_its_answer_marked(bench: Replay) -> None:
    panel = bench.state.panels["samples"]
    assert "label 2   votes" in panel.lines
    assert [line.split()[-3:] for line in panel.lines if "of 5" in line] == [
        ["3", "of", "5"],
        ["1", "of", "5"],
        ["1", "of", "5"],
    ]
    (slot,) = [mark for mark in panel.marks if mark.style == "slot"]
    assert panel.lines[slot.line][slot.start : slot.end].strip() == "2"


def test_a_demo_is_an_edit_of_the_spec_that_can_be_undone(bench: Replay) -> None:
    state = bench.dispatch(Acted("sample", "demo"))
    assert "input: What is 1 + 1?" in state.text
    assert not [issue for issue in state.issues if issue.is_error]
    assert state.samples[0].status == "demo"
    assert state.sample == 1
    assert "! the spec was changed since" in lines(state)
    assert bench.dispatch(Acted("undo")).text == SPEC


def test_yes_and_no_go_on_to_the_next(bench: Replay) -> None:
    bench.dispatch(Acted("sample", "yes"))
    state = bench.dispatch(Acted("sample", "no output it is 5"))
    assert [sample.status for sample in state.samples] == ["accepted", "rejected", ""]
    assert (state.samples[1].wrong, state.samples[1].note) == (("output",), "it is 5")
    assert state.sample == 2
    assert bench.dispatch(Acted("sample", "next")).sample == 0
    assert bench.dispatch(Acted("sample", "back")).sample == 2


def test_two_wrong_labels_are_offered_as_more_agreement_and_offered_once(bench: Replay) -> None:
    assert not bench.dispatch(Acted("sample", "no output")).cards
    state = bench.dispatch(Acted("sample", "no output"))
    (card,) = state.cards
    assert (card.changes[0].path, card.changes[0].after) == ("vote.min_agreement", 0.65)
    assert "60 %, 60 %" in card.why[0]
    assert "min_agreement: 0.65" in bench.dispatch(Acted("accept")).text
    assert len(bench.dispatch(Acted("sample", "no output")).cards) == 1


def test_two_that_are_no_problem_of_the_task_are_offered_as_a_rule_of_the_prompt(bench: Replay) -> None:
    bench.dispatch(Acted("sample", "no task it is about money"))
    bench.dispatch(Acted("sample", "no task"))
    state = bench.dispatch(Acted("accept"))
    assert 'extra_rules: ["Avoid this mistake: it is about money"]' in state.text
    assert not [issue for issue in state.issues if issue.is_error]


def test_samples_are_in_the_journal(bench: Replay) -> None:
    event = Sampled(3, SAMPLES)
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


@pytest.mark.parametrize("argument", ["0", "31", "x", "+99"])
def test_a_number_that_makes_no_sense_asks_nobody(bench: Replay, argument: str) -> None:
    state = bench.dispatch(Acted("samples", argument))
    assert not state.is_sampling
    assert "nothing was asked" in state.turns[-1].text
