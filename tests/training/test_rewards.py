"""Rewards are separate, weighted as declared, and never take a failing verifier for a wrong answer. No torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sdrl.training.job import RewardWeights
from sdrl.training.rewards import NAMES, Scorer, cut_at_stop, reward_functions, weighted, weights

COMPLETIONS = ["right", "not right", "blah", "broken"]
VERDICTS = {"right": "correct", "not right": "incorrect", "blah": "unparsable", "broken": "error"}
IDS = [[5, 1], [5, 5], [5, 5, 5], [5, 1]]


@dataclass
class Verdict:
    verdict: str


class Table:
    """Judges by a table and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Any]] = []

    def judge_many(self, items: Sequence[tuple[str, str, Mapping[str, str] | None]]) -> list[Verdict]:
        self.asked.append(items)
        return [Verdict(VERDICTS[text]) for text, _, _ in items]


def score(judge: Table, **changes: Any) -> dict[str, list[float | None]]:
    scorer = Scorer(judge=judge, eos_ids=frozenset({1}), max_tokens=3, **changes)
    call = {"completions": COMPLETIONS, "completion_ids": IDS, "gold": ["g"] * 4, "options": [""] * 4}
    return {function.__name__: function(**call) for function in reward_functions(scorer)}


def test_each_reward_is_a_function_of_its_own_named_as_the_spec_names_it() -> None:
    found = score(Table())
    assert tuple(found) == NAMES
    assert found == {
        "correct": [1.0, 0.0, 0.0, None],
        "wrong": [0.0, 1.0, 1.0, None],
        "parsable": [0.0, 1.0, 0.0, None],
        "truncated": [0.0, 0.0, 1.0, None],
    }


def test_a_batch_is_judged_once_for_all_functions_and_options_reach_the_verifier() -> None:
    judge = Table()
    scorer = Scorer(judge=judge, eos_ids=frozenset({1}), max_tokens=3)
    options = [json.dumps({"A": "x"}), "", "", ""]
    for function in reward_functions(scorer):
        function(completions=COMPLETIONS, completion_ids=IDS, gold=["g"] * 4, options=options)
    assert len(judge.asked) == 1
    assert judge.asked[0][0] == ("right", "g", {"A": "x"})
    assert judge.asked[0][1] == ("not right", "g", None)
    assert scorer.errors == 1


def test_the_reward_is_the_weighted_sum_and_a_failed_verdict_has_none() -> None:
    reward = RewardWeights(correct=1, wrong=-0.5, parsable=0.1, truncated=-0.25)
    found = score(Table())
    rows = [{name: found[name][index] for name in NAMES} for index in range(4)]
    assert weights(reward) == [1, -0.5, 0.1, -0.25]
    assert [weighted(row, reward) for row in rows] == [1.0, -0.4, -0.75, None]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("correct", [1.0, 0.0, 0.0, None]), ("format", [1.0, 1.0, 0.0, None]), ("shuffled", [1.0, 0.0, 0.0, None])],
)
def test_controls_change_the_verdict_and_nothing_else(mode: Any, expected: list[float | None]) -> None:
    assert score(Table(), mode=mode)["correct"] == expected


def test_the_random_control_throws_the_same_coins_again_after_a_resume() -> None:
    first, again = score(Table(), mode="random", seed=3), score(Table(), mode="random", seed=3)
    assert first["correct"] == again["correct"]
    assert None not in first["correct"]


def test_a_completion_is_judged_up_to_its_first_stop_string() -> None:
    assert cut_at_stop("a\n\nProblem: b\nEnd", ["End", "\n\nProblem"]) == "a"
    assert cut_at_stop("abc", ["x", ""]) == "abc"


def test_the_parents_side_loads_no_heavy_library() -> None:
    code = (
        "import sys, sdrl.training.launch, sdrl.training.rewards, sdrl.training.settings, sdrl.training.process\n"
        "heavy = {'torch', 'transformers', 'trl', 'datasets', 'accelerate', 'openai', 'math_verify'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
