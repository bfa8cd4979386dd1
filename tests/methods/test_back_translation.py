"""Back-translation: the output stays as it was written, answers come in turn, low ratings drop with their reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.replies import reply_schema
from sdrl.methods import Example, Refusal
from sdrl.methods.attempt import id_of
from tests.methods.by_hand import LABELS, attempt_of, plan_of, played, text_of

METHOD = "back-translation"
OUTPUT = {"output": "4 + 4 = 8\n#### 8"}
ASKED = {"input": "What is 4 plus 4?"}


def rated(score: int) -> dict[str, Any]:
    return {"reason": "It follows.", "score": score}


def test_the_input_is_written_for_the_output(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, METHOD)
    drafts, outcome = played(attempt_of(plan, 1), OUTPUT, ASKED, rated(4))
    assert [draft.prompt for draft in drafts] == ["response", "instruction", "rating"]
    response, instruction, rating = (text_of(plan, draft) for draft in drafts)
    assert "Text 1." in response and "What is 2 + 3?" in response and "The answer that it comes to" not in response
    assert "<output>\n4 + 4 = 8\n#### 8\n</output>\n\nReply" in instruction
    assert "<input>\nWhat is 4 plus 4?\n</input>\n<output>\n4 + 4 = 8\n#### 8\n</output>" in rating
    assert "Text 1." not in rating
    assert outcome == Example({**ASKED, **OUTPUT}, parents=tuple(map(id_of, plan.parts[0].demos)), notes={"rating": 4})


@pytest.mark.parametrize(
    ("score", "code"), [(3, "low_rating"), (1, "low_rating"), (0, "wrong_grade"), (6, "wrong_grade")]
)
def test_what_is_rated_below_four_or_off_the_scale_drops(score: int, code: str, tmp_path: Path) -> None:
    _, outcome = played(attempt_of(plan_of(tmp_path, METHOD)), OUTPUT, ASKED, rated(score))
    assert isinstance(outcome, Refusal) and outcome.code == code
    assert str(score) in outcome.evidence and ("It follows." in outcome.evidence) == (code == "low_rating")


def test_an_output_without_an_answer_gets_no_input(tmp_path: Path) -> None:
    drafts, outcome = played(attempt_of(plan_of(tmp_path, METHOD)), {"output": "I do not know."})
    assert outcome == Refusal("no_answer", "I do not know.")
    assert [draft.prompt for draft in drafts] == ["response"]


def test_letters_come_in_turn_and_the_input_brings_their_texts(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, METHOD, answer=LABELS)
    options = {"A": "eight", "B": "nine"}
    labels = []
    for turn in range(4):
        drafts, outcome = played(
            attempt_of(plan, turn), {"output": "So #### A"}, {**ASKED, "options": options}, rated(5)
        )
        assert isinstance(outcome, Example) and outcome.reply["options"] == options
        labels.append(outcome.notes["label"])
        assert f'comes to is "{labels[-1]}"' in text_of(plan, drafts[0])
        assert "A. eight\nB. nine" in text_of(plan, drafts[2])
    assert labels == ["A", "B", "A", "B"]
    schema = reply_schema("instruction", plan.settings.answer)
    assert schema is not None and schema[1]["required"] == ["input", "options"]


def test_without_a_passage_nothing_is_asked(tmp_path: Path) -> None:
    drafts, outcome = played(attempt_of(plan_of(tmp_path, METHOD), passage=None, library=()))
    assert isinstance(outcome, Refusal) and outcome.code == "no_passage" and not drafts
