"""``serve: vllm`` in a whole run: probe, score with n = 64, evaluation of base and trained model through it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.vllm.parts import processes_of, sdrl, small_project

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    small_project(folder)
    done = sdrl(folder, "run", "small.yaml", "--run", "run", "--yes")
    assert done.returncode == 0, done.stderr
    return folder


def rows(project: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project / "run/artifacts" / f"{name}.jsonl").read_text().splitlines()]


def events(project: Path, kind: str) -> list[dict[str, Any]]:
    lines = map(json.loads, (project / "run/events.jsonl").read_text().splitlines())
    return [line for line in lines if line.get("event", line.get("type")) == kind or kind in line.values()]


def test_probe_score_and_both_evaluations_went_through_vllm(project: Path) -> None:
    with sqlite3.connect(project / ".sdrl/requests.sqlite") as store:
        asked = store.execute(
            "SELECT role, stage, n, COUNT(*) FROM calls WHERE status = 'ok' GROUP BY 1, 2, 3"
        ).fetchall()
    by_stage = {(role, stage, n): count for role, stage, n, count in asked}
    assert by_stage["base", "probe", 1] == len(rows(project, "probe"))
    assert by_stage["base", "score", 64] >= 24
    assert by_stage["base", "evaluate", 1] == by_stage["trained", "evaluate", 1] == 100
    log = (project / "run/logs/base.log").read_text() + (project / "run/logs/trained.log").read_text()
    assert log.count("vllm.entrypoints.openai.api_server") >= 2
    assert {event["role"] for event in events(project, "server_started")} >= {"base", "trained"}


def test_each_scored_sample_has_64_draws(project: Path) -> None:
    scored = rows(project, "score")
    assert scored
    assert all(row["draws"] == 64 for row in scored)
    assert any(0 < row["correct"] < 64 for row in scored)


def test_the_result_has_both_models_figures(project: Path) -> None:
    result = json.loads((project / "run/result.json").read_text())
    assert result["status"] == "done"
    test = next(item for item in result["evaluations"] if item["name"] == "test")
    assert test["n_problems"] == 80
    assert 0.2 < test["base"]["accuracy"] < 0.8


def test_nothing_is_left_running(project: Path) -> None:
    assert processes_of(project) == []


def test_a_finished_run_is_taken_up_without_a_server(project: Path) -> None:
    before = (project / "run/logs/base.log").read_bytes()
    again = sdrl(project, "run", "small.yaml", "--run", "run", "--yes")
    assert again.returncode == 0, again.stderr
    assert (project / "run/logs/base.log").read_bytes() == before
