"""TarGEN: what is shared by whom, which answer is asked for, what the self-correction does to an example."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.methods import Draft, Example
from sdrl.methods.targen import CONTEXTS, SEEDS
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.method_table import METHOD_TABLE
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.by_hand import LABELS, attempt_of, plan_of, played, text_of
from tests.methods.fake_writer import FakeWriter
from tests.methods.test_runs import compiled, rows

METHOD = METHOD_TABLE["targen"]
NAMED = {"contexts": [f"context {at}" for at in range(CONTEXTS)]}
LATER = {"contexts": [f"later {at}" for at in range(CONTEXTS)]}
SOWN = {"seeds": [f"seed {at}" for at in range(SEEDS)]}
WRITTEN = {"input": "What is 4 + 4?", "output": "4 + 4 = 9\n#### 9"}
CHECKED = {"check": "4 + 4 = 8", "output": "4 + 4 = 8\n#### 8"}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("targen"), "targen")


def drafts_of(plan: Plan, turn: int) -> list[Draft]:
    """The requests of an attempt of the first two requests for contexts."""
    named = [NAMED] if turn < CONTEXTS * SEEDS else [NAMED, LATER]
    return played(attempt_of(plan, turn), *named, SOWN, WRITTEN, CHECKED)[0]


def test_the_table_and_the_templates_say_how_many_share_a_request(plan: Plan) -> None:
    assert METHOD.step("contexts").serves == CONTEXTS * SEEDS
    assert METHOD.step("seeds").serves == SEEDS
    contexts, seeds, *_ = drafts_of(plan, 0)
    assert f"- {CONTEXTS} contexts" in text_of(plan, contexts)
    assert f"- {SEEDS} seeds" in text_of(plan, seeds)


def test_an_attempt_asks_four_prompts_and_shows_no_demo_and_no_passage(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan), NAMED, SOWN, WRITTEN, CHECKED)
    assert tuple(draft.prompt for draft in drafts) == METHOD.prompts
    texts = [text_of(plan, draft) for draft in drafts]
    for text in texts:
        assert "What is 1 + 1?" not in text and "Text 0." not in text
    assert "<context>\ncontext 0\n</context>" in texts[1]
    assert "<context>\ncontext 0\n</context>" in texts[2] and "<seed>\nseed " in texts[2]
    assert "<input>\nWhat is 4 + 4?\n</input>\n<output>\n4 + 4 = 9\n#### 9\n</output>" in texts[3]
    assert isinstance(outcome, Example)
    assert outcome.notes["context"] == "context 0" and outcome.notes["seed"] in SOWN["seeds"]


def test_attempts_in_a_row_share_contexts_and_seeds_and_no_seed_comes_twice(plan: Plan) -> None:
    first, *others = [drafts_of(plan, turn) for turn in range(SEEDS)]
    assert all(drafts[:2] == first[:2] for drafts in others)
    assert {drafts[2].values["instance_seed"] for drafts in [first, *others]} == set(SOWN["seeds"])
    following = drafts_of(plan, SEEDS)
    assert following[0] == first[0] and following[1].key != first[1].key
    assert following[1].values["context"] == "context 1"


def test_the_next_request_for_contexts_shows_those_before(plan: Plan) -> None:
    turn = CONTEXTS * SEEDS
    drafts = drafts_of(plan, turn)
    assert [draft.prompt for draft in drafts] == ["contexts", *METHOD.prompts]
    assert drafts[0] == drafts_of(plan, 0)[0] and drafts[1].key != drafts[0].key
    assert "<earlier_contexts>\ncontext 0\ncontext 1\n" in text_of(plan, drafts[1])
    assert "<earlier_contexts>" not in text_of(plan, drafts[0])
    assert drafts[2].values["context"] == "later 0"


def test_fewer_contexts_or_seeds_than_asked_for_are_gone_through_again(plan: Plan) -> None:
    few = {"contexts": ["one", "two"]}, {"seeds": ["a", "b"]}
    shown = [played(attempt_of(plan, turn), *few)[0][2].values for turn in range(3 * SEEDS)]
    assert [values["context"] for values in shown[::SEEDS]] == ["one", "two", "one"]
    assert set(Counter(values["instance_seed"] for values in shown[:SEEDS]).values()) == {2, 3}


def test_where_there_are_few_answers_each_is_asked_for_in_turn(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "targen", LABELS)
    written = WRITTEN | {"output": "#### A", "options": {"A": "nine", "B": "eight"}}
    labels = []
    for turn in range(4):
        drafts, outcome = played(attempt_of(plan, turn), NAMED, SOWN, written, CHECKED | {"output": "#### B"})
        assert f'it is "{drafts[2].values["label"]}"' in text_of(plan, drafts[2])
        assert "A. nine\nB. eight\n" in text_of(plan, drafts[3])
        assert isinstance(outcome, Example) and outcome.notes["label"] == drafts[2].values["label"]
        assert outcome.reply == written | {"output": "#### B"}
        labels.append(drafts[2].values["label"])
    assert labels == ["A", "B", "A", "B"]


def test_without_few_answers_the_input_comes_first(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan), NAMED, SOWN, WRITTEN, CHECKED)
    assert "- Write the input first, then solve it." in text_of(plan, drafts[2])
    assert isinstance(outcome, Example) and "label" not in outcome.notes


@pytest.mark.parametrize(("output", "correction", "kept"), [
    ("4 + 4 = 8\n#### 8", "changed", "4 + 4 = 8\n#### 8"),
    ("Four and four.\n#### 9.0", "kept", "Four and four.\n#### 9.0"),
    ("I cannot tell.", "unreadable", WRITTEN["output"]),
])  # fmt: skip
def test_the_correction_decides_the_output_where_it_can_be_read(
    plan: Plan, output: str, correction: str, kept: str
) -> None:
    _, outcome = played(attempt_of(plan), NAMED, SOWN, WRITTEN, {"check": "…", "output": output})
    assert isinstance(outcome, Example)
    assert (outcome.notes["correction"], outcome.reply) == (correction, WRITTEN | {"output": kept})


class FakeMumbler(FakeWriter):
    """Its first ``mumbled`` replies to ``contexts`` name none."""

    mumbled = 0

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, texts = super().__call__(path, body)
        asked = body.get("response_format", {}).get("json_schema", {}).get("name")
        return status, ['{"contexts": []}'] if asked == "contexts" and self.asked["contexts"] <= self.mumbled else texts


@pytest.mark.parametrize(("mumbled", "written", "asked"), [(2, 8, 3), (3, 0, 3)])
def test_contexts_that_cannot_be_read_are_asked_for_three_times(
    mumbled: int, written: int, asked: int, tmp_path: Path
) -> None:
    fake = FakeMumbler()
    fake.mumbled = mumbled
    with fake_openai(fake) as url:
        write_plan(compiled(tmp_path, "targen", "number", url, samples=8), tmp_path / "plan")
        options = RunOptions(until="generate")
        execute(read_plan(tmp_path / "plan"), RunFolder(tmp_path / "run"), tmp_path / "store", options)
    assert fake.asked["contexts"] == asked
    assert fake.asked["generate"] == written
    if written:
        assert [row["source"]["notes"]["correction"] for row in rows(tmp_path, "run", "generate")] == ["kept"] * 8
