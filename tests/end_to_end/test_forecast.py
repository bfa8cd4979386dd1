"""What ``plan`` says a run will use, beside what it used, on the models that ship with sdrl.

A label task: other words, other counts and other seeds than the demo and than the runs from which the usual values were
taken. ``python -m tests.bench.forecast RUN`` does the same for a whole run.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.locate import specs_dir

SPEC = """\
sdrl: 1
name: compare
task:
  description: Everyday arithmetic. Follow the story of a count, line by line, then compare what is left.
  output_format: "Show each step. Then write more, fewer or equal inside <verdict> and </verdict>."
  license: CC0-1.0
answer: {{type: label, extract: {{tag: verdict}}, options: [more, fewer, equal]}}
demos:
  - {{input: "A shelf holds 9 jars. 4 are sold. Is the final number of jars more than, fewer than or equal to 5?",
      output: "9-4=5\\n<verdict>equal</verdict>"}}
corpus: [{{files: ["{passages}"], license: CC0-1.0}}]
synthesize: {{samples: 160, sampling: {{temperature: 0.7, max_tokens: 400}}}}
vote: {{draws: 6, sampling: {{temperature: 0.7, max_tokens: 200}}}}
score: {{draws: 2, sampling: {{temperature: 0.7, max_tokens: 60}}}}
probe: {{min_parsable: 0}}
models:
  instructor: {{model: scripted-instructor, endpoint: embedded, price: {{input: 2.5, output: 10}}}}
  base: {{model: toy-base, serve: embedded, prompt: raw}}
seed: {seed}
"""
FIGURES = ("requests", "draws", "prompt_tokens", "completion_tokens", "microusd")
Loads = dict[str, dict[str, int]]


def used_by(store: Path) -> Loads:
    """What each stage used, from the calls in the request cache."""
    with sqlite3.connect(store / "requests.sqlite") as cache:
        rows = cache.execute(
            "SELECT stage, count(*), sum(n), sum(prompt_tokens), sum(completion_tokens), sum(microusd) FROM calls "
            "GROUP BY stage"
        ).fetchall()
    return {stage: dict(zip(FIGURES, figures, strict=True)) for stage, *figures in rows}


def run(folder: Path, seed: int, until: str) -> tuple[dict[str, Any], Loads]:
    spec = folder / "compare.yaml"
    spec.write_text(SPEC.format(passages=specs_dir() / "passages" / "everyday.jsonl", seed=seed))
    compiled = compile_spec(spec)
    assert compiled.plan is not None, compiled.diagnostics
    write_plan(compiled, folder / "compare.plan")
    plan = read_plan(folder / "compare.plan")
    ending = execute(plan, RunFolder(folder / "run"), folder / "store", RunOptions(until=until))
    assert ending.status == "done", ending.message
    return plan.estimate, used_by(folder / "store")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Loads]]:
    """One run to its scores and two to their votes: refills come in waves, so that one run's are a matter of luck."""
    chosen = ((11, "score"), (12, "vote"), (13, "vote"))
    return [run(tmp_path_factory.mktemp(f"seed-{seed}"), seed, until) for seed, until in chosen]


@pytest.fixture(scope="module")
def forecast(runs: list[tuple[dict[str, Any], Loads]]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The estimate, and what the stages used: the mean of the runs that came so far."""
    used: dict[str, dict[str, float]] = {}
    for stage in runs[0][1]:
        loads = [loads[stage] for _, loads in runs if stage in loads]
        used[stage] = {figure: sum(load[figure] for load in loads) / len(loads) for figure in FIGURES}
    return runs[0][0], used


def test_the_expected_figures_of_every_stage_are_near_what_was_used(
    forecast: tuple[dict[str, Any], dict[str, dict[str, float]]],
) -> None:
    estimate, used = forecast
    assert set(used) == {"keywords", "pattern", "generate", "vote", "probe", "adapt", "score"}
    for entry in estimate["stages"]:
        for figure, value in used.get(entry["stage"], {}).items():
            assert entry["expected"][figure] == pytest.approx(value, rel=0.15), (entry["stage"], figure)


def test_the_expected_totals_are_near_what_was_used(
    forecast: tuple[dict[str, Any], dict[str, dict[str, float]]],
) -> None:
    estimate, used = forecast
    asked = {entry["stage"]: entry["asks"] for entry in estimate["stages"]}
    for role in ("instructor", "base"):
        for figure in FIGURES:
            total = sum(load[figure] for stage, load in used.items() if asked[stage] == role)
            assert estimate[role]["expected"][figure] == pytest.approx(total, rel=0.15), (role, figure)


def test_no_stage_uses_more_than_its_worst_case(runs: list[tuple[dict[str, Any], Loads]]) -> None:
    for estimate, used in runs:
        for entry in estimate["stages"]:
            for figure, value in used.get(entry["stage"], {}).items():
                assert value <= entry["worst"][figure], (entry["stage"], figure)
