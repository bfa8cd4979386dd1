"""SynthLLM: which passages an attempt reads, which two it writes from, what a passage without concepts costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.methods import Draft, Example, Refusal, Reply
from sdrl.methods.synthllm import NEIGHBOURS, WINDOW
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.method_table import METHOD_TABLE
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.by_hand import attempt_of, plan_of, played, text_of
from tests.methods.fake_writer import FakeWriter
from tests.methods.test_runs import compiled, rows

METHOD = METHOD_TABLE["synthllm"]
WRITTEN = {"input": "What is 4 + 4?", "output": "4 + 4 = 8\n#### 8"}
WORDS = ("money", "loans", "rates", "banks", "bridge", "arches", "rivers", "towers")
LIBRARY = tuple(
    {"id": f"p{at}", "text": f"Text about {WORDS[at % 8]} {WORDS[at % 8]}s {WORDS[at // 8 % 8]}."} for at in range(30)
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("synthllm"), "synthllm")


def held(topic: str, *concepts: str) -> Reply:
    return {"topics": [topic], "concepts": list(concepts)}


def read_by(plan: Plan, turn: int, library: tuple[dict[str, str], ...] = LIBRARY) -> list[Draft]:
    """The requests for concepts of an attempt."""
    known = [held(f"topic {at}", f"concept {at}") for at in range(1 + NEIGHBOURS)]
    return [draft for draft in played(attempt_of(plan, turn, library=library), *known)[0] if draft.prompt == "concepts"]


def test_the_table_says_how_many_in_a_row_read_each_others_passages() -> None:
    assert METHOD.step("concepts").serves == WINDOW


def test_an_attempt_reads_its_own_passage_and_the_most_alike_of_its_window(plan: Plan) -> None:
    drafts = read_by(plan, 13)
    assert [draft.may_fail for draft in drafts] == [False] + [True] * NEIGHBOURS
    keys = [draft.key for draft in drafts]
    assert keys[:2] == ["p13", "p21"], "the own passage, then the one that has its words"
    window = {each["id"] for each in LIBRARY[WINDOW : 2 * WINDOW]}
    assert len(set(keys)) == 1 + NEIGHBOURS and set(keys) <= window
    assert "Text about arches archess loans." in text_of(plan, drafts[0])


def test_a_window_asks_for_each_of_its_passages_once(plan: Plan) -> None:
    asked: dict[str | None, Draft] = {}
    for turn in range(WINDOW):
        for draft in read_by(plan, turn):
            assert asked.setdefault(draft.key, draft).values == draft.values
    assert len(asked) == WINDOW


def test_a_small_library_is_read_whole_and_gone_through_again(plan: Plan) -> None:
    few = LIBRARY[:4]
    assert {draft.key for draft in read_by(plan, 5, few)} == {each["id"] for each in few}
    assert read_by(plan, 5, few)[0].key == "p1"


def test_a_question_is_written_from_the_concepts_and_the_passages_that_hold_them(plan: Plan) -> None:
    replies = held("Loans", "rate", "annuity"), held("Bridges", "arch"), held("Saving", "deposit", "Rate")
    drafts, outcome = played(attempt_of(plan, 0, library=LIBRARY[:3], seed=4), *replies, WRITTEN)
    texts = {draft.key: draft.values["passage"] for draft in drafts[:3]}
    linked = drafts[2].key
    shown = text_of(plan, drafts[3])
    assert isinstance(outcome, Example)
    notes = outcome.notes
    assert "rate" in notes["concepts"]  # no walk of two steps passes by what the two have in common
    assert notes["passages"] == ["p0", linked]
    assert f"<passage>\n{texts['p0']}\n</passage>\n<passage>\n{texts[linked]}\n</passage>" in shown
    assert "<topics>\n- Loans\n" in shown and "Two passages about them" in shown
    for concept in notes["concepts"]:
        assert f"\n- {concept}\n" in shown
    assert "What is 1 + 1?" not in shown
    assert (outcome.reply, outcome.passage, outcome.parents) == (WRITTEN, "p0", ())


@pytest.mark.parametrize("seed", range(6))
def test_the_other_passage_is_the_one_with_most_of_the_walk(plan: Plan, seed: int) -> None:
    replies = held("Loans", "rate"), held("Bridges", "arch"), held("Saving", "deposit", "rate")
    drafts, outcome = played(attempt_of(plan, 0, library=LIBRARY[:3], seed=seed), *replies, WRITTEN)
    assert isinstance(outcome, Example)
    assert outcome.notes["passages"] == ["p0", drafts[2].key]
    assert outcome.notes["topics"] == ["Loans"] and outcome.notes["concepts"][0] == "rate"


def test_where_nothing_links_two_passages_the_walk_goes_on_in_the_most_alike(plan: Plan) -> None:
    replies = held("Loans", "rate"), held("Bridges", "arch"), held("Saving", "deposit")
    drafts, outcome = played(attempt_of(plan, 0, library=LIBRARY[:3]), *replies, WRITTEN)
    assert isinstance(outcome, Example)
    assert outcome.notes == {
        "topics": ["Loans", "Bridges"],
        "concepts": ["rate", "arch"],
        "passages": ["p0", drafts[1].key],
    }


def test_a_passage_alone_combines_its_own_concepts(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan, library=LIBRARY[:1]), held("Loans", "rate", "annuity"), WRITTEN)
    shown = text_of(plan, drafts[1])
    assert "A passage about them" in shown and shown.count("<passage>") == 1
    assert isinstance(outcome, Example) and outcome.notes["passages"] == ["p0"]
    assert set(outcome.notes["concepts"]) == {"rate", "annuity"}


def test_a_neighbour_without_concepts_is_left_out(plan: Plan) -> None:
    replies = held("Loans", "rate"), {}, held("Saving", "deposit")
    drafts, outcome = played(attempt_of(plan, 0, library=LIBRARY[:3]), *replies, WRITTEN)
    assert isinstance(outcome, Example) and outcome.notes["passages"] == ["p0", drafts[2].key]


def test_without_a_passage_nothing_is_asked(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan, passage=None, library=()))
    assert isinstance(outcome, Refusal) and outcome.code == "no_passage" and not drafts


class FakeReader(FakeWriter):
    """Finds no concepts in passage 1."""

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, texts = super().__call__(path, body)
        named = body.get("response_format", {}).get("json_schema", {}).get("name")
        is_empty = named == "concepts" and "Passage 1 " in body["messages"][-1]["content"]
        return status, ['{"topics": [], "concepts": []}'] if is_empty else texts


def test_a_passage_without_concepts_costs_its_own_attempts_alone(tmp_path: Path) -> None:
    fake = FakeReader()
    with fake_openai(fake) as url:
        write_plan(compiled(tmp_path, "synthllm", "number", url, samples=4), tmp_path / "plan")
        options = RunOptions(until="generate")
        execute(read_plan(tmp_path / "plan"), RunFolder(tmp_path / "run"), tmp_path / "store", options)
    made, lost = rows(tmp_path, "run", "generate"), rows(tmp_path, "run", "generate.dropped")
    empty = [text for text in fake.prompts["concepts"] if "Passage 1 " in text]
    assert len(empty) == METHOD.step("concepts").tries
    assert len(made) == 4 and {row["code"] for row in lost} == {"empty_field"}
    assert {row["passage"] for row in made} == {"p0", "p2"}
    assert all("p1" not in row["source"]["notes"]["passages"] for row in made)
