"""Figures of a base model's readiness, against values worked out by hand."""

from __future__ import annotations

import pytest

from sdrl.run.readiness import pass_at, repetition


@pytest.mark.parametrize(
    ("k", "draws", "correct", "expected"),
    [(1, 4, 1, 0.25), (2, 4, 1, 0.5), (4, 4, 1, 1.0), (4, 4, 0, 0.0), (64, 64, 0, 0)],
)
def test_pass_at_k_is_the_chance_of_one_right_answer(k: int, draws: int, correct: int, expected: float) -> None:
    assert pass_at(k, draws, correct) == pytest.approx(expected)


def test_repetition_is_the_share_of_words_said_before() -> None:
    assert repetition("one two three four five six seven eight nine ten eleven twelve") == 0
    assert repetition("so it goes " * 20) == pytest.approx(1 - 3 / 57)
    assert repetition("again and again") == 0
