"""Health: which series of metrics raise which alarm. No torch."""

from __future__ import annotations

from typing import Any

import pytest

from sdrl.training.health import ALARMS, WINDOW, Health


def update(step: int, **figures: Any) -> dict[str, Any]:
    """A calm update, but for ``figures``."""
    calm = {"loss": 0.1, "zero_variance_share": 0.2, "clipped_share": 0.0, "entropy": 1.0, "completion_length": 50.0}
    rewards = {"correct": figures.pop("correct", 0.5)}
    return {"step": step, **calm, "repetition": 0.1, "kl": 0.01, "verifier_errors": 0, "rewards": rewards, **figures}


def look(step: int, accuracy: float, rows: int = 400) -> dict[str, Any]:
    return {"step": step, "validation_accuracy": accuracy, "validation_rows": rows}


def raised(rows: list[dict[str, Any]], health: Health | None = None) -> list[tuple[int, str]]:
    health = health or Health()
    return [(alarm["step"], alarm["alarm"]) for row in rows for alarm in health.alarms(row)]


def test_a_calm_training_raises_nothing() -> None:
    rows = [update(step, correct=0.3 + step / 200) for step in range(1, 60)]
    rows[10:10], rows[30:30] = [look(10, 0.4)], [look(30, 0.45)]
    assert raised(rows) == []


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("zero_variance", {}, {"zero_variance_share": 1.0}),
        ("clipped", {}, {"clipped_share": 0.9}),
        ("entropy_collapse", {}, {"entropy": 0.001}),
        ("length", {"completion_length": 40.0}, {"completion_length": 200.0}),
        ("repetition", {}, {"repetition": 0.9}),
        ("kl", {}, {"kl": 2.0}),
        ("verifier_errors", {}, {"verifier_errors": 3}),
        ("not_finite", {}, {"loss": float("nan")}),
        ("not_finite", {}, {"loss": None}),
    ],
)
def test_a_series_that_goes_wrong_raises_its_alarm_once(kind: str, before: Any, after: Any) -> None:
    calm = [update(step, **before) for step in range(1, 2 * WINDOW)]
    wrong = [update(step, **after) for step in range(2 * WINDOW, 4 * WINDOW)]
    assert raised(calm) == []
    assert [name for _, name in raised(calm + wrong)] == [kind]
    assert ALARMS[kind][1], "an alarm names a remedy"


def test_an_alarm_comes_again_only_after_it_got_better() -> None:
    bad, good = {"kl": 2.0}, {"kl": 0.0}
    rows = [update(1, **bad), update(2, **bad), update(3, **good), update(4, **bad)]
    assert raised(rows) == [(1, "kl"), (4, "kl")]


def test_training_accuracy_that_rises_alone_is_a_gap() -> None:
    start = [*(update(step, correct=0.2) for step in range(1, 11)), look(10, 0.5)]
    later = [*(update(step, correct=0.9) for step in range(11, 31)), look(30, 0.5)]
    assert raised(start + later) == [(30, "gap")]
    both = [*(update(step, correct=0.9) for step in range(11, 31)), look(30, 0.9)]
    assert raised(start + both) == []


def test_validation_accuracy_below_its_best_is_told_unless_the_split_is_too_small_to_tell() -> None:
    assert raised([look(0, 0.5), look(10, 0.7), look(20, 0.5)]) == [(20, "validation_falls")]
    assert raised([look(0, 0.5, 16), look(10, 0.7, 16), look(20, 0.5, 16)]) == []


def test_a_resumed_training_neither_forgets_nor_repeats_an_alarm() -> None:
    rows = [update(step, entropy=0.001, completion_length=10.0 if step <= 10 else 40.0) for step in range(1, 40)]
    whole = raised(rows)
    assert [name for _, name in whole] == ["entropy_collapse", "length"]
    for cut in (5, 12, 20, 35):
        health = Health()
        health.replay(rows[:cut])
        assert raised(rows[:cut]) + raised(rows[cut:], health) == whole


def test_what_is_no_update_and_no_look_is_passed_over() -> None:
    assert raised([{"resumed_from": 3}, {"alarm": "kl", "step": 2}, {"final": True, "step": 9}]) == []
