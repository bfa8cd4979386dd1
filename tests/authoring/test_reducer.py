"""What comes too late, too large or out of turn is told and changes nothing: the reducer's less trodden branches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdrl.authoring.actions import event_of
from sdrl.authoring.effects import Show
from sdrl.authoring.events import (
    Acted,
    Answered,
    Checked,
    Event,
    Failed,
    Opened,
    Resized,
    Said,
    Sampled,
    Shown,
    Taken,
    Typed,
)
from sdrl.authoring.reducer import MOST_TEXT, reduce
from sdrl.authoring.sheet import LEAST_COLUMNS, MOST_COLUMNS
from sdrl.authoring.state import Interview, Panel, Sample, State
from sdrl.authoring.turns import shortened
from sdrl.authoring.workbench import Replay
from sdrl.spec.edits import Edit
from tests.authoring.small_spec import SMALL

SPEC = SMALL
MODEL = Acted("model", "fake http://127.0.0.1:9/v1")


@pytest.fixture
def bench() -> Replay:
    made = Replay()
    made.dispatch(Opened("sums.yaml", SPEC))
    return made


@pytest.fixture
def new() -> Replay:
    """A spec that is begun, the interview at its first question."""
    made = Replay()
    made.dispatch(Opened("new.yaml", "", exists=False))
    return made


def last(state: State) -> str:
    return state.turns[-1].text


def play(bench: Replay, *events: Event) -> State:
    for event in events:
        bench.dispatch(event)
    return bench.state


def test_other_room_asks_for_the_panel_in_view_anew_and_for_no_other(bench: Replay) -> None:
    shown = play(bench, Acted("plan"), Shown("plan", bench.state.rev, "plan", ("x",)))
    state, effects = reduce(shown, Resized(50))
    assert effects == (Show("plan", shown.rev, shown.path, shown.text, "", shown.kept, 50),)
    assert state.panels["plan"].is_waiting and state.panels["plan"].lines == ("x",)
    assert reduce(state, Resized(50)) == (state, ())
    assert [reduce(state, Resized(each))[0].columns for each in (-3, 9999)] == [LEAST_COLUMNS, MOST_COLUMNS]
    spec = replace(shown, view="spec")
    assert reduce(spec, Resized(50)) == (replace(spec, columns=50), ())


def test_samples_are_drawn_for_the_room_there_is(bench: Replay) -> None:
    sample = Sample("a", "how many " * 30, (), "1", "#### 1", (("1", 3),), 3, 1.0)
    shown = play(bench, Acted("samples"), Sampled(bench.state.rev, (sample,)))
    for columns in (40, 54, 120):
        state, effects = reduce(shown, Resized(columns))
        assert not effects
        widest = max(map(len, state.panels["samples"].lines))
        assert columns - 12 <= widest <= columns


def test_a_spec_that_is_opened_keeps_the_room_for_panels() -> None:
    assert reduce(State(columns=50), Opened("a.yaml", SPEC))[0].columns == 50


def test_what_is_said_while_an_answer_comes_is_kept_and_asks_nobody(bench: Replay) -> None:
    asking = play(bench, MODEL, Said("help")).asking
    after = bench.dispatch(Said("and another thing"))
    assert after.asking == asking
    assert last(after) == "the answer is still coming; /stop ends it"


@pytest.mark.parametrize("event", [Typed(0, 0, "#" * MOST_TEXT), Taken("an editor", "#" * (MOST_TEXT + 1))])
def test_a_text_that_is_too_long_is_refused(bench: Replay, event: Event) -> None:
    after = bench.dispatch(event)
    assert after.text == SPEC
    assert "4,000,000 characters; nothing was changed" in last(after)


def test_a_result_of_an_older_text_is_dropped(bench: Replay) -> None:
    state = bench.dispatch(Acted("set", "seed 3"))
    assert reduce(state, Checked(state.rev - 1, ())) == (state, ())
    state = replace(state, panels={"plan": Panel("new", rev=state.rev)})
    assert reduce(state, Shown("plan", state.rev - 1, "old", ())) == (state, ())


def test_an_answer_or_a_failure_of_a_turn_that_was_stopped_is_dropped(bench: Replay) -> None:
    turn = play(bench, MODEL, Said("help")).asking
    stopped = bench.dispatch(Acted("stop"))
    for late in (Answered(turn, "late"), Failed(turn, "late"), Answered(0, "of no turn"), Failed(0, "of no turn")):
        assert bench.dispatch(late) == stopped


def test_a_judgement_is_yes_or_no(bench: Replay) -> None:
    assert "no sample is in view" in last(bench.dispatch(Acted("judge", "yes")))
    bench.state = replace(bench.state, panels={"review": Panel("r", key="one", rev=bench.state.rev)})
    assert "judged with yes or no" in last(bench.dispatch(Acted("judge", "perhaps")))


def test_leaving_asks_once_where_something_would_be_left_and_not_where_nothing_was_written(
    bench: Replay, new: Replay
) -> None:
    assert not new.dispatch(Acted("quit")).asks_to_quit
    bench.dispatch(Acted("set", "seed 3"))
    asked = bench.dispatch(Acted("quit"))
    assert asked.asks_to_quit and "is not saved" in last(asked)
    assert not bench.dispatch(Acted("set", "seed 4")).asks_to_quit  # there is something new to lose


def test_a_card_that_is_decided_is_decided(bench: Replay) -> None:
    play(bench, MODEL, Said("cheaper"))
    edits = (Edit("set", "budget.usd", 80), Edit("remove", "demos"))
    bench.dispatch(Answered(bench.state.asking, "So.", edits))
    assert "demos is to be taken out or moved" in last(bench.dispatch(Acted("amend", "1 2 x")))
    bench.dispatch(Acted("accept"))
    assert last(bench.dispatch(Acted("accept", "1"))) == "card 1 is accepted already"
    refused = bench.dispatch(Acted("amend", "1 budget.usd 5"))
    assert "card 1 is accepted already; /set PATH VALUE changes the spec itself" in last(refused)
    assert "no card to reject" in last(bench.dispatch(Acted("reject", "1")))


def test_an_empty_answer_and_a_refused_one_leave_the_question_open(new: Replay) -> None:
    state = new.dispatch(Said(" "))
    assert last(state) == "An answer is needed; a dash leaves the question out."
    state = new.dispatch(Acted("skip"))
    assert last(state).startswith("This one is needed.")
    assert "this is the first question" in last(new.dispatch(Acted("back")))
    assert state.interview.step == "name"


def test_back_takes_up_what_was_left_out_and_what_is_half_answered(new: Replay) -> None:
    for line in ("sums", "Question answering in arithmetic.", "-", "Write the number after ####.", "yes"):
        new.dispatch(Said(line))
    half = new.dispatch(Said("What is 1 + 1?"))
    assert half.interview.step == "demo_output"
    back = new.dispatch(Acted("back"))
    assert (back.interview.step, back.interview.draft) == ("demo_input", {})
    new.dispatch(Said("What is 1 + 1?"))
    assert new.dispatch(Said("-")).interview.step == "license"  # no output: no example
    state = replace(State(is_opened=True, text="sdrl: 1\n"), interview=Interview("", {}, ("input_format",), (0,)))
    again, _ = reduce(state, Acted("back"))
    assert again.interview.skipped == ()
    assert last(reduce(State(is_opened=True), Acted("skip"))[0]) == "no question is open"


def test_back_takes_the_latest_of_answers_and_dashes(new: Replay) -> None:
    for line in ("sums", "Question answering in arithmetic.", "-"):
        new.dispatch(Said(line))
    written = new.state.text
    new.dispatch(Acted("back"))
    assert new.state.interview.step == "input_format"
    assert new.state.text == written  # what came before the dash stays
    for line in ("-", "Write the number after ####.", "/back", "/back"):
        new.dispatch(event_of(line))
    assert (new.state.interview.step, new.state.text) == ("input_format", written)
    new.dispatch(event_of("/back"))
    assert new.state.interview.step == "description"
    assert any(each.text == "your last change is undone, /redo brings it back" for each in new.state.turns)


def test_a_question_that_is_known_no_more_is_passed_over(bench: Replay) -> None:
    bench.state = replace(bench.state, interview=Interview("of another version"))
    assert bench.dispatch(Said("yes")).interview.step == "input_format"  # the first one that is open


def test_yes_without_a_card_asks_for_the_answer(new: Replay) -> None:
    for line in ("sums", "Question answering in arithmetic.", "-", "Write the number after ####."):
        new.dispatch(Said(line))
    assert new.state.interview.step == "answer"
    new.dispatch(Acted("reject"))
    assert last(new.dispatch(Said("yes"))) == "There is no card to take over; say what the answer is."


def test_who_comes_back_after_leaving_does_not_read_of_it(bench: Replay) -> None:
    bench.dispatch(Acted("set", "seed 3"))
    left = play(bench, Acted("quit"), Acted("quit"))
    assert [turn.text for turn in left.turns].count("/quit") == 2
    again = bench.dispatch(Opened("sums.yaml", SPEC))
    assert "/quit" not in [turn.text for turn in again.turns]


def test_what_cannot_be_written_is_said_and_asked_again(new: Replay) -> None:
    new.dispatch(Said("sums"))
    new.dispatch(Typed(0, len(new.state.text), "sdrl: 1\nname: sums\ntask: a word\n"))
    state = replace(new.state, interview=Interview("description"))
    after, _ = reduce(state, Said("A task."))
    assert last(after).startswith("That cannot be written:")
    assert after.text == state.text


def test_a_demo_is_read_where_there_is_a_verifier_and_its_failure_is_said(bench: Replay) -> None:
    assert "the verifier reads: 3" in last(bench.dispatch(Acted("demo", "1 + 2? => #### 3")))
    assert "the verifier reads no answer in this output" in last(bench.dispatch(Acted("demo", "1 + 2? => three")))
    bench.dispatch(Acted("set", "answer.type label"))  # no verifier without options
    assert "no verifier yet" in last(bench.dispatch(Acted("demo", "1 + 2? => three")))
    bench.dispatch(Acted("remove", "answer"))
    assert "no verifier yet" in last(bench.dispatch(Acted("demo", "1 + 2? => four")))
    assert "there is no task.output_format to propose from" in last(reduce(State(is_opened=True), Acted("propose"))[0])


def test_an_example_without_an_answer_in_it_is_asked_for_again_unless_none_can_be_read(new: Replay) -> None:
    for line in ("sums", "Question answering in arithmetic.", "-", "Write the number after ####.", "yes", "1 + 1?"):
        new.dispatch(Said(line))
    asked = new.dispatch(Said("two"))
    assert last(asked).startswith("The verifier reads no answer in that")
    for answer in ("{type: label, extract: {tag: a}}", "{type: choice, extract: {tag: a}}"):
        changed = new.dispatch(Acted("set", f"answer {answer}"))
        state = replace(changed, interview=replace(asked.interview))
        assert reduce(state, Said("two"))[0].text != state.text  # no verifier can tell: it is taken


def test_a_card_accepted_by_command_answers_the_question_that_is_open(new: Replay) -> None:
    for line in ("sums", "Question answering in arithmetic.", "-", "Write the number after ####."):
        new.dispatch(Said(line))
    assert new.state.interview.step == "answer"
    assert new.dispatch(Acted("accept")).interview.step == "demo_input"
    assert last(new.dispatch(Acted("accept"))) == "there is no card to accept"


def test_a_long_text_is_shown_by_its_beginning() -> None:
    text = "".join(f"line {at}\n" for at in range(500))
    assert shortened("short") == "short"
    assert shortened(text).startswith("line 0\n") and "501 lines, 4,390 characters" in shortened(text)


def test_samples_are_asked_for_once_and_judged_with_words_that_are_known(bench: Replay) -> None:
    models = "{instructor: {model: scripted-instructor, endpoint: embedded}, base: {model: toy-base, serve: embedded}}"
    bench.dispatch(Acted("set", f"models {models}"))
    assert bench.dispatch(Acted("samples")).view == "samples"
    assert "nothing was asked" in last(bench.dispatch(Acted("samples", "0")))
    assert bench.dispatch(Acted("samples", "2")).is_sampling
    assert "being written already" in last(bench.dispatch(Acted("samples", "go")))
    sample = Sample("a", "Which?", (("A", "one"), ("B", "two")), "A", "A", (("A", 3),), 3, 1.0)
    bench.dispatch(Sampled(bench.state.rev, (sample,)))
    assert "judged with yes, no or demo" in last(bench.dispatch(Acted("sample", "perhaps")))
    after = bench.dispatch(Acted("sample", "demo"))
    assert "options: {A: one, B: two}" in after.text


def test_a_saved_name_without_an_ending_gets_one(tmp_path: Path) -> None:
    from sdrl.authoring.effects import Save

    state = State(path="a.yaml", is_opened=True, text=SPEC)
    saves = [each for each in reduce(state, Acted("save", str(tmp_path / "other")))[1] if isinstance(each, Save)]
    assert [each.path for each in saves] == [str(tmp_path / "other.yaml")]
    assert "is no name for a spec" in last(reduce(state, Acted("save", "a.txt"))[0])
