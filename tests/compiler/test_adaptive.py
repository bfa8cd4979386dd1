"""Adaptive scoring: what it saves and what it loses over made-up pass rates, and that it ends as it should."""

from __future__ import annotations

import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.compiler.adaptive import Standing, further_draws
from sdrl.compiler.courses import score_course
from sdrl.compiler.places import place
from sdrl.compiler.schedule import score_wave
from sdrl.spec.model import Select
from tests.bench.adaptive import CHEAP, SHAPES, chosen, once, scored_adaptively

HARDEST = Select(samples=500, min_solved=2)
FOUR = tuple(SHAPES)[:4]


def test_the_choice_is_that_of_a_full_scoring_within_a_point_and_takes_far_fewer_draws() -> None:
    """A short form of ``python -m tests.bench.adaptive``, whose figures are in docs/experiments.md."""
    lost = []
    for name in FOUR:
        luck = random.Random(f"test {name}")
        found = [once(SHAPES[name], luck, 1500, 64, HARDEST) for _ in range(3)]
        lost += [each.full - each.overlap for each in found]
        assert fmean(each.share for each in found) <= (0.4 if name in CHEAP else 0.65), name
    assert fmean(lost) <= 0.01


ORDERS = [
    Select(samples=50, order="easy"),
    Select(samples=50, order="hard"),
    Select(samples=50, order="random"),
    Select(samples=50, min_solved=1, never_solved="last"),
    Select(samples=150, fill="hard"),
]


@pytest.mark.parametrize("select", ORDERS, ids=lambda select: f"{select.order}-{select.never_solved}-{select.fill}")
def test_every_order_is_scored_as_a_full_scoring_would_choose(select: Select) -> None:
    luck = random.Random(11)
    found = [once(SHAPES["U-shaped, beta(1/2, 1/2)"], luck, 200, 64, select) for _ in range(4)]
    assert fmean(each.share for each in found) < 0.7
    assert fmean(each.full - each.overlap for each in found) <= 0.02


def test_a_request_asks_for_enough_draws_and_rounds_are_few() -> None:
    luck = random.Random(5)
    rates = [luck.random() for _ in range(300)]
    for draws in (16, 64, 200):
        _, requests, rounds, _ = scored_adaptively(rates, luck, draws, Select(samples=100))
        assert rounds <= 16
        assert requests <= len(rates) * -(-draws // score_wave(draws))


def test_nothing_is_drawn_where_every_place_is_certain() -> None:
    solvable = [Standing(8, 4)] * 30
    assert further_draws(solvable, 64, Select(samples=40)) == [0] * 30  # all of them train, whatever comes
    assert further_draws(solvable, 64, Select(samples=5, order="all")) == [0] * 30
    assert further_draws(solvable, 8, Select(samples=5)) == [0] * 30  # there are no more draws
    assert further_draws([], 64, Select(samples=5)) == []


def test_a_sample_that_its_own_draws_do_not_show_to_be_solvable_goes_on() -> None:
    """One right draw of eight may well be two of 64; with ``min_solved: 2`` it would not train as it stands."""
    standings = [Standing(8, 1)] * 20 + [Standing(8, 7)] * 80
    further = further_draws(standings, 64, Select(samples=20, min_solved=2))
    assert all(further[:20])


def test_draws_are_not_spent_on_samples_that_a_doubt_rules_out() -> None:
    standings = [Standing(16, 1 + at % 5, 0.5, at % 2 == 0) for at in range(100)]
    further = further_draws(standings, 64, Select(samples=20, min_solved=2, doubted="drop"))
    assert any(further[1::2])
    assert not any(further[::2])
    assert any(further_draws(standings, 64, Select(samples=20, min_solved=2))[::2])


def test_equal_draws_give_equal_decisions_in_any_order_of_the_samples() -> None:
    luck = random.Random(2)
    standings = [Standing(8, luck.randint(0, 8), luck.random()) for _ in range(120)]
    for order in ("hardest_solvable", "random"):
        select = Select(samples=40, order=order)
        further = further_draws(standings, 64, select)
        assert any(further) and not all(further)
        turned = further_draws(standings[::-1], 64, select)
        assert turned == further[::-1]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.lists(st.floats(0, 1), max_size=25),
    st.builds(
        Select,
        samples=st.integers(1, 30),
        order=st.sampled_from(["hardest_solvable", "easy", "hard", "random", "all"]),
        min_solved=st.integers(0, 4),
        never_solved=st.sampled_from(["drop", "last"]),
        fill=st.sampled_from(["none", "easy", "hard", "random"]),
    ),
    st.integers(0, 99),
)
def test_scoring_ends_within_its_draws(draws: int, rates: list[float], select: Select, seed: int) -> None:
    standings, _, rounds, _ = scored_adaptively(rates, random.Random(seed), draws, select)
    assert all(score_wave(draws) <= each.drawn <= draws for each in standings)
    assert rounds <= 1 + len(rates) * draws
    full = {str(n) for n, at in enumerate(standings) if place(at.correct, at.drawn, select) is not None}
    assert chosen(standings, select) <= full


@pytest.mark.parametrize(("shape", "mean", "spread"), [("uniform", 0.5, 2.0), ("mostly easy, beta(3, 1)", 0.75, 4.0)])
def test_the_estimate_expects_the_draws_that_are_made(shape: str, mean: float, spread: float) -> None:
    luck = random.Random(8)
    rates = [SHAPES[shape](luck) for _ in range(1500)]
    standings, requests, _, _ = scored_adaptively(rates, luck, 64, HARDEST)
    drawn, calls = score_course(1500, 0.0, 64, HARDEST, mean, spread)
    assert drawn == pytest.approx(sum(each.drawn for each in standings) / 1500, rel=0.08)
    assert calls == pytest.approx(requests / 1500, rel=0.08)


def test_a_held_out_sample_is_expected_to_get_the_first_draws_alone() -> None:
    assert score_course(100, 1.0, 64, HARDEST, 0.5, 1.0) == (8.0, 1.0)
    drawn, _ = score_course(1000, 0.5, 64, HARDEST, 0.5, 1.0)
    free, _ = score_course(500, 0.0, 64, HARDEST, 0.5, 1.0)
    assert drawn == pytest.approx((8 + free) / 2)
