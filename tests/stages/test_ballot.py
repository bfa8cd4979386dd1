"""The majority vote: classes, ties, and the index bug of the authors' code."""

from __future__ import annotations

from sdrl.stages.ballot import count_votes
from sdrl.verifier import Verifier

NUMBER = Verifier.from_program(
    {
        "version": 1,
        "type": "number",
        "extract": {"kind": "marker", "marker": "####"},
        "take": "last",
        "tolerance": {"abs": "1e-6", "rel": "0"},
        "options": None,
        "ignore_case": True,
        "separator": None,
    }
)


def test_spellings_of_one_number_vote_together() -> None:
    ballot = count_votes(NUMBER, ["#### 18", "#### 18.0", "so #### $18", "#### 19"], None)
    assert NUMBER.same(ballot.label or "", "18")
    assert ballot.agreement == 0.75
    assert ballot.n_parsable == 4


def test_an_unreadable_reply_before_the_majority_does_not_shift_the_label() -> None:
    completions = ["I cannot tell", "#### 7", None, "#### 5", "#### 5"]
    ballot = count_votes(NUMBER, completions, None)
    assert ballot.label == "5"
    assert ballot.winner == 3
    assert completions[ballot.winner] == "#### 5"
    assert ballot.agreement == 2 / 5
    assert ballot.n_parsable == 3


def test_a_tie_has_no_label_unless_the_spec_breaks_it() -> None:
    completions = ["#### 1", "#### 2"]
    assert count_votes(NUMBER, completions, None).label is None
    assert count_votes(NUMBER, completions, None).is_tie
    assert count_votes(NUMBER, completions, None, tie="first").label == "1"
    assert count_votes(NUMBER, completions, None, tie="random", luck=0.9).label == "2"


def test_seventeen_distinct_answers_are_no_majority() -> None:
    ballot = count_votes(NUMBER, [f"#### {n}" for n in range(17)], None)
    assert ballot.label is None
    assert ballot.agreement == 1 / 17


def test_no_readable_reply_at_all_is_no_vote() -> None:
    ballot = count_votes(NUMBER, ["?", None], None)
    assert (ballot.label, ballot.n_parsable, ballot.is_tie) == (None, 0, False)
