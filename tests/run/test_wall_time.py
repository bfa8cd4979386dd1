"""``budget.wall_hours``: what counts, how it ends a run, and how a run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.compiler.plan import Plan
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.run.wall_time import seconds_of
from sdrl.spec.diagnostics import Exit
from sdrl.stages.context import StageContext, StageOutput
from tests.run.test_executor import plan  # noqa: F401 - a fixture

LONG_AGO = (
    ("run_started", "2026-01-01T00:00:00.000+00:00"),
    ("progress", "2026-01-01T01:30:00.000+00:00"),  # killed here
    ("run_started", "2026-01-02T00:00:00.000+00:00"),
    ("run_finished", "2026-01-02T00:30:00.000+00:00"),
)


def with_past(folder: RunFolder) -> None:
    folder.create()
    lines = [{"v": 1, "seq": at, "time": time, "type": type_} for at, (type_, time) in enumerate(LONG_AGO)]
    folder.events.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_all_processes_count_and_the_time_between_them_does_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with_past(folder)
    assert seconds_of(folder.events) == 2 * 3600
    assert seconds_of(tmp_path / "none.jsonl") == 0


def test_a_run_that_used_its_hours_begins_no_stage_until_it_is_given_more(
    plan: Plan,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "run")
    with_past(folder)

    def until_keywords(hours: str) -> tuple[str, Exit]:
        ending = execute(plan, folder, tmp_path / "store", RunOptions("keywords", {"wall_hours": hours}))
        return (ending.error.code if ending.error else ending.status), ending.exit

    assert until_keywords("2") == ("E704", Exit.BUDGET)
    assert until_keywords("2.5") == ("done", Exit.OK)
    assert until_keywords("2") == ("done", Exit.OK)  # nothing is left to be done


def test_training_saves_a_checkpoint_and_the_run_says_that_its_time_is_up(
    plan: Plan,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fake_keywords(ctx: StageContext) -> StageOutput:
        import asyncio

        from sdrl.spec.diagnostics import SdrlError

        while not ctx.should_stop():
            await asyncio.sleep(0.01)
        raise SdrlError("E873", "training was stopped", exit=Exit.STOPPED)

    monkeypatch.setattr("sdrl.stages.keywords.run", fake_keywords)
    options = RunOptions("keywords", {"wall_hours": "0.00005"})
    monkeypatch.setattr("sdrl.run.executor.COMING_IN_S", 0.05)
    ending = execute(plan, RunFolder(tmp_path / "run"), tmp_path / "store", options)
    assert (ending.status, ending.exit) == ("budget", Exit.BUDGET)
    assert "--budget wall_hours=N" in (ending.error.help or "" if ending.error else "")


@pytest.mark.parametrize("word", ["wall_hours=", "wall_hours=x", "hours=2", "wall_hours=-1"])
def test_a_wrong_budget_is_wrong_usage(word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path), "--budget", word]) == int(Exit.USAGE)
    assert "wall_hours= and hours" in capsys.readouterr().err
