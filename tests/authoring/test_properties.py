"""Any sequence of events: nothing raises, undo leads back, redo leads forth, and a journal gives the same state."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.authoring.actions import ACTIONS, event_of
from sdrl.authoring.commands import act
from sdrl.authoring.document import redone, undone
from sdrl.authoring.events import (
    Acted,
    Answered,
    Drafted,
    Estimated,
    Event,
    Failed,
    Judged,
    Opened,
    Refused,
    Resized,
    Said,
    Sampled,
    Stored,
    Streamed,
    Taken,
    Told,
    Typed,
    from_json,
    is_journaled,
    to_json,
)
from sdrl.authoring.reducer import reduce
from sdrl.authoring.splice import delta_of
from sdrl.authoring.state import Sample, State
from sdrl.authoring.workbench import Replay
from sdrl.spec.edits import Edit

PATHS = (
    "task.description",
    "answer",
    "answer.options",
    "demos.0",
    "demos.-",
    "budget.usd",
    "filter.0",
    "nope",
    "",
    "a.b",
)
VALUES = (
    "7",
    "{type: number, extract: {last_number: true}}",
    "[a, b]",
    "{input: x, output: y}",
    "text: more",
    "'",
    "{",
)
TEXTS = st.sampled_from(
    (
        "",
        "-",
        "yes",
        "a name",
        "number after ####",
        "a, b or c",
        "2.5 10",
        "embedded",
        "x.jsonl",
        "o/d main",
        "\x00",
        "\ud800",
    )
) | st.text(max_size=12)
ARGUMENTS = (
    st.builds("{} {}".format, st.sampled_from(PATHS), st.sampled_from(VALUES))
    | TEXTS
    | st.sampled_from(
        (
            "1",
            "1 1",
            "2 answer",
            "W302",
            "a => b",
            "m http://x K",
            "off",
            "x.yaml",
            "demo",
            "no output a note",
            "yes",
            "3",
            "next",
            "go",
        )
    )
)
EDITS = st.builds(
    Edit,
    st.sampled_from(("set", "insert", "remove")),
    st.sampled_from([path for path in PATHS if path]),  # '' is no path for Edit.from_json
    st.sampled_from((None, 7, "x", ["a"], {"input": "x", "output": "y"})),
).map(lambda edit: Edit.from_json(edit.to_json()))  # as a model's reply holds it
SPEC = """\
sdrl: 1
name: a
task: {description: Add., output_format: "Write it after ####."}  # kept
answer: {type: number}
"""
SAMPLES = st.builds(
    Sample, TEXTS, TEXTS, st.just((("A", "one"),)), TEXTS, TEXTS, st.just((("2", 3),)), st.integers(0, 5), st.just(0.6)
)
ASKED = 5  # of the turns below, stands for the one that is being answered
EVENTS: st.SearchStrategy[Event] = (
    st.builds(Said, TEXTS)
    | st.just(Acted("model", "m http://127.0.0.1:9/v1"))
    | st.builds(Answered, st.just(ASKED), TEXTS, st.lists(EDITS, max_size=2).map(tuple))
    | st.builds(Acted, st.sampled_from((*ACTIONS, "nope", "")), ARGUMENTS)
    | st.builds(
        Typed, st.integers(-2, 60), st.integers(-2, 90), st.sampled_from(("", "x", "\n", "{", "a: b", "\x00", "- "))
    )
    | st.builds(Drafted, st.integers(-2, 9), st.integers(-2, 9), TEXTS)
    | st.builds(Sampled, st.integers(0, 9), st.lists(SAMPLES, max_size=3).map(tuple), TEXTS)
    | st.builds(Judged, TEXTS, st.lists(st.just((("output",), "", 0.6)), max_size=3).map(tuple), TEXTS)
    | st.builds(Estimated, st.integers(0, 9), st.just("runs/a"), st.just("ab" * 32), TEXTS)
    | st.builds(Told, TEXTS)
    | st.builds(Resized, st.integers(-1, 999))
    | st.builds(Refused, TEXTS, TEXTS, TEXTS)
    | st.builds(Taken, st.just("an editor"), TEXTS)
    | st.builds(Streamed, st.integers(0, 9), TEXTS)
    | st.builds(Answered, st.integers(0, 9), TEXTS, st.lists(EDITS, max_size=2).map(tuple))
    | st.builds(Failed, st.integers(0, 9), TEXTS)
    | st.builds(Stored, st.just("a.yaml"), st.just("0" * 64))
    | st.builds(Opened, st.just("a.yaml"), st.sampled_from((SPEC, "", "{")), st.booleans())
)


def played(events: list[Event]) -> State:
    bench = Replay()
    bench.dispatch(Opened("a.yaml", SPEC))
    for event in events:
        if isinstance(event, Streamed | Answered | Failed) and event.turn == ASKED:
            event = replace(event, turn=bench.state.asking)
        bench.dispatch(event)
    return bench.state


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=14))
def test_no_event_raises_and_undo_leads_back_to_the_beginning(events: list[Event]) -> None:
    state = played(events)
    end, steps = state.text, 0
    while (before := undone(state)) is not None:
        state, steps = before, steps + 1
    assert state.text == SPEC
    for _ in range(steps):
        after = redone(state)
        assert after is not None
        state = after
    assert state.text == end


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=10))
def test_a_journal_gives_the_same_state(events: list[Event]) -> None:
    kept = [event for event in events if is_journaled(event)]
    lines = [json.dumps(to_json(event)) for event in kept]
    again = played([from_json(json.loads(line)) for line in lines])
    assert again == played(kept)
    now = played(events)  # the room for panels is not kept, and changes nothing else
    assert (again.text, again.turns, again.cards, again.undo) == (now.text, now.turns, now.cards, now.undo)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=6), EVENTS)
def test_an_event_leaves_the_state_it_came_to_as_it_was(events: list[Event], event: Event) -> None:
    state = played(events)
    copy = replace(state)
    first, second = reduce(state, event), reduce(state, event)
    assert state == copy
    assert first == second


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_delta_makes_the_one_text_of_the_other(old: str, new: str) -> None:
    delta = delta_of(old, new)
    assert old[: delta.start] + delta.new + old[delta.start + len(delta.old) :] == new


def test_every_action_is_carried_out_and_explained() -> None:
    for action in ACTIONS.values():
        after, _ = act(State(is_opened=True), action.id, "")
        assert not any("there is no /" in turn.text for turn in after.turns), action.id
        assert action.help.endswith((".", "150", "0", "}")), action.id
        assert event_of(f"/{action.id} x") == Acted(action.id, "x")


def test_keys_are_bound_once() -> None:
    keys = [key for action in ACTIONS.values() for key in action.keys]
    assert len(keys) == len(set(keys))
    assert not {"ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"} & set(keys)  # a terminal or a multiplexer takes them
