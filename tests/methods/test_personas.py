"""Personas: every pairing of audience and form comes once before one comes again; a further list knows the earlier."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from sdrl.compiler.plan import Plan
from sdrl.methods import Example
from sdrl.methods.attempt import id_of
from sdrl.methods.personas import AUDIENCES, FORMS, LISTS, TURNS
from tests.methods.by_hand import attempt_of, plan_of, played, text_of

WRITTEN = {"input": "What is 4 plus 4?", "output": "4 + 4 = 8\n#### 8"}


def listed(mark: str, audiences: int = AUDIENCES, forms: int = FORMS) -> dict[str, list[str]]:
    return {
        "audiences": [f"someone {mark}{at}" for at in range(audiences)],
        "forms": [f"telling {at}" for at in range(forms)],
    }


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, "personas")


def test_an_example_is_written_for_one_audience_in_one_form(plan: Plan) -> None:
    (asked, generate), outcome = played(attempt_of(plan, 1), listed("a"), WRITTEN)
    assert (asked.prompt, asked.key) == ("personas", "all/0")
    assert "named already" not in text_of(plan, asked)
    shown = text_of(plan, generate)
    assert "<audience>\nsomeone a1\n</audience>\n<form>\ntelling 1\n</form>" in shown
    assert "Text 1." in shown and "What is 2 + 3?" in shown
    assert outcome == Example(
        WRITTEN,
        parents=tuple(map(id_of, plan.parts[0].demos)),
        notes={"audience": "someone a1", "form": "telling 1"},
    )


def test_it_works_without_passage_and_demos(plan: Plan) -> None:
    drafts, outcome = played(attempt_of(plan, passage=None, library=(), demos=()), listed("a"), WRITTEN)
    assert isinstance(outcome, Example) and outcome.parents == ()
    assert "<passage>" not in text_of(plan, drafts[1]) and "<demos>" not in text_of(plan, drafts[1])


@pytest.mark.parametrize(("audiences", "forms"), [(AUDIENCES, FORMS), (7, 4), (AUDIENCES + 9, FORMS + 2), (1, 1)])
def test_all_pairings_come_before_one_comes_again(plan: Plan, audiences: int, forms: int) -> None:
    reply = listed("a", audiences, forms)
    pairings = min(audiences, AUDIENCES) * min(forms, FORMS)
    chosen = []
    for turn in range(min(pairings, TURNS)):
        _, outcome = played(attempt_of(plan, turn), reply, WRITTEN)
        assert isinstance(outcome, Example)
        chosen.append((outcome.notes["audience"], outcome.notes["form"]))
    assert len(set(chosen)) == len(chosen) == pairings
    for one, two in pairwise(chosen):
        assert one[0] != two[0] or audiences == 1


def test_attempts_share_a_list_and_the_next_list_is_shown_the_audiences_before(plan: Plan) -> None:
    first, _ = played(attempt_of(plan, 0), listed("a"), WRITTEN)
    later, outcome = played(attempt_of(plan, TURNS + 2), listed("a"), listed("b"), WRITTEN)
    assert later[0] == first[0]
    assert later[1].key == "all/1"
    assert "someone a0\nsomeone a1" in text_of(plan, later[1])
    assert isinstance(outcome, Example) and outcome.notes["audience"] == "someone b2"
    again, outcome = played(attempt_of(plan, TURNS * LISTS), listed("a"), WRITTEN)
    assert again[0] == first[0] and isinstance(outcome, Example)
