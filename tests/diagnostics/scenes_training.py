"""Scenes of training: jobs, rows and settings that do not fit, and processes that end before they are done."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from sdrl.compiler.plan_file import read_plan
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.training import data, process, session
from sdrl.training.__main__ import _train
from sdrl.training.__main__ import main as training_main
from sdrl.training.job import TrainingJob
from tests.compiler.project import SPEC as PROJECT
from tests.compiler.project import write_project, write_rows
from tests.diagnostics.scene import Stage, scene
from tests.diagnostics.scenes_run import SPEC

ROWS: list[dict[str, object]] = [{"id": f"t{n}", "prompt": f"{n} + 1 =\n", "gold": str(n + 1)} for n in range(4)]


def job(stage: Stage, rows: list[dict[str, object]] = ROWS, **changes: Any) -> TrainingJob:
    """A job over these rows; its base model is an empty folder."""
    (stage.folder / "base").mkdir(exist_ok=True)
    write_rows(stage.folder / "train.jsonl", rows)
    number = {"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}, "take": "last"}
    tolerance = {"tolerance": {"abs": "1e-6", "rel": "0"}, "options": None, "ignore_case": False}
    fields: dict[str, Any] = {
        "plan_hash": "p",
        "stage_hash": "s",
        "model": str(stage.folder / "base"),
        "out_dir": stage.folder / "model",
        "work_dir": stage.folder / "work",
        "train_rows": stage.folder / "train.jsonl",
        "verifier": number | tolerance,
        "reward": {"correct": 1, "wrong": 0, "parsable": 0, "truncated": 0},
        "learning_rate": 1e-6,
        "epochs": 1,
        "prompts_per_step": 2,
        "rollouts": 4,
        "max_completion_tokens": 2048,
        "kl": 0.01,
        "device": "cpu",
        "threads": 1,
    }
    return TrainingJob.model_validate(fields | changes)


@contextlib.contextmanager
def no_training() -> Iterator[None]:
    """The fake training process in place of the real one."""
    with mock.patch.object(sys, "executable", str(Path(__file__).with_name("fake_python.py"))):
        yield


def until_training(stage: Stage) -> None:
    """Run a plan whose stages before training are done."""
    write_project(stage.folder, SPEC.format(url="http://127.0.0.1:1/v1").partition("evaluate:")[0])
    assert stage.quietly("compile", "sums.yaml") == 0
    folder = RunFolder(stage.folder / "runs" / "sums")
    folder.create()
    artifacts = Artifacts(folder, stage.folder / ".sdrl")
    plan = read_plan(stage.folder / "sums.plan")
    sample = {"split": "train", "input": "1 + 1?", "gold": "2", "options": None, "solution": None}
    chosen = [{**sample, "id": f"s{n}", "part": plan.parts[0].name} for n in range(4)]
    for planned in plan.stages[: [each.name for each in plan.stages].index("train")]:
        rows = chosen if planned.name == "select" else []
        artifacts.write(planned.name, planned.hash, rows, [], came_in=len(rows), seconds=1, notes={}, versions={})
    with no_training():
        stage.sdrl("run", "sums.plan")


@scene("E801")
def a_job_that_is_not_there(stage: Stage) -> None:
    from tests.diagnostics.scene import captured

    with captured() as output:
        code = training_main(["old.json"])
    stage.said.append(f"$ python -m sdrl.training old.json\n{output.getvalue()}(exit {code})\n")


@scene("E802")
def nothing_to_train_on(stage: Stage) -> None:
    stage.fails(lambda: data.training_rows(job(stage, [])))


@scene("E803")
def prompts_longer_than_the_context(stage: Stage) -> None:
    rows = [data.Row(f"t{n}", "p" * 3000, "1") for n in range(10)]
    wide = job(stage)
    stage.fails(lambda: data.fitting(rows, lambda texts: [[0] * len(text) for text in texts], 4096, wide))


@scene("E804")
def a_step_that_three_processes_cannot_share(stage: Stage) -> None:
    three = job(stage, processes=3)
    stage.fails(lambda: data.cut_batch(three, rows=100, vocabulary=100, tokens_per_row=8))


@scene("E805")
def a_training_process_that_says_nothing(stage: Stage) -> None:
    until_training(stage)


@scene("E806")
def a_folder_without_weights(stage: Stage) -> None:
    (stage.folder / "base").mkdir()
    stage.fails(lambda: session.load_model(stage.folder / "base"))


@scene("E807")
def a_training_that_diverged(stage: Stage) -> None:
    diverged = SimpleNamespace(job=job(stage), not_finite=True)
    trainer = SimpleNamespace(state=SimpleNamespace(global_step=7))
    stage.fails(lambda: process._finish(diverged, trainer))  # type: ignore[arg-type]  # what it reads before it ends


@scene("E808")
def training_without_its_extra(stage: Stage) -> None:
    with mock.patch.dict(sys.modules, {"trl": None}):
        stage.fails(_train(job(stage)).raise_if_failed)


@scene("E809")
def a_work_folder_that_is_a_file(stage: Stage) -> None:
    stage.write("work", "a file\n")
    with mock.patch("traceback.print_exc"):
        stage.fails(_train(job(stage)).raise_if_failed)


@scene("E873")
def a_training_that_was_asked_to_stop(stage: Stage) -> None:
    stage.write("outcome.json", json.dumps({"status": "stopped", "message": "stopped at step 40"}))
    until_training(stage)


@scene("E810")
def two_machines_that_do_not_know_each_other(stage: Stage) -> None:
    from sdrl.training.launch import command

    asked = job(stage, processes=16, nodes=2, device="cuda")
    with mock.patch.dict("os.environ", {"SDRL_MAIN_ADDRESS": "node-1"}):
        stage.fails(lambda: command(asked, asked.work_dir / "job.json"))


@scene("E883")
def a_rehearsal_of_a_model_that_nobody_knows(stage: Stage) -> None:
    named = PROJECT.replace("./base", "nobody/unheard-of").replace("embedded", f"embedded, revision: {'0' * 40}")
    write_project(stage.folder, named)
    assert stage.quietly("compile", "sums.yaml") == 0
    with mock.patch("sdrl.run.random_weights._from_hub", lambda weights: None):
        stage.sdrl("rehearse", "sums.plan")
