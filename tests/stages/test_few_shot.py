"""The base model behind demos: which demos, how many fit, what is sent and what is kept of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.prompts import Prompts
from sdrl.models.request import Draw, Request
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.run.post_hoc import FEW_SHOT, measure_few_shot
from sdrl.stages.context import ModelPool, StageContext
from sdrl.stages.few_shot import demos_for, demos_that_fit
from sdrl.verifier import Verifier
from tests.compiler.project import SPEC, write_project

LIMIT = "    sampling: {temperature: 0, max_tokens: 100}\n"


class FakeBase:
    """Answers every problem with its demos' last answer, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released: list[str] = []

    async def base(self) -> FakeBase:
        return self

    async def release(self, role: str) -> None:
        self.released.append(role)

    async def draw(self, request: Request, indices: range) -> list[Draw]:
        self.asked.append(str(request.prompt))
        return [Draw("key", index, "#### 5", "stop", "ok", "", 1, 1, False) for index in indices]


def context(folder: Path, models: Any = None, *, demos: bool = True) -> StageContext:
    text = SPEC.replace('marker: "####"}}\nbudget', 'marker: "####"}}\n' + LIMIT + "budget")
    if not demos:
        text = text[: text.index("demos:")] + text[text.index("corpus:") :]
    write_plan(compile_spec(write_project(folder, text)), folder / "plan")
    plan = read_plan(folder / "plan")
    verifier = Verifier.from_program(plan.verifier)
    run, store = folder / "run", folder / "store"
    return StageContext(
        "evaluate", plan, Prompts(plan), verifier, cast(ModelPool, models), {}, run, store, lambda *_: None, bool
    )


@pytest.mark.parametrize(("tokens", "fitting"), [(32_768, 2), (240, 1), (120, 0)])
def test_as_many_demos_are_shown_as_leave_room_for_the_reply(tokens: int, fitting: int, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    config = tmp_path / "base" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_bytes()), "max_position_embeddings": tokens}))
    assert demos_that_fit(ctx, ctx.plan.evaluations[0]) == fitting


def test_a_problem_is_never_its_own_demo(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    row = {"part": ctx.plan.parts[0].name, "input": "What is 1 + 1?"}
    assert [demo.input for demo in demos_for(ctx, row, 4)] == ["What is 2 + 3?"]
    assert len(demos_for(ctx, {**row, "input": "What is 9 + 9?"}, 1)) == 1


def test_the_base_model_is_asked_behind_demos_and_its_answers_are_sealed(tmp_path: Path) -> None:
    fake = FakeBase()
    ctx = context(tmp_path, fake)
    artifacts = Artifacts(RunFolder(tmp_path / "run"), tmp_path / "store")
    asyncio.run(measure_few_shot(ctx, artifacts))
    rows = artifacts.rows(FEW_SHOT)
    assert fake.released == ["trained", "base"]
    assert (artifacts.seal(FEW_SHOT) or {})["notes"] == {"demos": {"test": 2}}
    assert {row["model"] for row in rows} == {"few-shot"} and len(rows) == len(fake.asked) == 6
    assert [row["problem"] for row in rows if row["verdict"] == "correct"] == [
        row["problem"] for row in rows if row["gold"] == "5"
    ]
    worked = ["What is 1 + 1?", "1 + 1 = 2\n#### 2\n\n", "What is 2 + 3?", "2 + 3 = 5\n#### 5\n\n"]
    for asked in fake.asked:
        places = [asked.index(text) for text in worked]
        assert places == sorted(places) and asked.count("### Solution") == 3
        assert asked.endswith(
            Prompts(ctx.plan).answer(ctx.plan.parts[0], asked.split("### Problem\n")[3].split("\n")[0])
        )


def test_a_task_without_demos_is_asked_nothing(tmp_path: Path) -> None:
    fake = FakeBase()
    artifacts = Artifacts(RunFolder(tmp_path / "run"), tmp_path / "store")
    asyncio.run(measure_few_shot(context(tmp_path, fake, demos=False), artifacts))
    assert fake.asked == [] and artifacts.seal(FEW_SHOT) is None
