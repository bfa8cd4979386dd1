"""What the menu over the prompt offers: the right things first, each a line that does what it says; never an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.commands import act
from sdrl.authoring.completing import MOST, Choices, Completion, Entry, completions, ranked
from sdrl.authoring.document import written
from sdrl.authoring.events import Acted, Answered, Opened, Said
from sdrl.authoring.places import DEFAULT, NOW, places
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Replay
from sdrl.spec.codes import CODES
from sdrl.spec.edits import Edit
from tests.authoring.small_spec import SMALL
from tests.authoring.test_properties import EVENTS, played

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
LISTS = {
    ("files", ""): (("task.yaml", ""), ("b [bold].yaml", ""), (".hidden.yaml", ""), ("specs/", "folder")),
    ("files", "specs/"): (("gsm8k.yaml", ""), ("two\nlines.yaml", ""), ("\ud800.yaml", ""), (" blank.yaml", "")),
    ("runs", ""): (("sums-2", "just now"), ("sums", "1 day ago")),
    ("examples", ""): (("gsm8k", "Word problems"), ("topics", "Topics of texts")),
    ("themes", ""): (("nord", "now"), ("textual-dark", "")),
}


def listed(kind: str, folder: str) -> Sequence[tuple[str, str]]:
    return LISTS.get((kind, folder), ())


def offered(line: str, text: str = GSM8K) -> Choices:
    return completions(State(path="task.yaml", text=text, is_opened=True), line, listed)


def lines(line: str, text: str = GSM8K) -> list[str]:
    return [each.line for each in offered(line, text).entries]


def about(line: str, text: str = GSM8K) -> dict[str, str]:
    return {each.shown: each.about for each in offered(line, text).entries}


def with_card() -> State:
    edits = (Edit("set", "budget.usd", 80), Edit("insert", "demos.-", {"input": "1 + 1?", "output": "#### 2"}))
    bench = Replay()
    bench.dispatch(Opened("task.yaml", GSM8K))
    bench.dispatch(Acted("model", "fake-model http://127.0.0.1:9/v1"))
    bench.dispatch(Said("cheaper"))
    return bench.dispatch(Answered(bench.state.asking, "Cheaper.", edits, "why"))


@pytest.mark.parametrize(
    "line", ["", "/", "/se", "/set", "set budget", "//set ", "/nope x", "/plan ", "/set a\nb", " /set "]
)
def test_nothing_is_offered_before_a_command_that_takes_something_and_a_space(line: str) -> None:
    assert offered(line) == Choices()


def test_what_begins_with_the_letters_comes_before_what_holds_them_and_that_before_letters_in_order() -> None:
    words = ("xbud", "b_u_d", "a.bud", "budget", "BUDS", "dub")
    assert [each.word for each in ranked("bud", map(Entry, words))] == ["budget", "BUDS", "a.bud", "xbud", "b_u_d"]


def test_a_path_leads_through_its_table_to_its_values() -> None:
    assert lines("/set bud")[:2] == ["/set budget.", "/set budget.usd "]
    assert lines("/set budget.")[0] == "/set budget.usd "
    assert lines("/set budget.usd ") == ["/set budget.usd 150", "/set budget.usd null"]
    assert about("/set budget.usd ") == {"150": NOW, "null": DEFAULT}
    assert all(each.goes_on for each in offered("/set bud").entries)
    assert not any(each.goes_on for each in offered("/set budget.usd ").entries)


def test_paths_are_told_in_the_words_of_the_schema_and_values_under_what_is_asked() -> None:
    assert about("/set bud")["budget.usd"] == "US dollars; needs the instructor's price."
    assert offered("/set bud").asked == "/set PATH VALUE"
    value = offered("/set budget.usd ")
    assert (value.asked, value.about) == ("budget.usd: a number or null", "US dollars; needs the instructor's price.")


def test_keys_that_are_not_written_yet_are_offered_beside_those_that_are() -> None:
    assert "gate" not in SMALL
    assert "/set gate.min_gain " in lines("/set gate.", SMALL)
    assert "/set train.lora.rank " in lines("/set lora", SMALL)
    assert "/set kl" not in SMALL and lines("/set kl", SMALL)[0] == "/set train.kl "
    assert lines("/set name", "{ no yaml")[0] == "/set name "  # the language's places need no text


def test_words_truth_present_value_and_default_are_offered() -> None:
    values = about("/set answer.type ")
    assert list(values)[:3] == ["number", "math", "choice"]
    assert values["number"] == NOW
    assert about("/set adapt.harder ") == {"true": DEFAULT, "false": ""}
    assert about("/set vote.min_agreement ", SMALL) == {"0.5": DEFAULT, "null": ""}
    assert about("/set vote.min_agreement ", SMALL + "extends: paper\n") == {"null": DEFAULT}
    assert about("/set models.base.prompt ") == {"raw": NOW, "chat": ""}
    assert lines("/set answer.type nu") == ["/set answer.type number"]


def test_only_what_is_written_is_removed_and_only_lists_are_added_to() -> None:
    assert lines("/remove gate", SMALL) == []
    assert lines("/remove demos", SMALL)[:2] == ["/remove demos", "/remove demos.0"]
    added = lines("/add ", SMALL)
    assert {"/add demos ", "/add corpus ", "/add filter "} <= set(added)
    assert "/add budget " not in added
    assert lines("/add filter rou") == ["/add filter {rouge_l: "]
    assert lines("/add demos ")[:2] == ["/add demos {input: ", "/add demos {output: "]


def test_an_item_is_moved_to_the_places_of_its_list() -> None:
    text = "filter: [{duplicates: true}, {rouge_l: 0.7}, {minhash: 0.8}]\n"
    assert lines("/move ", text) == ["/move filter.0 ", "/move filter.1 ", "/move filter.2 "]
    assert lines("/move filter.2 ", text) == ["/move filter.2 0", "/move filter.2 1"]


def test_a_long_list_is_gone_through_only_once_its_path_is_typed() -> None:
    text = "demos:\n" + "".join(f"  - {{input: a{at}, output: b}}\n" for at in range(300))
    assert lines("/remove d", text) == ["/remove demos"]
    assert len(lines("/remove demos.", text)) == MOST
    assert "/remove demos.217" in lines("/remove demos.21", text)
    assert lines("/remove demos.217.", text) == ["/remove demos.217.input", "/remove demos.217.output"]


def test_names_that_no_command_can_hold_are_left_out() -> None:
    text = 'params: {fine: x, "two words": x, "a.b": x, "": x, "\\e[2J": x}\n'
    assert lines("/set params.", text) == ["/set params.fine "]


def test_a_card_is_accepted_amended_and_rejected_by_what_is_offered() -> None:
    state = with_card()

    def of(line: str) -> list[Completion]:
        return list(completions(state, line).entries)

    assert [each.line for each in of("/accept ")] == ["/accept 1", "/accept budget.usd", "/accept demos.-"]
    assert [each.line for each in of("/accept 1 ")] == ["/accept 1 budget.usd", "/accept 1 demos.-"]
    assert [each.line for each in of("/accept 1 budget.usd ")] == ["/accept 1 budget.usd demos.-"]
    assert [each.line for each in of("/reject ")] == ["/reject 1"]
    assert [each.line for each in of("/amend ")] == ["/amend 1 "]
    assert [each.line for each in of("/amend 1 b")] == ["/amend 1 budget.usd "]
    values = of("/amend 1 budget.usd ")
    assert (values[0].line, values[0].about) == ("/amend 1 budget.usd 80", "as it is proposed")
    assert (values[1].line, values[1].about) == ("/amend 1 budget.usd 150", NOW)
    assert of("/accept 2 ") == of("/amend x y ") == of("/reject 1 ") == []


def test_the_codes_of_what_is_wrong_come_first_and_words_of_a_title_find_one() -> None:
    wrong = Replay()
    wrong.dispatch(Opened("task.yaml", SMALL.replace("number", "nummer")))
    shown = [each.line for each in completions(wrong.state, "/explain ").entries]
    here = [f"/explain {code}" for code in dict.fromkeys(issue.code for issue in wrong.state.issues)]
    assert here and shown[: len(here)] == here
    assert about("/explain E101") == {"E101": CODES["E101"].title}
    assert "/explain E102" in lines("/explain too large")


def test_files_and_folders_are_offered_below_the_folder_that_is_typed() -> None:
    assert lines("/open ") == ["/open task.yaml", "/open b [bold].yaml", "/open specs/"]
    assert about("/open ")["task.yaml"] == "this spec"
    assert lines("/open .")[0] == "/open .hidden.yaml"
    assert lines("/open specs/") == ["/open specs/gsm8k.yaml"]  # what no line can hold is left out
    assert offered("/open sp").entries[0].goes_on
    assert lines("/save nowhere/") == []


def test_runs_examples_themes_prompts_models_and_commands() -> None:
    for command in ("run", "review", "start", "stop"):
        assert lines(f"/{command} ") == [f"/{command} sums-2", f"/{command} sums"]
    assert about("/example t")["topics"] == "Topics of texts"
    assert about("/theme ")["nord"] == "now"
    assert lines("/prompt gen")[0] == "/prompt generate"
    assert lines("/prompt ", SMALL + "synthesize: {method: targen}\n").index("/prompt contexts") < 10
    instructor = 'instructor: {model: m, endpoint: "http://127.0.0.1:9/v1", key_env: K}'
    model = f"models: {{{instructor}, base: {{model: b, serve: vllm}}}}\n"
    assert lines("/model ", model) == ["/model m http://127.0.0.1:9/v1 K", "/model off"]
    assert lines("/model ", "models: {instructor: {model: m, endpoint: embedded}}\n") == ["/model off"]
    assert lines("/help /und")[0] == "/help /undo"
    assert "/copy budget.usd" in lines("/copy usd")
    assert lines("/copy ")[:2] == ["/copy spec", "/copy issues"]


def test_judging_is_yes_or_no_and_then_what_is_wrong() -> None:
    assert lines("/judge ") == ["/judge yes", "/judge no"]
    assert lines("/judge no ") == ["/judge no task", "/judge no input", "/judge no output"]
    assert lines("/judge no output ") == ["/judge no output task", "/judge no output input"]
    assert lines("/judge yes ") == lines("/judge no output off ") == []
    assert lines("/sample d") == ["/sample demo"]
    assert lines("/samples ") == ["/samples 3", "/samples +3", "/samples go"]


@pytest.mark.parametrize("text", [GSM8K, SMALL, Path("specs/_reference.yaml").read_text(encoding="utf-8")])
def test_every_value_that_is_offered_is_taken_and_the_present_one_changes_nothing(text: str) -> None:
    state, tried = State(text=text, is_opened=True), 0
    for place in places(text):
        for value in completions(state, f"/set {place.path} ").entries:
            after, _ = act(state, "set", value.line.removeprefix("/set "))
            assert "nothing was changed" not in after.turns[-1].text, (value, after.turns[-1].text)
            if NOW in value.about:
                assert written(after.text) == written(text), value
            tried += 1
    assert tried > 100


def test_every_path_that_is_offered_is_removed() -> None:
    state = State(text=GSM8K, is_opened=True)
    paths = lines("/remove ")
    assert len(paths) > 20
    for line in paths:
        after, _ = act(state, "remove", line.removeprefix("/remove "))
        assert after.text != GSM8K, (line, after.turns[-1].text)


COMMANDS = st.sampled_from(sorted(ACTIONS))
WORDS = st.text(max_size=9) | st.sampled_from(
    (
        "1",
        "demos.0",
        "budget.usd ",
        "no output ",
        "answer.",
        "task..",
        ".",
        "-",
        "demos.-.",
        "0.9",
        "/",
        "~nobody/",
        "\x00",
        "#1 ",
    )
)
TEXTS = st.sampled_from(
    (GSM8K, SMALL, "", "{", "a: [1", "- 1\n", "demos: 3\n", "answer: [1]\n", "filter: {a: b}\n", "\x00")
)


@settings(max_examples=300, deadline=None)
@given(COMMANDS, st.lists(WORDS, max_size=4), TEXTS)
def test_any_line_on_any_text_has_an_answer(command: str, words: list[str], text: str) -> None:
    line = f"/{command} {''.join(words)}"
    found = offered(line, text)
    assert len(found.entries) <= MOST
    for each in found.entries:
        assert each.line.startswith(f"/{command} ") and len(each.line.splitlines()) == 1
        assert (each.shown + each.about).isprintable()


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, max_size=8), COMMANDS, WORDS)
def test_any_state_has_an_answer(events: list, command: str, word: str) -> None:  # type: ignore[type-arg]
    state = played(events)
    assert completions(state, f"/{command} {word}", listed) == completions(state, f"/{command} {word}", listed)


@given(st.text(max_size=30))
def test_a_line_that_is_no_command_has_none(line: str) -> None:
    found = offered(line)
    assert found == Choices() or line.startswith("/")
