from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.stages.statistics import evaluation_summary, measures, sign_test

VERDICTS = ("correct", "incorrect", "unparsable", "error")


def rows(verdicts: str, finish: str = "stop", run: int = 0) -> list[dict[str, Any]]:
    """One row a letter: c correct, i incorrect, u unparsable, e error."""
    full = {name[0]: name for name in VERDICTS}
    return [
        {"problem": str(n), "run": run, "verdict": full[letter], "finish_reason": finish}
        for n, letter in enumerate(verdicts)
    ]


def test_measures_are_shares_of_all_answers_and_accuracy_splits_into_its_factors() -> None:
    found = measures(rows("cciuue"))
    assert found == {
        "accuracy": 0.333333,
        "parsable": 0.5,
        "accuracy_if_parsable": 0.666667,
        "truncated": 0.0,
        "errors": 0.166667,
    }
    assert measures(rows("uu", finish="length")) == {
        "accuracy": 0.0,
        "parsable": 0.0,
        "accuracy_if_parsable": None,
        "truncated": 1.0,
        "errors": 0.0,
    }
    assert measures([]) is None


def test_a_gain_by_readable_answers_alone_is_format() -> None:
    found = evaluation_summary(rows("cuuu"), rows("cccc"), seed=0)
    assert (found["gain"], found["gain_format"], found["gain_skill"]) == (0.75, 0.75, 0.0)


def test_a_gain_with_all_answers_readable_is_skill() -> None:
    found = evaluation_summary(rows("ciii"), rows("ccci"), seed=0)
    assert (found["gain"], found["gain_format"], found["gain_skill"]) == (0.5, 0.0, 0.5)


def test_a_base_that_never_answers_readably_gains_format_alone() -> None:
    found = evaluation_summary(rows("uuuu"), rows("ccii"), seed=0)
    assert (found["gain"], found["gain_format"], found["gain_skill"]) == (0.5, 0.5, 0.0)


VERDICT_LISTS = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*[st.text(alphabet="ciue", min_size=n, max_size=n) for _ in range(2)])
)


@settings(deadline=None, max_examples=40)  # each example resamples 2,000 times
@given(VERDICT_LISTS)
def test_format_and_skill_always_sum_to_the_gain(pair: tuple[str, str]) -> None:
    found = evaluation_summary(rows(pair[0]), rows(pair[1]), seed=0)
    assert found["gain_format"] + found["gain_skill"] == pytest.approx(found["gain"], abs=2e-6)
    assert found["gain"] == pytest.approx(found["trained"]["accuracy"] - found["base"]["accuracy"], abs=2e-6)


@settings(deadline=None, max_examples=40)  # each example resamples 2,000 times
@given(VERDICT_LISTS)
def test_the_other_way_round_every_gain_changes_its_sign(pair: tuple[str, str]) -> None:
    there = evaluation_summary(rows(pair[0]), rows(pair[1]), seed=0)
    back = evaluation_summary(rows(pair[1]), rows(pair[0]), seed=0)
    for name in ("gain", "gain_format", "gain_skill"):
        assert there[name] == pytest.approx(-back[name], abs=2e-6)
    assert there["p"] == back["p"]


def test_equal_rows_and_seed_give_equal_figures_in_any_order() -> None:
    base, trained = rows("ciciuicc" * 20), rows("cccciucc" * 20)
    first = evaluation_summary(base, trained, seed=3)
    random.Random(1).shuffle(base)
    random.Random(2).shuffle(trained)
    assert evaluation_summary(base, trained, seed=3) == first
    assert evaluation_summary(base, trained, seed=4)["interval"] != first["interval"]


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(5)
    held = 0
    for seed in range(60):
        base = rows("".join("c" if rng.random() < 0.5 else "i" for _ in range(120)))
        trained = rows("".join("c" if rng.random() < 0.6 else "i" for _ in range(120)))
        low, high = evaluation_summary(base, trained, seed=seed)["interval"]
        held += low <= 0.1 <= high
    assert held >= 52  # 95 % of 60 is 57; fewer than 52 has a chance below 1 %


def test_only_problems_that_both_models_answered_are_paired() -> None:
    found = evaluation_summary(rows("cic"), rows("cc"), seed=0)
    assert (found["n_paired"], found["gain"]) == (2, 0.5)
    assert evaluation_summary(rows("ci"), [], seed=0) == {
        "base": measures(rows("ci")),
        "trained": None,
        "n_paired": 0,
        **dict.fromkeys(("gain", "gain_format", "gain_skill", "interval", "interval_format", "interval_skill", "p")),
    }


def test_several_runs_of_a_problem_count_as_one_problem() -> None:
    base = rows("ci") + rows("ii", run=1)
    trained = rows("cc") + rows("cc", run=1)
    found = evaluation_summary(base, trained, seed=0)
    assert (found["n_paired"], found["gain"]) == (2, 0.75)
    assert found["base"]["by_run"] == [0.5, 0.0]


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (6, 0, 0.03125), (10, 2, 0.038574), (0, 6, 0.03125)],
)
def test_p_is_that_of_the_exact_mcnemar_test(wins: int, losses: int, p: float) -> None:
    assert sign_test([1.0] * wins + [-1.0] * losses + [0.0] * 7) == pytest.approx(p, abs=1e-6)
