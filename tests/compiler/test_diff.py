"""What would run again, and why, in words that name the field."""

from __future__ import annotations

from pathlib import Path

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.diff import PlanDiff, diff_plans
from tests.compiler.project import SPEC, write_project


def diff(folder: Path, before: str, after: str) -> PlanDiff:
    a = compile_spec(write_project(folder / "a")).plan
    b = compile_spec(write_project(folder / "b", SPEC.replace(before, after))).plan
    assert a is not None and b is not None
    return diff_plans(a, b)


def test_equal_plans_have_no_difference(tmp_path: Path) -> None:
    assert diff(tmp_path, "seed: 7", "seed: 7").is_empty


def test_a_changed_setting_names_the_field_and_what_follows(tmp_path: Path) -> None:
    found = diff(tmp_path, "epochs: 2", "epochs: 3")
    assert found.stages == ("train", "evaluate")
    assert [str(change) for change in found.reruns[0].changes] == ["train.epochs: 2 -> 3"]
    assert found.reruns[1].changes == ()
    assert found.reruns[1].because_of == ("train",)


def test_a_price_runs_nothing_again_and_is_still_shown(tmp_path: Path) -> None:
    found = diff(tmp_path, "input: 2.5", "input: 3.5")
    assert found.stages == ()
    assert [change.path for change in found.unhashed] == ["models.instructor.price.input"]


def test_a_changed_prompt_is_shown_as_text(tmp_path: Path) -> None:
    a = compile_spec(write_project(tmp_path / "a")).plan
    spec = write_project(tmp_path / "b", SPEC + "prompts: {answer: {file: my.jinja}}\n")
    (tmp_path / "b" / "my.jinja").write_text("{{ input }}\n")
    b = compile_spec(spec).plan
    assert a is not None and b is not None
    found = diff_plans(a, b)
    assert found.stages == ("probe", "adapt", "score", "select", "train", "evaluate")
    assert "-### Problem" in found.prompts["answer"]
    assert "prompts.answer: changed" in [str(change) for change in found.reruns[0].changes]
