"""Suites as they are read: baselines, cells, plans, and what is left open."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from sdrl.cli.main import main
from sdrl.compare.baselines import BASELINES, expanded
from sdrl.compare.cells import NEEDS_INSTRUCTOR, cells_of
from sdrl.compare.listing import listing
from sdrl.compare.loading import load_suite
from sdrl.compare.running import freeze, is_done, plan_cells
from sdrl.compare.schema import FILE_NAME, suite_schema, suite_schema_text
from sdrl.compare.suite import Arm
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.edits import Edit, apply
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir
from sdrl.stages.controls import FILE, Controls, own_majority, read_control
from tests.compiler.project import write_project

SHIPPED = specs_dir() / "suites" / "embedded.yaml"
DEMOS = "\ndemos: [{input: 1+1?, output: '1+1=2 #### 2'}]\n"  # what Self-Instruct starts from


def write_suite(folder: Path, body: str) -> Path:
    write_project(folder)
    path = folder / "suite.yaml"
    path.write_text(f"suite: 1\nname: sums\nspec: sums.yaml\n{body}")
    return path


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_a_change_that_a_spec_takes(name: str) -> None:
    path = specs_dir() / "word-problems.yaml"
    text = path.read_text() + DEMOS
    changed = apply(text, [Edit("set", key, value) for key, value in BASELINES[name].set.items()])
    assert (changed == text) == (not BASELINES[name].set)
    assert load_spec(path, changed).spec is not None


def test_an_arms_own_changes_win_over_its_baseline() -> None:
    arm = expanded(Arm(baseline="sft", name="mine", set={"train.epochs": 3, "train.algorithm": "rft"}))
    assert (arm.name, arm.set) == ("mine", {"train.algorithm": "rft", "train.epochs": 3})
    assert expanded(Arm(baseline="random-reward")).control.reward == "random"
    assert expanded(Arm(baseline="targen")).needs == "instructor"


def test_cells_are_arms_by_budgets_by_seeds(tmp_path: Path) -> None:
    body = (
        "arms: [reference, {name: short, set: {train.epochs: 1}, seeds: 1}]\nseeds: [4, 7]\n"
        "budgets: [{name: small, set: {select.samples: 10}}, {name: large, set: {select.samples: 20}}]\n"
    )
    loaded = load_suite(write_suite(tmp_path, body))
    names = [cell.name for cell in cells_of(loaded)]
    assert names == [
        "reference--small--4", "reference--small--7", "reference--large--4", "reference--large--7",
        "short--small--4", "short--large--4",
    ]  # fmt: skip
    assert [cell.name for cell in cells_of(loaded, ["short"])] == names[4:]
    with pytest.raises(SdrlError, match="no arm 'shrot'") as refused:
        cells_of(loaded, ["shrot"])
    assert (refused.value.exit, refused.value.help) == (Exit.USAGE, "did you mean 'short'?")


def test_training_seeds_share_every_stage_but_training(tmp_path: Path) -> None:
    loaded = load_suite(write_suite(tmp_path, "arms: [reference]\nseeds: [0, 1]\n"))
    first, second = plan_cells(loaded, cells_of(loaded))
    differ = {name for name in first.stages if first.stages[name] != second.stages[name]}
    assert differ == {"train", "evaluate"}


def test_a_cell_that_only_a_real_instructor_decides_is_open_with_the_scripted_one(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    spec = specs_dir() / "word-problems.yaml"
    rival = "{baseline: self-instruct, set: {demos: [{input: 1+1?, output: '1+1=2 #### 2'}]}}"
    path.write_text(f"suite: 1\nname: s\nspec: {spec}\nseeds: [0]\narms: [reference, {rival}, no-pattern]\n")
    loaded = load_suite(path)
    planned = plan_cells(loaded, cells_of(loaded))
    assert [each.open for each in planned] == [None, NEEDS_INSTRUCTOR, NEEDS_INSTRUCTOR]
    text = listing(loaded, planned, tmp_path / "run")
    assert text.count(NEEDS_INSTRUCTOR) == 2
    assert "1 to run" in text


def test_the_same_cell_is_decided_by_a_real_instructor(tmp_path: Path) -> None:
    loaded = load_suite(write_suite(tmp_path, "arms: [reference, no-pattern]\nseeds: [0]\n"))
    assert [each.open for each in plan_cells(loaded, cells_of(loaded))] == [None, None]


def test_the_listing_counts_shared_stages_once(tmp_path: Path) -> None:
    loaded = load_suite(write_suite(tmp_path, "arms: [reference]\nseeds: [0, 1, 2]\n"))
    planned = plan_cells(loaded, cells_of(loaded))
    alone = planned[0].estimate["instructor"]["expected"]["microusd"] / 1e6
    assert f"paid once through the store: ${alone:.2f}." in " ".join(listing(loaded, planned, tmp_path / "r").split())


def test_the_shipped_suite_is_sound() -> None:
    loaded = load_suite(SHIPPED)
    planned = plan_cells(loaded, [cell for cell in cells_of(loaded) if cell.seed == loaded.suite.seeds[0]])
    updates = {each.cell.arm_name: each.estimate["training"]["updates"] for each in planned if not each.open}
    assert updates.pop("rft") >= 8  # at most; how many right draws there are is known once they are drawn
    assert set(updates.values()) == {8}  # arms are compared at equal updates
    assert {each.cell.arm_name for each in planned if each.open} == {
        "no-pattern",
        "self-instruct",
        "targen",
        "synthllm",
    }


def test_the_schema_beside_the_specs_is_made_from_the_models_and_takes_the_shipped_suite() -> None:
    assert (specs_dir() / FILE_NAME).read_text() == suite_schema_text()
    check = Draft202012Validator(suite_schema())
    assert list(check.iter_errors(yaml.safe_load(SHIPPED.read_text()))) == []
    for wrong in ({"arms": ["refrence"]}, {"arm": []}, {"seeds": [-1]}, {"margin": 5}, {"set": {"Vote draws": 1}}):
        suite = {"suite": 1, "name": "s", "spec": "s.yaml", "arms": ["reference"], **wrong}
        assert list(check.iter_errors(suite)), wrong


def test_a_frozen_suite_takes_further_arms_and_no_other_plan(tmp_path: Path) -> None:
    path = write_suite(tmp_path, "arms: [reference, {name: a, set: {vote.draws: 4}}]\nseeds: [0]\n")
    loaded = load_suite(path)
    planned = plan_cells(loaded, cells_of(loaded))
    freeze(loaded, planned[:1], tmp_path / "run")
    freeze(loaded, planned, tmp_path / "run")
    held = json.loads((tmp_path / "run" / "suite.json").read_text())
    assert set(held["cells"]) == {"reference--0", "a--0"}
    path.write_text(path.read_text().replace("draws: 4", "draws: 5"))
    changed = load_suite(path)
    with pytest.raises(SdrlError, match="a--0 has another plan") as refused:
        freeze(changed, plan_cells(changed, cells_of(changed)), tmp_path / "run")
    assert (refused.value.code, refused.value.exit) == ("E623", Exit.STALE)


@pytest.mark.parametrize("text", ["", '{"cells": {"refer', "[]", '{"cells": 3}', "\x00"])
def test_a_damaged_suite_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    loaded = load_suite(write_suite(tmp_path, "arms: [reference]\nseeds: [0]\n"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "suite.json").write_text(text)
    with pytest.raises(SdrlError, match=r"suite\.json is damaged") as refused:
        freeze(loaded, plan_cells(loaded, cells_of(loaded)), tmp_path / "run")
    assert refused.value.code == "E830" and refused.value.help


@pytest.mark.parametrize("text", ["", "[]", '{"plan_hash"', "\x00"])
def test_a_cell_whose_result_is_damaged_is_not_done(tmp_path: Path, text: str) -> None:
    loaded = load_suite(write_suite(tmp_path, "arms: [reference]\nseeds: [0]\n"))
    (cell,) = plan_cells(loaded, cells_of(loaded))
    folder = tmp_path / "run" / "cells" / "reference--0"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"plan_hash": cell.hash, "status": "done"}))
    assert is_done(tmp_path / "run", cell)
    (folder / "result.json").write_text(text)
    assert not is_done(tmp_path / "run", cell)


def test_a_control_is_part_of_what_is_frozen(tmp_path: Path) -> None:
    path = write_suite(tmp_path, "arms: [{name: a, control: {reward: random}}]\nseeds: [0]\n")
    before = load_suite(path)
    freeze(before, plan_cells(before, cells_of(before)), tmp_path / "run")
    path.write_text(path.read_text().replace("random", "format"))
    after = load_suite(path)
    with pytest.raises(SdrlError, match="another plan"):
        freeze(after, plan_cells(after, cells_of(after)), tmp_path / "run")


def test_controls_are_read_from_the_run_folder_or_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDRL_CONTROL_REWARD", "format")
    assert read_control(tmp_path) == Controls(reward="format")
    (tmp_path / FILE).write_text(json.dumps({"reward": "random", "labels": "own-majority"}))
    assert read_control(tmp_path) == Controls("random", "own-majority")
    (tmp_path / FILE).write_text('{"rewards": 1}')
    with pytest.raises(SdrlError, match="damaged"):
        read_control(tmp_path)


def test_own_majority_takes_the_bases_answer_and_leaves_out_what_has_none() -> None:
    rows = [{"id": "a", "gold": "1", "majority": "2"}, {"id": "b", "gold": "1", "majority": None}]
    assert own_majority(rows) == [{"id": "a", "gold": "2", "majority": "2"}]
    assert rows[0]["gold"] == "1"


def test_the_table_shows_every_arm_and_a_dry_run_the_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_suite(tmp_path, "arms: [reference, {name: a, set: {vote.draws: 4}}]\nseeds: [0]\n")
    monkeypatch.chdir(tmp_path)
    assert main(["compare", str(path), "--arms", "a", "--dry-run"]) == 0
    listed = capsys.readouterr().out
    assert "a--0" in listed
    assert "reference--0" not in listed
    assert main(["compare", str(path), "--report"]) == 0
    assert "0 of 2 cells are done" in capsys.readouterr().out
    results = json.loads((tmp_path / "runs" / "sums" / "results.json").read_text())
    assert [row["arm"] for row in results["arms"]] == ["reference", "a"]
    assert [(each["arm"], each["verdict"]) for each in results["questions"]] == [("a", "not run")]
    assert not (tmp_path / "runs" / "sums" / "differences.svg").exists()


def test_nothing_runs_where_nobody_can_say_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_suite(tmp_path, "arms: [reference]\nseeds: [0]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", StringIO())
    assert main(["compare", str(path)]) == Exit.USAGE
    assert "nothing was run" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
