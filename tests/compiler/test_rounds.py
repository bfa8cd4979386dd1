"""Rounds: which stages a plan has, what each reads, and that one round more keeps all that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan import STAGES, Plan
from sdrl.compiler.rounds import kind_of, named, round_of, stage_names
from tests.compiler.project import SPEC, write_project


def plan_of(folder: Path, rounds: int, *edits: tuple[str, str]) -> Plan:
    text = SPEC + f"rounds: {rounds}\n"
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    plan = compile_spec(write_project(folder, text)).plan
    assert plan is not None
    return plan


def hashes(plan: Plan) -> dict[str, str]:
    return {stage.name: stage.hash for stage in plan.stages}


def test_one_round_is_algorithm_one_and_each_further_one_repeats_its_second_half() -> None:
    assert stage_names(1) == STAGES
    assert stage_names(2) == (*STAGES[:-1], "probe-2", "adapt-2", "score-2", "select-2", "train-2", "evaluate")
    assert [(kind_of(name), round_of(name)) for name in ("vote", "score", "score-3")] == [
        ("vote", 1),
        ("score", 1),
        ("score", 3),
    ]
    assert [named("score", 1), named("score", 2), named("vote", 2)] == ["score", "score-2", "vote"]


def test_a_stage_reads_only_what_stands_before_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, 3)
    names = [stage.name for stage in plan.stages]
    assert tuple(names) == stage_names(3)
    for index, stage in enumerate(plan.stages):
        assert set(stage.parents) <= set(names[:index]), stage.name
    assert plan.stage("score-3").parents == ("vote", "adapt", "adapt-2", "adapt-3", "train-2")
    assert plan.stage("train-3").parents == ("select-3", "train-2")
    assert plan.stage("evaluate").parents == ("train-3",)


def test_one_round_more_keeps_every_stage_but_the_evaluation(tmp_path: Path) -> None:
    one, two, three = (hashes(plan_of(tmp_path / str(rounds), rounds)) for rounds in (1, 2, 3))
    for fewer, more in ((one, two), (two, three)):
        assert {name for name, hash_ in fewer.items() if more[name] != hash_} == {"evaluate"}
    assert two["score-2"] != two["score"]


@pytest.mark.parametrize(
    ("edit", "stays"),
    [
        (("epochs: 2", "epochs: 3"), STAGES[: STAGES.index("train")]),
        (("select: {samples: 20", "select: {samples: 21"), STAGES[: STAGES.index("score")]),
    ],
)
def test_an_edit_runs_the_later_rounds_again_too(tmp_path: Path, edit: tuple[str, str], stays: tuple[str, ...]) -> None:
    before, after = hashes(plan_of(tmp_path / "a", 2)), hashes(plan_of(tmp_path / "b", 2, edit))
    assert tuple(name for name in before if before[name] == after[name]) == stays


def test_each_round_is_in_the_estimate(tmp_path: Path) -> None:
    one, two = plan_of(tmp_path / "1", 1).estimate, plan_of(tmp_path / "2", 2).estimate
    asked = {entry["stage"]: entry for entry in two["stages"]}
    assert set(asked) - {entry["stage"] for entry in one["stages"]} == {"probe-2", "adapt-2", "score-2"}
    assert asked["adapt-2"]["asks"] == "instructor"
    for case in ("expected", "worst"):
        assert asked["score-2"][case]["draws"] > asked["score"][case]["draws"]
        assert asked["adapt-2"][case]["requests"] <= asked["adapt"][case]["requests"]
        assert two["instructor"][case]["requests"] > one["instructor"][case]["requests"]
    assert two["training"]["updates"] == 2 * one["training"]["updates"]
