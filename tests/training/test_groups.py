"""Groups without variance: which they are, how the others are weighted, which prompts take their place. No torch."""

from __future__ import annotations

from sdrl.training import groups
from sdrl.training.online import is_whole
from sdrl.training.rewards import repetition


def test_a_group_teaches_when_its_rewards_differ() -> None:
    assert groups.teaches([1.0, 0.0, 1.0])
    assert not groups.teaches([1.0, 1.0, 1.0])
    assert not groups.teaches([1.0, None, 1.0])
    assert not groups.teaches([None, None])


def test_the_groups_that_teach_carry_the_whole_mean() -> None:
    advantages = [0.0, 2.0, 4.0, 0.0]
    teaching = [one for one in advantages if one]
    scaled = [one * groups.scale(len(advantages), len(teaching)) for one in advantages]
    assert sum(scaled) / len(advantages) == sum(teaching) / len(teaching)
    assert groups.scale(4, 0) == 1.0


def test_substitutes_are_other_rows_in_an_order_that_a_resume_repeats() -> None:
    first = list(groups.substitutes(10, [2, 5], seed=3, step=7, process=0))
    assert sorted(first) == [0, 1, 3, 4, 6, 7, 8, 9]
    assert first == list(groups.substitutes(10, [2, 5], seed=3, step=7, process=0))
    assert first != list(groups.substitutes(10, [2, 5], seed=3, step=8, process=0))


def test_a_batch_that_processes_share_within_a_group_is_not_whole() -> None:
    assert is_whole(["a", "a", "b", "b"], 2)
    assert not is_whole(["a", "b", "b", "c"], 2)
    assert not is_whole(["a", "a", "b"], 2)


def test_repetition_is_the_share_of_n_grams_that_stood_there_before() -> None:
    assert repetition([[1, 2, 3, 4, 5, 6]]) == 0.0
    assert repetition([[7] * 13]) == 0.9
    assert repetition([[1, 2], [7] * 13]) == 0.45
    assert repetition([]) == 0.0
