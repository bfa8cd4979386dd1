"""The executor at its edges: signals while it closes, a plan half copied, viewers and the lock, torn lines."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sdrl.cli.main import main
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.artifacts import Artifacts
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.run.lock import hold, holder_pid
from sdrl.run.pool import Pool
from sdrl.run.truth import bring_truth
from sdrl.run.versions import is_within
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.context import StageContext, StageOutput

SPEC = """\
sdrl: 1
name: edges
task: {description: Add., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
models:
  instructor: {model: scripted-instructor, endpoint: embedded}
  base: {model: toy-base, serve: embedded}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    spec = tmp_path / "edges.yaml"
    spec.write_text(SPEC)
    compiled = compile_spec(spec)
    assert compiled.plan is not None, compiled.diagnostics
    write_plan(compiled, tmp_path / "edges.plan")
    return read_plan(tmp_path / "edges.plan")


def until_keywords(plan: Plan, root: Path) -> int:
    """Without a corpus this stage asks nobody, so nothing is started."""
    return int(execute(plan, RunFolder(root), root.parent / "store", RunOptions(until="keywords")).exit)


def test_signals_while_the_models_are_being_closed_do_not_tear_the_ending(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    async def close(self: Pool) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        for _ in range(5):
            await asyncio.sleep(0)
        closed.append(self)

    monkeypatch.setattr(Pool, "close", close)
    assert until_keywords(plan, tmp_path / "run") == Exit.OK
    assert len(closed) == 1
    assert json.loads((tmp_path / "run/result.json").read_text())["status"] == "done"


def test_a_stop_that_training_did_not_see_in_time_holds_after_it(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    async def run(ctx: StageContext) -> StageOutput:
        ran.append(ctx.stage)
        if ctx.stage == "train":
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
            assert ctx.should_stop()
        return StageOutput([])

    monkeypatch.setattr("sdrl.run.executor.import_module", lambda name: SimpleNamespace(run=run))
    folder, store = RunFolder(tmp_path / "run"), tmp_path / "store"
    ending = execute(plan, folder, store, RunOptions())
    assert (ending.status, ending.exit, ran[-1]) == ("stopped", Exit.STOPPED, "train")
    assert json.loads(folder.result.read_text())["exit"] == Exit.STOPPED
    assert execute(plan, folder, store, RunOptions()).status == "done"
    assert ran[-2:] == ["train", "evaluate"]


def test_a_copy_of_the_plan_that_was_cut_short_is_made_again(plan: Plan, tmp_path: Path) -> None:
    left = tmp_path / "run/.plan.partial/prompts"
    left.mkdir(parents=True)
    (left / "generate.jinja").write_text("half a templ")
    assert until_keywords(plan, tmp_path / "run") == Exit.OK
    held = read_plan(tmp_path / "run/plan")
    assert (held.hash, held.base_dir) == (plan.hash, plan.base_dir)
    assert not left.parent.exists()


def test_a_folder_called_plan_that_is_somebody_elses_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    own = tmp_path / "run/plan/notes.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    with pytest.raises(SdrlError, match="other things than a plan"):
        until_keywords(plan, tmp_path / "run")
    assert own.read_text() == "mine"


@pytest.mark.parametrize("name", ["plan.json", "verifier.json"])
def test_a_damaged_copy_of_the_plan_is_made_again_from_the_plan_itself(plan: Plan, tmp_path: Path, name: str) -> None:
    assert until_keywords(plan, tmp_path / "run") == Exit.OK
    (tmp_path / "run/plan" / name).write_bytes(b"\0" * 100)
    assert until_keywords(plan, tmp_path / "run") == Exit.OK
    assert read_plan(tmp_path / "run/plan").hash == plan.hash


def test_a_damaged_copy_of_some_other_plan_is_refused_and_kept(plan: Plan, tmp_path: Path) -> None:
    assert until_keywords(plan, tmp_path / "run") == Exit.OK
    (tmp_path / "run/plan/plan.json").write_bytes(b"{")
    (tmp_path / "run/events.jsonl").unlink()  # nothing says which plan it was
    with pytest.raises(SdrlError, match="E602") as refused:
        until_keywords(plan, tmp_path / "run")
    assert refused.value.exit == Exit.STALE
    assert "remove" in (refused.value.help or "")


def test_a_viewer_that_looks_at_the_lock_is_no_writer_to_another_viewer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path):
        assert holder_pid(path) == os.getpid()
    with path.open("r+") as viewer:
        fcntl.flock(viewer, fcntl.LOCK_SH)
        assert holder_pid(path) is None


def test_a_torn_line_among_the_truths_is_passed_over(tmp_path: Path) -> None:
    folder, store = RunFolder(tmp_path / "run"), tmp_path / "store"
    folder.create()
    artifacts = Artifacts(folder, store)
    artifacts.write("vote", "h", [{"input": "x"}], [], came_in=1, seconds=0, notes={}, versions={})
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    store.mkdir()
    (store / "truth.jsonl").write_text(f'{{"input_sha\n[]\n{{"input_sha256": "{digest}", "gold": "1"}}\n')
    bring_truth(artifacts, folder, store)
    assert json.loads(folder.truth.read_text())["gold"] == "1"


@pytest.mark.parametrize("budget", ["requests=1.5", "tokens=²", "usd=.", "usd=-1", "hours=2"])
def test_a_budget_that_cannot_be_read_is_wrong_usage(budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nowhere", "--budget", budget]) == Exit.USAGE
    assert budget in capsys.readouterr().err


@pytest.mark.parametrize(
    ("installed", "wanted", "holds"),
    [
        ("1.16.0", ">=1.16,<1.17", True),
        ("1.16.4", ">=1.16,<1.17", True),
        ("1.17.0", ">=1.16,<1.17", False),
        ("2.13.0+cpu", ">=2.9", True),
        ("5.0.0rc1", ">=5,<6", True),
        ("10.0", ">=5,<6", False),
    ],
)
def test_a_release_is_in_its_range_or_not(installed: str, wanted: str, holds: bool) -> None:
    assert is_within(installed, wanted) is holds


def test_a_library_outside_the_plans_range_is_refused_before_anything_is_written(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match="E606") as refused:
        until_keywords(replace(plan, requires={"pydantic": "<1"}), tmp_path / "run")
    assert refused.value.exit == Exit.STALE
    assert not (tmp_path / "run").exists()
