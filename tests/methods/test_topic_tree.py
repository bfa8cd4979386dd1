"""Topic-tree: leaves come in turn over all topics, lists are shared and asked for again where they are unreadable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.schedule import MOST_TOPICS, topics_for
from sdrl.methods import Example
from sdrl.methods.attempt import id_of
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.stage_keys import Synthesize
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.by_hand import attempt_of, plan_of, played, text_of
from tests.methods.fake_writer import FakeWriter
from tests.methods.test_runs import compiled, rows

METHOD = "topic-tree"
TOPICS = {"topics": ["money", "time"]}
WRITTEN = {"input": "What is 4 plus 4?", "output": "4 + 4 = 8\n#### 8"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, METHOD)


def test_an_example_is_about_a_leaf(plan: Plan) -> None:
    (topics, subtopics, generate), outcome = played(attempt_of(plan, 1), TOPICS, {"subtopics": ["delays"]}, WRITTEN)
    assert [topics.key, subtopics.key, generate.key] == ["all", "all/1", None]
    assert "Name its main topics: 8 fields" in text_of(plan, topics)  # 60 attempts
    assert "<topic>\ntime\n</topic>" in text_of(plan, subtopics)
    assert "<other_topics>\nmoney\n</other_topics>" in text_of(plan, subtopics)
    assert "<topic>\ntime\n</topic>\n<subtopic>\ndelays\n</subtopic>" in text_of(plan, generate)
    assert "Text 1." not in text_of(plan, generate)
    assert outcome == Example(
        WRITTEN, parents=tuple(map(id_of, plan.parts[0].demos)), notes={"topic": "time", "subtopic": "delays"}
    )


def test_attempts_go_through_the_topics_before_they_take_a_second_leaf_of_one(plan: Plan) -> None:
    leaves = {"money": ["change", "wages", "rent"], "time": ["delays", "shifts"]}
    taken = []
    for turn in range(6):
        topic = TOPICS["topics"][turn % 2]
        drafts, outcome = played(attempt_of(plan, turn), TOPICS, {"subtopics": leaves[topic]}, WRITTEN)
        assert isinstance(outcome, Example) and drafts[1].values["topic"] == topic
        taken.append(outcome.notes["subtopic"])
    assert taken == ["change", "delays", "wages", "shifts", "rent", "delays"]


def test_a_longer_list_than_asked_for_is_cut(plan: Plan) -> None:
    many = {"topics": [f"topic {at}" for at in range(40)]}
    _, outcome = played(attempt_of(plan, 8), many, {"subtopics": ["a", "b"]}, WRITTEN)
    assert isinstance(outcome, Example) and outcome.notes == {"topic": "topic 0", "subtopic": "b"}


@pytest.mark.parametrize(("attempts", "share", "width"), [(1, 1.0, 2), (18, 1.0, 5), (750, 1.0, 28), (750, 0.1, 9)])
def test_the_tree_has_a_leaf_for_each_attempt(attempts: int, share: float, width: int) -> None:
    found = topics_for(Synthesize(samples=10, attempts=attempts), share)
    assert found == width and found**2 >= attempts * share
    assert topics_for(Synthesize(samples=10, attempts=100_000), share) == MOST_TOPICS


class FakeStutter(FakeWriter):
    """Answers the first ``wasted`` requests for topics with prose."""

    wasted = 2

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, replies = super().__call__(path, body)
        is_topics = body.get("response_format", {}).get("json_schema", {}).get("name") == "topics"
        if is_topics and len(self.prompts["topics"]) <= self.wasted:
            return status, ["Let me think about that."]
        return status, replies


@pytest.mark.parametrize(("wasted", "status"), [(2, "done"), (3, "failed")])
def test_a_list_that_cannot_be_read_is_asked_for_three_times(wasted: int, status: str, tmp_path: Path) -> None:
    fake = FakeStutter()
    fake.wasted = wasted
    with fake_openai(fake) as url:
        write_plan(compiled(tmp_path, METHOD, "number", url), tmp_path / "plan")
        plan, options = read_plan(tmp_path / "plan"), RunOptions(until="generate")
        outcome = execute(plan, RunFolder(tmp_path / "run"), tmp_path / "store", options)
    assert outcome.status == status
    assert fake.asked["topics"] == 3
    if status == "done":
        notes = [json.dumps(row["source"]["notes"]) for row in rows(tmp_path, "run", "generate")]
        assert len(set(notes)) == len(notes)
