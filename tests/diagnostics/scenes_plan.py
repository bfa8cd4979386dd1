"""Scenes of plans that are missing, changed, stale or waiting, and of what a run refuses before it begins."""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest import mock

from tests.compiler.project import SPEC, write_project
from tests.compiler.test_strangers_plan import forge
from tests.diagnostics.scene import Stage, scene
from tests.diagnostics.scenes_compile import changed


def planned(stage: Stage, spec: str = SPEC) -> None:
    """A project with its plan in ``sums.plan``."""
    write_project(stage.folder, spec)
    assert stage.quietly("compile", "sums.yaml") == 0


@scene("E601")
def a_folder_without_a_plan(stage: Stage) -> None:
    write_project(stage.folder / "gsm8k")
    stage.sdrl("run", "gsm8k")


@scene("E602")
def a_plan_that_was_edited(stage: Stage) -> None:
    planned(stage)
    path = stage.folder / "sums.plan" / "plan.json"
    path.write_text(path.read_text().replace('"draws": 8', '"draws": 9'))
    stage.sdrl("run", "sums.plan")


@scene("E603")
def a_spec_that_was_edited_after_compiling(stage: Stage) -> None:
    planned(stage)
    write_project(stage.folder, changed("epochs: 2", "epochs: 3"))
    stage.sdrl("compile", "sums.yaml", "--check")


@scene("E604")
def a_plan_of_a_later_version(stage: Stage) -> None:
    planned(stage)
    path = stage.folder / "sums.plan" / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))
    stage.sdrl("plan", "sums.plan")


@scene("E605")
def passages_that_were_edited_after_compiling(stage: Stage) -> None:
    planned(stage, changed("synthesize:", "retrieve: {keywords: [adding]}\nsynthesize:"))
    with (stage.folder / "passages.jsonl").open("a") as file:
        file.write('{"id": "p9", "text": "A passage that was slipped in."}\n')
    stage.sdrl("run", "sums.plan")


@scene("E606")
def a_library_older_than_the_plan_takes(stage: Stage) -> None:
    planned(stage)
    stage.write("old/trl-0.9.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: trl\nVersion: 0.9.0\n")
    with mock.patch.object(sys, "path", [str(stage.folder / "old"), *sys.path]):
        stage.sdrl("run", "sums.plan")


@scene("E608")
def a_plan_into_the_folder_of_the_spec(stage: Stage) -> None:
    write_project(stage.folder)
    stage.sdrl("compile", "sums.yaml", "-o", ".")


@scene("E609")
def a_plan_of_a_stranger(stage: Stage) -> None:
    planned(stage)

    def outside(document: dict[str, Any]) -> None:
        document["name"] = "../../outside"

    forge(stage.folder / "sums.plan", outside)
    stage.sdrl("run", "sums.plan")


@scene("E620")
def a_plan_whose_model_is_not_pinned(stage: Stage) -> None:
    planned(stage, changed("./base", "owner/model"))
    stage.sdrl("run", "sums.plan")


@scene("E621")
def a_run_folder_of_another_plan(stage: Stage) -> None:
    own_keywords = changed("synthesize:", "retrieve: {keywords: [adding]}\nsynthesize:")
    planned(stage, own_keywords)
    assert stage.quietly("run", "sums.plan", "--until", "keywords") == 0
    planned(stage, changed("vote: {draws: 8}", "vote: {draws: 16}", own_keywords))
    stage.sdrl("run", "sums.plan")


SUITE = "suite: 1\nname: sums\nspec: sums.yaml\nseeds: [0]\n"


def compared(stage: Stage, arms: str) -> None:
    """A suite of the project's spec, planned and not run."""
    write_project(stage.folder)
    stage.write("suite.yaml", SUITE + arms)
    stage.sdrl("compare", "suite.yaml", "--dry-run")


@scene("E350")
def a_suite_with_a_misspelt_baseline(stage: Stage) -> None:
    compared(stage, "arms: [refrence]\n")


@scene("E350_names")
def a_suite_whose_names_are_not_there(stage: Stage) -> None:
    arms = "arms:\n  - reference\n  - {name: a, set: {vote.drawz: 4, vote.min_agreement: much}}\n  - {name: a}\n"
    compared(stage, f"{arms}compare: [{{arm: b}}]\n")


@scene("E351")
def an_arm_that_sets_what_a_budget_sets(stage: Stage) -> None:
    arms = "arms: [reference, {name: larger, set: {select.samples: 30, seed: 4}}]\n"
    compared(stage, f"{arms}budgets: [{{name: small, set: {{select.samples: 10}}}}]\n")


@scene("E352")
def an_arm_that_does_not_compile(stage: Stage) -> None:
    compared(stage, "arms: [reference, {name: few, set: {synthesize.attempts: 10}}]\n")


@scene("E623")
def a_suite_that_changed_since_it_began(stage: Stage) -> None:
    write_project(stage.folder)
    suite = stage.write("suite.yaml", SUITE + "arms: [{name: a, set: {vote.draws: 4}}]\n")
    stage.quietly("compare", "suite.yaml", "--yes", "--offline")
    suite.write_text(suite.read_text().replace("draws: 4", "draws: 5"))
    stage.sdrl("compare", "suite.yaml", "--yes", "--offline")


@scene("E846")
def a_plan_without_models(stage: Stage) -> None:
    start, end = SPEC.index("models:"), SPEC.index("train:")
    planned(stage, changed("budget: {usd: 5}\n", "", SPEC[:start] + SPEC[end:]))
    stage.sdrl("run", "sums.plan")


@scene("E850")
def a_line_with_other_keys(stage: Stage) -> None:
    write_project(stage.folder)
    stage.write("judged.jsonl", '{"completion": "#### 2", "gold": "2"}\n{"text": "#### 3", "answer": "3"}\n')
    stage.sdrl("verify", "sums.yaml", "judged.jsonl")
