"""A vote that stops early ends as the vote of all draws does, and no later than it must."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.compiler.schedule import VOTE_WAVES, vote_wave
from sdrl.stages.ballot import Rules, count_votes, draws_to_settle
from sdrl.verifier import Verifier

# 1, 1.5 and 2 are a chain: each equals its neighbour and the ends differ, so that a class depends on who came first
CLOSE = Verifier.from_program(
    {
        "version": 1,
        "type": "number",
        "extract": {"kind": "marker", "marker": "####"},
        "take": "last",
        "tolerance": {"abs": "0.6", "rel": "0"},
        "options": None,
        "ignore_case": True,
        "separator": None,
    }
)
SAID = (None, "#### 1", "#### 1.5", "#### 2", "#### 7", "#### 7.25", "no answer")
HALF = Rules("drop", 0.5)
Outcome = tuple[str | None, str | None, str | None]


def outcome(said: Sequence[str | None], generated: Sequence[str], rules: Rules, luck: float) -> Outcome:
    """Label, solution and verdict of a vote."""
    texts = [*said, *generated]
    ballot = count_votes(CLOSE, texts, None, tie=rules.tie, luck=luck)
    solution = None if ballot.winner is None else texts[ballot.winner]
    return ballot.label, solution, rules.problem(ballot)


def stopped(said: Sequence[str | None], generated: Sequence[str], rules: Rules) -> list[int]:
    """The sizes of the waves in which a vote takes ``said`` until it is settled."""
    waves: list[int] = []
    while left := len(said) - sum(waves):
        needed = draws_to_settle(CLOSE, said[: sum(waves)], generated, None, left=left, rules=rules)
        if not needed:
            break
        waves.append(vote_wave(len(waves), needed, left))
    return waves


RULES = st.builds(
    Rules,
    st.sampled_from(["drop", "first", "random"]),
    st.one_of(st.none(), st.sampled_from([0.25, 0.5, 0.6, 2 / 3, 0.9, 1.0]), st.floats(0, 1)),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(SAID), st.sampled_from(["#### 7", "#### 1"])), min_size=1, max_size=17),
    st.lists(st.sampled_from([text for text in SAID if text]), max_size=1),
    RULES,
    st.floats(0, 1, exclude_max=True),
)
def test_label_solution_and_verdict_are_those_of_all_draws(
    said: list[str | None], generated: list[str], rules: Rules, luck: float
) -> None:
    waves = stopped(said, generated, rules)
    assert outcome(said[: sum(waves)], generated, rules, luck) == outcome(said, generated, rules, luck)
    assert len(waves) <= VOTE_WAVES


def every_end(said: Sequence[str | None], left: int) -> Iterator[list[str | None]]:
    for rest in product([None, "#### 7", "#### 7.25", "#### 1", "#### 1.5", "#### 90"], repeat=left):
        yield [*said, *rest]


@pytest.mark.parametrize("tie", ["drop", "first"])
@pytest.mark.parametrize("least", [None, 0.5, 0.75])
@pytest.mark.parametrize("generated", [[], ["#### 7"], ["#### 1.5"]])
def test_a_vote_goes_on_only_where_what_is_left_can_change_it(
    tie: str, least: float | None, generated: list[str]
) -> None:
    rules = Rules(tie, least)
    for drawn in product([None, "#### 7", "#### 7.25", "#### 1"], repeat=3):
        needed = draws_to_settle(CLOSE, drawn, generated, None, left=2, rules=rules)
        ends = {outcome(said, generated, rules, 0.0) for said in every_end(drawn, 2)}
        assert (needed == 0) == (len(ends) == 1), (drawn, ends)


def test_a_wave_is_the_fewest_draws_that_can_settle_the_vote() -> None:
    def needed(said: list[str | None], rules: Rules = HALF) -> int:
        return draws_to_settle(CLOSE, said, [], None, left=16 - len(said), rules=rules)

    assert needed([]) == 9
    assert needed([], Rules("drop", 0.9)) == 15
    assert needed(["#### 7"] * 9) == 0
    assert needed(["#### 7"] * 8 + ["#### 1"]) == 1
    assert needed(["#### 7"] * 6 + [None] * 3) == 2  # the label stands after one, half of all votes after two
    assert needed(["#### 7"] * 6 + [None] * 3, Rules("drop")) == 1
    assert needed(["#### 7", "#### 1"] * 4) == 5


def test_an_unanimous_vote_of_16_asks_for_9_at_once() -> None:
    assert stopped(["#### 7"] * 16, [], Rules("drop", 0.5)) == [9]
    assert stopped(["#### 7", "#### 1"] * 8, [], Rules("drop", 0.5)) == [9, 4, 2, 1]
