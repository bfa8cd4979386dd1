"""Extract-and-refine: pairs are taken in turn, a passage that has none left refuses, the pair stands in provenance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdrl.compiler.plan import Plan
from sdrl.methods import Example, Refusal
from sdrl.methods.attempt import id_of
from tests.methods.by_hand import attempt_of, plan_of, played, text_of

METHOD = "extract-and-refine"
PAIRS = {"pairs": [{"question": "What is 4 + 4?", "answer": "8"}, {"question": "What is 5 + 4?", "answer": "9"}]}
WRITTEN = {"input": "What is 4 plus 4?", "output": "4 + 4 = 8\n#### 8"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, METHOD)


def test_a_pair_of_the_passage_becomes_an_example(plan: Plan) -> None:
    attempt = attempt_of(plan, 1)
    (extract, refine), outcome = played(attempt, PAIRS, WRITTEN)
    assert (extract.prompt, extract.key) == ("extract", "p1")
    assert "Text 1." in text_of(plan, extract)
    shown = text_of(plan, refine)
    assert "<question>\nWhat is 4 + 4?\n</question>\n<answer>\n8\n</answer>" in shown
    assert "Text 1." in shown and "What is 2 + 3?" in shown
    assert outcome == Example(WRITTEN, tuple(map(id_of, plan.parts[0].demos)), "p1", notes={"pair": PAIRS["pairs"][0]})


def test_attempts_of_a_passage_share_its_extraction_and_take_its_pairs_in_turn(plan: Plan) -> None:
    first, _ = played(attempt_of(plan, 0), PAIRS, WRITTEN)
    second, _ = played(attempt_of(plan, 3), PAIRS, WRITTEN)
    assert first[0] == second[0]
    assert [draft.values["answer"] for draft in (first[1], second[1])] == ["8", "9"]


@pytest.mark.parametrize(("turn", "pairs", "code"), [(0, [], "no_pairs"), (6, PAIRS["pairs"], "no_pair_left")])
def test_a_passage_without_a_pair_for_the_attempt_refuses(
    plan: Plan, turn: int, pairs: list[object], code: str
) -> None:
    drafts, outcome = played(attempt_of(plan, turn), {"pairs": pairs})
    assert isinstance(outcome, Refusal) and outcome.code == code
    assert "p0" in outcome.evidence and [draft.prompt for draft in drafts] == ["extract"]


def test_an_attempt_looks_into_passages_that_no_other_uses(plan: Plan) -> None:
    library = tuple({"id": f"p{at}", "text": f"Text {at}."} for at in range(200))  # 60 attempts
    none: dict[str, list[object]] = {"pairs": []}
    drafts, outcome = played(attempt_of(plan, 2, passage=library[2], library=library), none, none, PAIRS, WRITTEN)
    looked = [draft.key for draft in drafts[:-1]]
    assert looked == ["p2", "p63", "p124"]
    assert isinstance(outcome, Example) and outcome.passage == "p124"
    assert "Text 124." in text_of(plan, drafts[-1])
    drafts, outcome = played(attempt_of(plan, 2, passage=library[2], library=library), *[none] * 4)
    assert isinstance(outcome, Refusal) and outcome.code == "no_pairs" and "p2, p63, p124, p185" in outcome.evidence
    all_looked = [
        draft.key
        for turn in range(60)
        for draft in played(attempt_of(plan, turn, passage=library[turn], library=library), *[none] * 4)[0]
    ]
    assert len(set(all_looked)) == len(all_looked)


def test_without_a_passage_nothing_is_asked(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan, passage=None, library=()))
    assert isinstance(outcome, Refusal) and outcome.code == "no_passage" and not drafts


@pytest.mark.parametrize(("per_sample", "size", "visits"), [
    (1, 3, [0, 0, 0, 1, 1]), (2, 4, [0, 0, 1, 1, 2]), (2, 3, [0, 0, 0, 1, 1]), (5, 3, [0, 1, 2, 3, 4]),
])  # fmt: skip
def test_a_visit_counts_the_attempts_before_with_the_same_passages(
    plan: Plan, per_sample: int, size: int, visits: list[int]
) -> None:
    retrieve = plan.settings.retrieve.model_copy(update={"per_sample": per_sample})
    plan = replace(plan, settings=plan.settings.model_copy(update={"retrieve": retrieve}))
    library = tuple({"id": f"p{at}", "text": "x"} for at in range(size))
    assert [attempt_of(plan, turn, library=library, passage=None).visit for turn in range(5)] == visits
