"""A new user authors word problems from nothing, starts the run from the app, leaves, comes back, and sees its gain."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
from sdrl_tui.app import SdrlApp
from textual.pilot import Pilot

from sdrl.run.lock import holder_pid
from sdrl.spec.loader import load_spec
from tests.tui.driving import app_on, screen_text, settle, write

SPECS = Path("specs").resolve()
SCRIPT = Path("tests/authoring/scripts/word-problems.script").resolve()
PROBLEMS = 60
MOST_S = 600.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run folder of a project whose passages and problems are there, and whose spec is not."""
    for folder in ("prompts", "passages"):
        copytree(SPECS / folder, tmp_path / folder)
    (tmp_path / "data").mkdir()
    problems = (SPECS / "data" / "word-problems-test.jsonl").read_text().splitlines()[:PROBLEMS]
    (tmp_path / "data" / "word-problems-test.jsonl").write_text("\n".join(problems) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "word-problems"


async def follow(app: SdrlApp, pilot: Pilot[None], is_there: Callable[[str], bool]) -> None:
    """Let the app follow its run until the panel holds what is waited for."""
    until = time.monotonic() + MOST_S
    while not is_there("\n".join(app.state.panels["run"].lines)):
        assert time.monotonic() < until, screen_text(app)
        await pilot.pause(0.2)


@pytest.mark.slow
async def test_a_new_user_ends_at_the_gain_of_a_finished_run(tmp_path: Path, run: Path) -> None:
    first = app_on(tmp_path)
    try:
        async with first.run_test(size=(80, 24)) as pilot:
            await write(first, pilot, *SCRIPT.read_text().splitlines())
            assert not first.state.issues
            await pilot.press("ctrl+s", "ctrl+g")
            await settle(first, pilot)
            assert "a new run in runs/word-problems" in screen_text(first)
            assert not run.exists()
            await pilot.press("ctrl+g")
            await follow(first, pilot, lambda text: "✓ generate" in text)
            assert "under way" in screen_text(first)
            await pilot.press("ctrl+q")
        assert holder_pid(run / "lock")  # the app is gone, the run is not

        again = app_on(tmp_path)
        async with again.run_test(size=(80, 24)) as pilot:
            await write(again, pilot, "/run")
            await follow(again, pilot, lambda text: "done (exit 0)" in text)
            await settle(again, pilot)
            shown = screen_text(again)
    finally:
        if pid := holder_pid(run / "lock"):
            os.kill(pid, signal.SIGKILL)
    (found,) = json.loads((run / "result.json").read_text())["evaluations"]
    low, high = found["interval"]
    accuracy = f"{100 * found['base']['accuracy']:5.1f} % → {100 * found['trained']['accuracy']:5.1f} %"
    assert f"test       {accuracy}  {100 * found['gain']:+.1f} points" in shown
    assert f"({100 * low:+.1f} to {100 * high:+.1f}), {PROBLEMS} problems" in shown
    assert load_spec(tmp_path / "task.yaml").require().name == "word-problems"
