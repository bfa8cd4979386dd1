"""What somebody who knows nothing says to the guide: a question, a wish, a path, a key (docs/tryout-terminal.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.authoring.asked import answer, is_question, is_unknown
from sdrl.authoring.document import value_at, written
from sdrl.authoring.effects import Show
from sdrl.authoring.events import Examined, Said, Shown, Typed
from sdrl.authoring.journal import Line, read_lines
from sdrl.authoring.propose import propose
from sdrl.authoring.reducer import reduce
from sdrl.authoring.services import Services
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Workbench, opened, replay
from sdrl.spec.diagnostics import Diagnostic

TO_DEMO = ("tickets", "Classification of tickets. It takes care.", "-", "One of spam or ham after Label:", "yes")
TO_CORPUS = (*TO_DEMO, "-", "-")
TO_MODELS = (*TO_CORPUS, "-")


def after(*said: str) -> State:
    """The state after these answers, from the first question on."""
    return replay([Line(at, Said(text)) for at, text in enumerate(said, 1)], "test", "task.yaml").state


def told(state: State) -> str:
    """What the guide said last."""
    return next(turn.text for turn in reversed(state.turns) if turn.role == "guide")


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("what does it cost?", "/plan"),
        ("how do I start the run", "/start"),
        ("quit", "/quit"),
        (":wq", "/quit"),
        ("can I see the prompts?", "/prompt"),
        ("how do I test the verifier", "/verify"),
        ("where is it saved?", "/save"),
        ("how do I go back", "/back"),
    ],
)
def test_a_question_is_answered_with_its_command_and_written_nowhere(said: str, command: str) -> None:
    before, asked = after(*TO_DEMO, "-"), after(*TO_DEMO, "-", said)
    assert asked.text == before.text
    assert asked.interview == before.interview
    assert command in told(asked) and "Under which licence" in told(asked)


def test_a_question_without_an_interview_and_a_model_is_answered_too() -> None:
    state = replay(read_lines("/example gsm8k\nhow do I start it?\n", "script"), "script", "task.yaml").state
    assert state.turns[-1].text.startswith("/start")


@pytest.mark.parametrize(
    "text", ["Sort the tickets.", "A number after ####", "What is 2 + 2?\nSay it.", "word " * 20 + "?"]
)
def test_what_is_no_question_is_none(text: str) -> None:
    assert not is_question(text)


def test_the_input_of_an_example_may_be_a_question() -> None:
    state = after(*TO_DEMO, "Is this spam?", "Label: spam")
    assert value_at(written(state.text), "demos.0") == {"input": "Is this spam?", "output": "Label: spam"}


def test_a_question_with_no_known_cue_explains_the_one_that_is_open() -> None:
    assert answer("what?") == ""
    assert "what somebody who does the task has to do" in told(after("tickets", "what?"))


@pytest.mark.parametrize("text", ["I don't know", "idk", "not sure yet.", "no idea", "later"])
def test_not_knowing_leaves_a_question_out_where_it_may_be(text: str) -> None:
    assert is_unknown(text)
    state = after(*TO_DEMO, "-", text)
    assert "license" not in state.text
    assert state.interview.step == "corpus" and "license" in state.interview.skipped
    needed = after(text)
    assert needed.interview.step == "name" and "This one is needed" in told(needed)


def test_a_wish_in_place_of_a_name_becomes_the_description() -> None:
    wish = "I want a model that sorts the support tickets of our shop"
    state = after(wish)
    assert value_at(written(state.text), "task.description") == wish
    assert state.interview.step == "name"
    assert after(wish, "tickets").interview.step == "input_format"


def test_a_long_paste_is_no_answer() -> None:
    state = after("tickets", "Sorting.", "line\n" * 3000)
    assert state.interview.step == "input_format"
    assert "3,001 lines" in told(state) and len(state.text) < 200


def test_no_to_a_proposal_rejects_it_and_asks_what_is_right() -> None:
    state = after(*TO_DEMO[:4], "no")
    assert state.open_card is None and state.cards[-1].status == "rejected"
    assert "Say what an answer is, and where it stands" in told(state)
    assert after(*TO_DEMO[:4], "no", "spam or ham between <a> and </a>").open_card is not None


def test_what_is_said_of_the_answer_is_told_to_the_solver_too() -> None:
    state = after("tickets", "Sorting.", "-", "spam or ham", "a label after Label: spam or ham", "yes")
    values = written(state.text)
    assert value_at(values, "answer.extract") == {"marker": "Label:"}
    assert value_at(values, "task.output_format") == 'spam or ham. Write the answer after "Label:".'


@pytest.mark.parametrize(
    "output_format", ["The department in bold", "spam or ham as the first word", "Answer in a table."]
)
def test_a_format_that_nothing_reads_is_named_as_such(output_format: str) -> None:
    found = propose(output_format)
    assert not found.works
    assert "nothing reads" in found.why[-1] and "say a mark instead" in found.why[-1]


def test_an_output_without_an_answer_is_no_demo() -> None:
    state = after(*TO_DEMO, "Buy now!", "spam")
    assert state.interview.step == "demo_output" and "demos" not in state.text
    assert "It looks after Label:" in told(state)
    state = after(*TO_DEMO, "Buy now!", "spam", "Label: spam")
    assert value_at(written(state.text), "demos.0.output") == "Label: spam"
    assert after(*TO_DEMO, "Buy now!", "spam", "-").interview.step == "license"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("our tickets are in ~/Documents/tickets", "~/Documents/tickets/*.txt"),
        ("tickets", "passages/*.txt"),
        ("tickets.docx", "are read"),
    ],
)
def test_a_sentence_is_no_corpus(said: str, problem: str) -> None:
    state = after(*TO_CORPUS, said)
    assert "corpus" not in state.text and state.interview.step == "corpus"
    assert problem in told(state)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("ChatGPT", "a product"),
        ("test.jsonl", "a file of data"),
        ("sk-proj-abcdefghijklmnop1234", "a key itself"),
        ("gpt-4o at openai", "no address"),
        ("I would like gpt-4o", "a model's name"),
    ],
)
def test_what_names_no_model_is_not_written(said: str, problem: str) -> None:
    state = after(*TO_MODELS, said)
    assert "models" not in state.text and state.interview.step == "instructor"
    assert problem in told(state)


def test_a_file_is_no_licence() -> None:
    state = after(*TO_DEMO, "-", "test.jsonl")
    assert value_at(written(state.text), "task.license") is None
    assert "a licence is a name" in told(state)


@pytest.mark.parametrize(
    ("said", "step", "demo"),
    [
        ("Buy now! => Label: spam", "license", {"input": "Buy now!", "output": "Label: spam"}),
        ("x => x + 1", "demo_output", None),  # an arrow of its own: the output is asked for
        ("Buy now! =>", "demo_output", None),
    ],
)
def test_an_example_may_come_whole_with_an_arrow(said: str, step: str, demo: dict[str, str] | None) -> None:
    state = after(*TO_DEMO, said)
    assert state.interview.step == step
    assert value_at(written(state.text), "demos.0") == demo
    assert state.interview.draft == ({} if demo else {"input": said})


def test_the_spec_is_written_over_lines_from_its_first_answer() -> None:
    assert after("tickets", "Sorting.").text == "sdrl: 1\nname: tickets\n\ntask:\n  description: Sorting.\n"


def test_what_compiling_finds_is_counted_and_told_once(tmp_path: Path) -> None:
    bench = Workbench()
    bench.dispatch(opened(tmp_path / "task.yaml"))
    for text in (*TO_CORPUS, "nowhere/*.txt"):
        bench.dispatch(Said(text))
    assert [issue.code for issue in bench.state.issues if issue.is_error] == ["E542"]
    assert sum("E542" in turn.text for turn in bench.state.turns) == 1
    bench.dispatch(Said("-"))
    assert sum("E542" in turn.text for turn in bench.state.turns) == 1
    (tmp_path / "nowhere").mkdir()
    (tmp_path / "nowhere" / "a.txt").write_text("A passage.", encoding="utf-8")
    bench.dispatch(Said("embedded"))
    assert not any(issue.is_error for issue in bench.state.issues)


def test_what_compiling_found_too_late_is_dropped() -> None:
    state = after("tickets", "Sorting.")
    found = (Diagnostic("E542", "no file", "corpus.0.files.0"),)
    assert reduce(state, Examined(state.rev - 1, found))[0] == state
    assert reduce(state, Examined(state.rev, (), "it was ended"))[0] == state
    known, _ = reduce(state, Examined(state.rev, found))
    assert known.issues == found and known.deeper == found
    assert reduce(known, Typed(0, 0, "# mine\n"))[0].deeper == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sdrl: 1\nname: a\n", "how answers are read is not said yet"),
        ("sdrl: 1\nanswer: {type: number}\n", "extract field required"),
    ],
)
def test_the_verifier_says_in_words_what_it_lacks(text: str, told: str) -> None:
    shown = Services().perform(Show("verify", 1, "task.yaml", text))
    assert isinstance(shown, Shown)
    assert told in shown.lines[0] and "validation error" not in shown.lines[0]


@pytest.mark.parametrize(
    ("value", "is_told"), [(r"48 + 24.\n#### 72", True), (r"\nabla f = 0", False), ("#### 72", False)]
)
def test_a_line_end_that_was_typed_out_is_told_of(value: str, is_told: bool) -> None:
    for line in (f"/demo What? => {value}", f"/set demos.0.output {value}"):
        lines = read_lines(f"/example gsm8k\n/demo What? => #### 1\n{line}\n", "script")
        told = replay(lines, "script", "task.yaml").state.turns[-1].text
        assert ("ctrl+j in the prompt" in told) is is_told
