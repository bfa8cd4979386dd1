"""The tests between arms, against values worked out by hand, printed tables, and an integral done the slow way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrl.compare.significance import decided, difference, holm, spread, t_above, t_quantile

NAMES = ("p0", "p1", "p2", "p3")


def seeds(*rows: str) -> list[dict[str, float]]:
    """One seed a word: ``1100`` is right on the first two problems."""
    return [dict(zip(NAMES, map(float, row), strict=True)) for row in rows]


def tail_by_trapezoids(t: float, degrees: float) -> float:
    """P(T > t) as one half less the area of the density between 0 and t."""
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
    steps = 20_000
    heights = [
        math.exp(log_scale - (degrees + 1) / 2 * math.log1p((t * k / steps) ** 2 / degrees)) for k in range(steps + 1)
    ]
    return 0.5 - t / steps * (sum(heights) - (heights[0] + heights[-1]) / 2)


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.7062), (2, 4.3027), (4, 2.7764), (10, 2.2281), (30, 2.0423), (1e6, 1.9600)]
)
def test_quantiles_are_those_of_printed_tables(degrees: float, quantile: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(quantile, abs=5e-5)


@pytest.mark.parametrize(("t", "degrees"), [(0.5, 1.0), (1.8516, 4.983), (2.0, 2.5), (6.0, 40.0)])
def test_tails_are_the_integral(t: float, degrees: float) -> None:
    assert t_above(t, degrees) == pytest.approx(tail_by_trapezoids(t, degrees), abs=1e-8)
    assert t_above(-t, degrees) == pytest.approx(1 - t_above(t, degrees), abs=1e-12)


def test_a_difference_worked_out_by_hand() -> None:
    # d = .5 1 .5 0: mean 1/2, variance 1/6, so V_p = 1/24; seed means .75 .5 and .25 0: variance 1/32, V_a = V_b = 1/64
    found = difference(seeds("1110", "1100"), seeds("1000", "0000"), margin=0.05)
    assert found is not None
    total = 1 / 24 + 2 / 64
    degrees = total**2 / ((1 / 24) ** 2 / 3 + 2 * (1 / 64) ** 2)
    assert found.value == pytest.approx(0.5)
    assert found.degrees == pytest.approx(degrees)
    assert found.p == pytest.approx(2 * tail_by_trapezoids(0.5 / math.sqrt(total), degrees), abs=1e-7)
    reach = (found.high - found.low) / 2
    assert tail_by_trapezoids(reach / math.sqrt(total), degrees) == pytest.approx(0.025, abs=1e-7)
    assert (found.n_problems, found.seeds) == (4, (2, 2))


def test_one_seed_counts_problems_alone() -> None:
    found = difference(seeds("1110"), seeds("1000"), margin=0.05)
    assert found is not None
    # d = 0 1 1 0: mean 1/2, variance 1/3, V_p = 1/12, three degrees of freedom
    assert found.degrees == pytest.approx(3)
    assert found.p == pytest.approx(2 * tail_by_trapezoids(0.5 / math.sqrt(1 / 12), 3), abs=1e-7)


def test_an_arm_with_one_seed_borrows_the_spread_of_the_other() -> None:
    # d of 1000 against the mean of 1110 and 1100: 0 1 .5 0, mean 3/8, variance 11/48; seed means .75 .5: variance 1/32
    found = difference(seeds("1110", "1100"), seeds("1000"), margin=0.05)
    assert found is not None
    parts = (11 / 48 / 4, 3), (1 / 32 * (1 / 2 + 1), 1)
    total = sum(part for part, _ in parts)
    assert found.value == pytest.approx(3 / 8)
    assert found.degrees == pytest.approx(total**2 / sum(part**2 / free for part, free in parts))
    assert found.p == pytest.approx(2 * tail_by_trapezoids(3 / 8 / math.sqrt(total), found.degrees), abs=1e-7)


def test_arms_that_agree_on_every_problem_prove_little_with_four() -> None:
    found = difference(seeds("1010", "1010"), seeds("1010", "1010"), margin=0.01)
    assert found is not None
    assert (found.value, found.p) == (0, 1)
    assert decided(found.p, found.p_apart, 0.05) == "undecided"
    assert found.p_apart == pytest.approx(0.99**4)


def test_arms_without_a_common_problem_are_not_compared() -> None:
    assert difference([{"a": 1.0}], [{"b": 1.0}], margin=0.05) is None


def test_being_apart_is_the_worse_of_two_one_sided_tests() -> None:
    found = difference(seeds("1110"), seeds("1000"), margin=0.6)
    assert found is not None
    assert found.p_apart == pytest.approx(tail_by_trapezoids((0.6 - 0.5) / math.sqrt(1 / 12), 3), abs=1e-7)


def test_holms_correction_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.001]) == pytest.approx([0.5, 0.002])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_a_corrected_value_is_never_below_its_own_and_keeps_the_order(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(value <= found <= 1 for value, found in zip(values, adjusted, strict=True))
    ranked = [found for _, found in sorted(zip(values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@pytest.mark.parametrize(
    ("p", "p_apart", "words"),
    [
        (0.01, 0.9, "different"),
        (0.01, 0.01, "different, within the margin"),
        (0.3, 0.01, "equivalent"),
        (0.3, 0.3, "undecided"),
        (0.05, 0.06, "different"),
    ],
)
def test_what_is_decided(p: float, p_apart: float, words: str) -> None:
    assert decided(p, p_apart, 0.05) == words


def test_spread_is_the_sample_deviation() -> None:
    assert spread([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert spread([0.4]) == (0.4, None)


def test_answers_that_are_all_equal_show_sameness_only_where_there_are_enough() -> None:
    few = {f"p{n}": float(n % 2) for n in range(40)}
    many = {f"p{n}": float(n % 2) for n in range(400)}
    for scores, verdict in ((few, "undecided"), (many, "equivalent")):
        found = difference([scores], [scores], 0.02)
        assert found is not None
        assert (found.value, found.p) == (0.0, 1.0)
        assert found.p_apart == pytest.approx(0.98 ** len(scores))
        assert found.high == pytest.approx(-found.low)
        assert decided(found.p, found.p_apart, 0.05) == verdict
    # by the rule of three, none of 40 bounds the share at about 3/40 with 95 % confidence
    found = difference([few], [few], 0.02)
    assert found is not None
    assert found.high == pytest.approx(3 / 40, rel=0.05)
