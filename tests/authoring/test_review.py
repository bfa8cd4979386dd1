"""A review by a person: samples of every kind, three questions, agreement with its interval, edits offered for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.authoring.events import Acted, Judged, Opened, from_json, to_json
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Workbench
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.run.review_sample import agreement_of, difficulty, stratified
from sdrl.stages.statistics import wilson

SPEC = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
"""
STAGES = ("retrieve", "vote", "adapt", "score", "select")


def sample(name: str, **more: Any) -> dict[str, Any]:
    """A voted row."""
    about = {
        "id": name,
        "part": "all",
        "input": f"What is {name}?",
        "options": None,
        "output": "#### 2",
        "passage": "p",
    }
    voted = {"gold": "2", "solution": "#### 2", "votes": {"2": 3, "3": 2}, "agreement": 0.6, "n_draws": 5}
    return {**about, **voted, "origin": "initial", **more}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with samples of several kinds: many easy ones, a hard one, dropped ones, a rewritten one."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    easy = [sample(f"easy{n}") for n in range(40)]
    hard, harder, tied = sample("hard"), sample("harder", origin="harder"), sample("tied", code="vote_tie", gold=None)
    scores = {**{row["id"]: 0.75 for row in easy}, "hard": 0.25, "harder": 0.0}
    rows: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
        "retrieve": ([{"part": "all", "passage": {"id": "p", "text": "A passage."}}], []),
        "vote": ([*easy, hard], [tied, sample("twin", code="duplicate"), {"code": "no_json", "attempt": 3}]),
        "adapt": ([harder], []),
        "score": (
            [{"id": name, "draws": 4, "correct": 4 * rate, "pass_rate": rate} for name, rate in scores.items()],
            [],
        ),
        "select": ([{"id": "hard", "split": "train"}], [{"id": "harder", "code": "never_solved"}]),
    }
    for stage, (kept, dropped) in rows.items():
        Artifacts(folder, tmp_path).write(stage, "a", kept, dropped, came_in=1, seconds=0, notes={}, versions={})
    return folder.root


def lines(state: State) -> str:
    return "\n".join(state.panels["review"].lines)


def judge(bench: Workbench, answer: str) -> State:
    return bench.dispatch(Acted("judge", answer))


def test_every_kind_comes_before_any_comes_twice(run: Path) -> None:
    rows = stratified(Artifacts(RunFolder(run), run), STAGES, 6)
    kinds = [(row["stage"], difficulty(row["pass_rate"]), row["dropped"]) for row in rows]
    assert sorted(kinds[:5], key=str) == [
        ("adapt (harder)", "never solved", "never_solved"),
        ("vote", "", "duplicate"),
        ("vote", "", "vote_tie"),
        ("vote", "easy", None),
        ("vote", "hard", None),
    ]
    assert kinds[5] == ("vote", "easy", None)
    assert rows == stratified(Artifacts(RunFolder(run), run), STAGES, 6)
    assert rows[0]["passage"] == "A passage."


def test_agreement_counts_what_was_kept_or_dropped_for_its_worth(run: Path) -> None:
    rows = stratified(Artifacts(RunFolder(run), run), STAGES, 6)
    valid = {"hard": True, "tied": False, "twin": False, "harder": False}
    found = agreement_of(rows, {row["id"]: {"valid": valid.get(row["id"], True)} for row in rows})
    assert tuple(found.kept) == (3, 4)  # two easy ones and the hard one; the rewritten one was wrong
    assert tuple(found.agreed) == (4, 5)  # and the tie was dropped rightly; a duplicate says nothing
    low, high = wilson(4, 5)
    assert found.agreed.sentence() == f"4 of 5: 80 % ({100 * low:.0f} to {100 * high:.0f} %)"


def test_a_person_goes_through_all_and_the_agreement_is_written(run: Path) -> None:
    bench = Workbench()
    bench.dispatch(Opened("sums.yaml", SPEC))
    state = bench.dispatch(Acted("review", str(run)))
    count = int(state.panels["review"].title.split()[-2])
    assert "sample 1 of" in lines(state)
    assert "kept" not in lines(state).split("\n")[0]  # a judgement shall not lean on what the run did
    state = judge(bench, "no output off by one")
    assert "the run" in state.turns[-1].text
    for _ in range(count - 1):
        state = judge(bench, "yes")
    assert "All judged" in lines(state)
    assert state.panels["review"].key == ""
    assert "no sample is in view" in judge(bench, "yes").turns[-1].text
    written = [json.loads(line) for line in (run / "review.jsonl").read_text().splitlines()]
    assert [(row["valid"], row["wrong"], row["note"]) for row in written[:2]] == [
        (False, ["output"], "off by one"),
        (True, [], ""),
    ]
    assert len(written) == count + 1
    found = written[-1]["agreement"]
    assert found["interval"] == [round(end, 6) for end in wilson(found["hits"], found["n"])]


def test_two_rejections_of_one_kind_become_a_card_and_a_third_none(run: Path) -> None:
    bench = Workbench()
    bench.dispatch(Opened("sums.yaml", SPEC))
    rejected = ((("output",), "", 0.6), (("output",), "", 0.7))
    assert not bench.dispatch(Judged(str(run), rejected[:1])).cards
    (card,) = bench.dispatch(Judged(str(run), rejected)).cards
    assert (card.changes[0].path, card.changes[0].after) == ("vote.min_agreement", 0.75)
    assert len(bench.dispatch(Judged(str(run), rejected)).cards) == 1
    event = Judged("r", rejected, "the run kept it")
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


def test_the_first_samples_of_a_run_that_waits_come_first(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    rows = [{"id": name, "input": f"What is {name}?", "gold": "2", "solution": "#### 2", "options": None,
             "agreement": 1.0, "n_draws": 4, "passage": None, "part": "all"} for name in ("one", "two")]  # fmt: skip
    (tmp_path / "artifacts" / "review.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    bench = Workbench()
    bench.dispatch(Opened("sums.yaml", SPEC))
    assert "What is one?" in lines(bench.dispatch(Acted("review", str(tmp_path))))
    assert "What is two?" in lines(judge(bench, "yes"))
    assert "valid among those kept  1 of 2: 50 %" in lines(judge(bench, "no input"))


def test_a_run_without_samples_says_the_next_step(tmp_path: Path) -> None:
    bench = Workbench()
    bench.dispatch(Opened("sums.yaml", SPEC))
    state = bench.dispatch(Acted("review", str(tmp_path)))
    assert state.panels["review"].title == "not yet"
    assert "/start starts a run" in lines(state)
