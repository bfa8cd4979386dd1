"""Which checkpoints a training leaves: the last ones, or every one where they are to meet the test sets afterwards."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.prompts import Prompts
from sdrl.run.folder import RunFolder
from sdrl.run.post_hoc import kept_checkpoints
from sdrl.stages.context import ModelPool, StageContext
from sdrl.stages.train import job_of
from sdrl.training.checkpoints import mark_complete
from sdrl.verifier import Verifier

SPEC = Path(__file__).parents[2] / "specs" / "word-problems.yaml"
ROW = {"id": "a", "split": "train", "part": "all", "input": "One and one?", "options": None, "gold": "2"}


def context(folder: Path) -> StageContext:
    write_plan(compile_spec(SPEC), folder / "plan")
    plan = read_plan(folder / "plan")
    rows = {"select": [{**ROW, "solution": "#### 2", "part": plan.parts[0].name}]}
    verifier, models = Verifier.from_program(plan.verifier), cast(ModelPool, None)
    run, store = folder / "run", folder / "store"
    return StageContext("train", plan, Prompts(plan), verifier, models, rows, run, store, lambda *_: None, bool)


def test_every_checkpoint_is_kept_where_it_will_be_asked_and_the_training_is_the_same(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    few = asyncio.run(job_of(ctx))
    every = asyncio.run(job_of(replace(ctx, keeps_checkpoints=True)))
    assert every.keep_checkpoints > 1000 > few.keep_checkpoints
    assert every.identity() == few.identity()


def checkpoint(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in (*names, "trainer_state.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    return folder


def test_whole_checkpoints_and_the_best_look_can_be_asked(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    folder = RunFolder(tmp_path / "run")
    kept = folder.training / "checkpoints"
    whole = ("config.json", "model.safetensors")
    mark_complete(checkpoint(kept / "checkpoint-10", *whole))
    mark_complete(checkpoint(kept / "checkpoint-20", "adapter_config.json", "adapter_model.safetensors"))
    checkpoint(kept / "checkpoint-30", *whole)  # a kill came before its marker
    mark_complete(checkpoint(kept / "checkpoint-40", *whole))
    (kept / "checkpoint-40" / "model.safetensors").write_text(json.dumps("damaged"), encoding="utf-8")
    checkpoint(folder.training / "best-25", *whole)
    found = kept_checkpoints(ctx.plan, folder)
    assert {step: path.name for step, path in found.items()} == {10: "checkpoint-10", 25: "best-25"}
