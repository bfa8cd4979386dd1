"""The retrieve stage reads the corpus that the plan was compiled with, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.prompts import Prompts
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages import retrieve
from sdrl.stages.context import ModelPool, StageContext
from sdrl.verifier import Verifier

SPEC = """\
sdrl: 1
name: corpus
task: {description: Add., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
corpus: [{files: ["passages/*.jsonl"]}]
"""


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    passages = tmp_path / "passages"
    passages.mkdir()
    (passages / "one.jsonl").write_text('{"id": "p1", "text": "Adding apples to pears."}\n')
    (tmp_path / "corpus.yaml").write_text(SPEC)
    compiled = compile_spec(tmp_path / "corpus.yaml")
    assert compiled.plan is not None, compiled.diagnostics
    write_plan(compiled, tmp_path / "corpus.plan")
    plan = read_plan(tmp_path / "corpus.plan")
    rows = {"keywords": [{"part": "all", "keywords": ["apples"]}]}
    verifier = Verifier.from_program(plan.verifier)
    models = cast(ModelPool, None)
    stop = bool
    emitted: list[Any] = []
    return StageContext(
        "retrieve", plan, Prompts(plan), verifier, models, rows, tmp_path, tmp_path / "store", _into(emitted), stop
    )


def _into(emitted: list[Any]) -> Any:
    return lambda type_, fields: emitted.append((type_, fields))


def ids(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [row["passage"]["id"] for row in rows]


def test_the_passages_of_the_plans_files_are_found(context: StageContext) -> None:
    assert ids(asyncio.run(retrieve.run(context)).rows) == ["p1"]


@pytest.mark.parametrize("name", ["one.jsonl", "two.jsonl"])
def test_a_changed_file_and_one_that_a_pattern_newly_finds_are_refused(context: StageContext, name: str) -> None:
    (context.run_dir / "passages" / name).write_text('{"id": "p2", "text": "Other apples."}\n')
    with pytest.raises(SdrlError, match=name) as refused:
        asyncio.run(retrieve.run(context))
    assert (refused.value.code, refused.value.exit) == ("E605", Exit.STALE)
