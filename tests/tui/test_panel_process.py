"""Panels made in a process of their own: the same panels, ended at their limit, begun anew, and gone with the app."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sdrl_tui.panel_process import InProcess, InThread

from sdrl.authoring.effects import Estimate, Show
from sdrl.authoring.events import Event, Refused, Shown
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.panel_screens import PASSAGES, SPEC

ROOT = Path(__file__).parents[2]
MOST_S = 60.0
LOOPS = "import re; re.match('(a+)+$', 'a' * 60 + 'b')"  # for ages, and lets no other thread run
WORKER = """
import json, pathlib, sys, time
sys.path[:] = json.loads(sys.argv[1])
from sdrl.authoring import panels, panel_worker
def loop(asked):
    pathlib.Path("looping").write_text("")
    {loops}
def wait(asked):
    pathlib.Path("waiting").write_text("")
    while not pathlib.Path("go").exists():
        time.sleep(0.01)
    return panels.Content("waited", ["and went on"])
panels._MAKERS = {{**panels._MAKERS, "verify": loop, "plan": wait}}
panel_worker.main(int(sys.argv[2]))
"""


def worker(loops: str = LOOPS) -> list[str]:
    """A worker whose verifier loops and whose plan waits for a file, both made so for the test."""
    return [sys.executable, "-c", WORKER.format(loops=loops), json.dumps(sys.path), str(os.getpid())]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in PASSAGES))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(panel: str, argument: str = "") -> Show:
    return Show(panel, 3, "task.yaml", SPEC, argument)


def is_gone(pid: int) -> bool:
    """Whether a process ended; one that nobody has waited for yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + MOST_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


async def until_so(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + MOST_S
    while not is_so():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def limits(**panels: float) -> Mapping[str, float]:
    return dict.fromkeys(("verify", "plan", "retrieve", "prompt", "run", "review", "estimate"), MOST_S) | panels


async def test_every_panel_is_the_one_that_a_thread_makes(folder: Path) -> None:
    process, thread = InProcess(limits()), InThread()
    effects = [
        asked("plan"), asked("prompt", "generate"), asked("verify", "so #### 2 => 2"), asked("retrieve", "sheep"),
        asked("run"), asked("run", "a run that is\udcff not there"), Estimate(3, "task.yaml", SPEC),
        Estimate(3, "task.yaml", "sdrl: 1\n"),
    ]  # fmt: skip
    try:
        for effect in effects:
            assert await process.make(effect) == await thread.make(effect)
    finally:
        await process.close()


async def test_what_loops_is_ended_at_its_limit_and_what_else_was_under_way_is_asked_again(folder: Path) -> None:
    process = InProcess(limits(verify=0.2), worker())
    try:
        waiting = asyncio.create_task(process.make(asked("plan")))
        await until_so(lambda: process.pid is not None)
        first = process.pid
        ended = await process.make(asked("verify", "x => y"))
        assert isinstance(ended, Shown)
        assert (ended.title, ended.lines[0]) == ("ended", "it took more than 0.2 s and was ended")
        (folder / "go").write_text("")
        went_on = await waiting
        assert isinstance(went_on, Shown) and went_on.lines == ("and went on",)
        assert first is not None and is_gone(first)
        assert process.pid not in (None, first)
    finally:
        await process.close()


async def test_a_process_that_ends_again_and_again_is_said_so(folder: Path) -> None:
    process = InProcess(limits(), worker("import os; os._exit(3)"))
    try:
        event = await process.make(asked("verify"))
        assert isinstance(event, Shown)
        assert event.lines == ("the process that makes it is not there: it ended with exit 3", "help: try again")
    finally:
        await process.close()
    for words, said in (([sys.executable, "-c", "0"], "nothing at its start"), (["/no/such/program"], "cannot be")):
        nothing = InProcess(limits(), words)
        refused = await nothing.make(Estimate(1, "task.yaml", SPEC))
        assert isinstance(refused, Refused) and said in refused.message
        await nothing.close()


async def test_of_what_is_asked_meanwhile_the_newest_is_made(folder: Path) -> None:
    process = InProcess(limits(), worker())
    try:
        first = asyncio.create_task(process.make(asked("plan")))
        await until_so((folder / "waiting").exists)
        dropped, newest = (asyncio.create_task(process.make(asked("plan"))) for _ in range(2))
        await process.make(asked("run"))  # its answer tells that what was asked before it has arrived
        (folder / "go").write_text("")
        for event in (await first, await newest):
            assert isinstance(event, Shown) and event.title == "waited"
        assert not dropped.done()
        dropped.cancel()
    finally:
        await process.close()


async def test_a_close_ends_it_whatever_it_does_and_a_start_that_is_under_way(folder: Path) -> None:
    process = InProcess(limits(), worker())
    looping = asyncio.create_task(process.make(asked("verify")))
    await until_so((folder / "looping").exists)
    pid = process.pid
    await process.close()
    assert pid is not None
    await until_so(lambda: is_gone(pid))
    looping.cancel()
    starting = asyncio.create_task(process.make(asked("verify")))
    await asyncio.sleep(0)
    starting.cancel()
    await process.close()
    assert process.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="death signals are Linux's")
def test_it_is_gone_with_an_app_that_is_killed_even_in_the_middle_of_a_loop(folder: Path) -> None:
    parent = f"""
import asyncio, os, sys
from sdrl_tui.panel_process import InProcess
from sdrl.authoring.effects import Show
async def main():
    process = InProcess({{}}, sys.argv[1:6] + [str(os.getpid())])
    asked = asyncio.create_task(process.make(Show("verify", 1, "task.yaml", {SPEC!r})))
    while process.pid is None:
        await asyncio.sleep(0.01)
    print(process.pid, flush=True)
    await asked
asyncio.run(main())
"""
    words = [sys.executable, "-c", parent, *worker()[:-1]]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tui'}"}
    with subprocess.Popen(words, env=env, cwd=folder, stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        pid = int(app.stdout.readline())
        until((folder / "looping").exists)
        assert not is_gone(pid)
        app.send_signal(signal.SIGKILL)
        until(lambda: is_gone(pid))


async def test_the_app_starts_it_with_the_first_panel_and_ends_it(folder: Path) -> None:
    making = InProcess(limits())
    app = app_on(folder, SPEC, keeps_journal=False, making=making)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert making.pid is None
        await write(app, pilot, "/retrieve sheep")
        assert "score" in screen_text(app)
        pid = making.pid
        await write(app, pilot, "/verify so #### 2 => 2")
        assert "verdict     correct" in screen_text(app)
        assert making.pid == pid
    assert pid is not None
    until(lambda: is_gone(pid))


async def test_the_app_can_be_left_while_a_panel_loops(folder: Path) -> None:
    making = InProcess(limits(), worker())
    app = app_on(folder, SPEC, keeps_journal=False, making=making)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f5")
        await until_so((folder / "looping").exists)
        pid = making.pid
        await pilot.press("ctrl+q")
        await until_so(lambda: not app.is_running)
    assert pid is not None
    until(lambda: is_gone(pid))


def test_events_come_back_as_they_were() -> None:
    from sdrl.authoring.panel_worker import answering, asking
    from sdrl.authoring.sheet import Mark

    number, kind, given = json.loads(asking(7, asked("run", "\ud800\n")))
    assert (number, kind, Show(**given)) == (7, "Show", asked("run", "\ud800\n"))
    event: Event = Shown("run", 1, "t", ("a", "b"), "k", (Mark(0, 1, 2, "good"),))
    line = json.dumps([3, "Shown", json.loads(json.dumps(event.__dict__))]).encode()
    assert answering(line) == (3, event)
