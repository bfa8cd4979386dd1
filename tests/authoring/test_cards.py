"""Cards change nothing before a yes; a yes is one undoable change; a card that the text has outrun is never applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.authoring.drawing import card_lines
from sdrl.authoring.events import Acted, Answered, Failed, Opened, Said, Streamed
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Replay
from sdrl.spec.edits import Edit

SPEC = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
EDITS = (Edit("set", "budget.usd", 80), Edit("insert", "demos.-", {"input": "1 + 1?", "output": "#### 2"}))


@pytest.fixture
def bench() -> Replay:
    """A spec open, a (fake) model chosen, and its answer with two edits."""
    made = Replay()
    made.dispatch(Opened("specs/gsm8k.yaml", SPEC))
    made.dispatch(Acted("model", "fake-model http://127.0.0.1:9/v1"))
    made.dispatch(Said("make it cheaper and add a demo"))
    made.dispatch(Streamed(made.state.asking, "Cheap"))
    made.dispatch(Answered(made.state.asking, "Cheaper, with a demo.", EDITS, "as you said"))
    return made


def the_text(state: State) -> str:
    return state.turns[-1].text


def test_a_card_changes_nothing_before_a_yes(bench: Replay) -> None:
    assert bench.state.text == SPEC
    shown = "\n".join(card_lines(bench.state.cards[0]))
    assert "1 budget.usd (set)\n      - 150\n      + 80" in shown
    assert "as you said" in shown


def test_a_yes_is_one_change_and_one_undo(bench: Replay) -> None:
    after = bench.dispatch(Acted("accept"))
    assert "budget: {usd: 80}" in after.text
    assert "input: 1 + 1?" in after.text
    assert bench.dispatch(Acted("undo")).text == SPEC


def test_a_yes_keeps_every_other_byte(bench: Replay) -> None:
    after = bench.dispatch(Acted("accept", "1 budget.usd"))
    assert after.text == SPEC.replace("usd: 150", "usd: 80")
    assert after.open_card is not None
    assert [change.path for change in after.open_card.changes] == ["demos.-"]


def test_a_no_changes_nothing(bench: Replay) -> None:
    after = bench.dispatch(Acted("reject"))
    assert (after.text, after.cards[0].status) == (SPEC, "rejected")
    assert "no card to accept" in the_text(bench.dispatch(Acted("accept")))


def test_a_card_that_the_text_has_outrun_is_made_anew_and_not_applied(bench: Replay) -> None:
    moved = bench.dispatch(Acted("set", "budget.usd 99"))
    assert moved.cards[0].status == "stale"
    after = bench.dispatch(Acted("accept"))
    assert "usd: 99" in after.text
    assert "budget.usd changed since card 1" in the_text(after)
    assert after.cards[0].changes[0].before == 99
    assert "usd: 80" in bench.dispatch(Acted("accept")).text


def test_a_change_elsewhere_leaves_a_card_good(bench: Replay) -> None:
    bench.dispatch(Acted("set", "task.language de"))
    assert bench.state.cards[0].status == "open"
    after = bench.dispatch(Acted("accept"))
    assert "usd: 80" in after.text
    assert "language: de" in after.text


def test_a_card_tells_the_problems_it_adds_and_mends(bench: Replay) -> None:
    bench.dispatch(Said("break it"))
    after = bench.dispatch(Answered(bench.state.asking, "So be it.", (Edit("remove", "answer"),)))
    assert [issue.code for issue in after.cards[1].added] == ["E203"]
    assert not after.issues


def test_an_edit_that_cannot_be_made_is_told_on_the_card(bench: Replay) -> None:
    bench.dispatch(Said("x"))
    after = bench.dispatch(Answered(bench.state.asking, "Hm.", (Edit("set", "answer.typ", "number"),)))
    assert "typ" in after.cards[1].problem
    refused = bench.dispatch(Acted("accept"))
    assert refused.text == SPEC
    assert "cannot be made" in the_text(refused)


def test_a_stopped_answer_keeps_what_came_and_drops_what_comes_late(bench: Replay) -> None:
    bench.dispatch(Said("tell me more"))
    turn = bench.state.asking
    bench.dispatch(Streamed(turn, "It is"))
    bench.dispatch(Acted("stop"))
    bench.dispatch(Streamed(turn, " late"))
    after = bench.dispatch(Answered(turn, "It is late", EDITS))
    kept = next(each for each in after.turns if each.id == turn)
    assert (kept.text, kept.status) == ("It is", "stopped")
    assert len(after.cards) == 1
    assert bench.dispatch(Said("again")).asking > turn


def test_a_failed_answer_gives_the_question_back(bench: Replay) -> None:
    bench.dispatch(Said("tell me more"))
    after = bench.dispatch(Failed(bench.state.asking, "the endpoint refused the key", "set OPENAI_API_KEY"))
    assert after.draft == "tell me more"
    assert the_text(after) == "the endpoint refused the key; set OPENAI_API_KEY"
    assert not after.asking


def test_a_field_that_the_card_has_not_is_refused(bench: Replay) -> None:
    after = bench.dispatch(Acted("accept", "1 task.name"))
    assert after.text == SPEC
    assert "card 1 has no field 'task.name'" in the_text(after)
