"""The terminal's title and bell: in a real pseudo-terminal, and what of a state the title says."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from sdrl_tui import titlebar
from sdrl_tui.titlebar import POP, PUSH, title_of

from sdrl.authoring.events import Acted
from sdrl.authoring.state import State, digest
from sdrl.run.lock import hold
from tests.tui.driving import app_on, settle, write
from tests.tui.test_terminal import MOST_S, Terminal, started

BLUR, FOCUS = b"\x1b[O", b"\x1b[I"
CTRL_Q, CTRL_S = b"\x11", b"\x13"
# an assistant that answers as soon as nobody looks at the terminal
AWAY = """
import asyncio
from pathlib import Path
from sdrl.models.assistant import Reply
from sdrl_tui import app
async def fake(where, messages, said):
    while made.app_focus:
        await asyncio.sleep(0.01)
    return Reply("So it is.", (), "")
made = app.SdrlApp(Path("mine.yaml"), fake)
made.run()
"""


def title(text: str) -> bytes:
    return f"\x1b]0;{text}\x07".encode()


def titles(terminal: Terminal) -> list[str]:
    return [each.decode() for each in re.findall(rb"\x1b\]0;([^\x07]*)\x07", terminal.seen)]


def test_the_title_says_the_spec_and_whether_it_is_saved_and_the_old_one_comes_back(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"my task\r")
        terminal.read_until(title("● mine.yaml - sdrl"))
        terminal.read_until(b"What is the task?")
        terminal.type(CTRL_S)
        terminal.read_until(b"saved mine.yaml")
        terminal.type(CTRL_Q)
        terminal.read_until(POP.encode())
        assert terminal.process.wait(MOST_S) == 0
        assert titles(terminal) == ["mine.yaml - sdrl", "● mine.yaml - sdrl", "mine.yaml - sdrl"]
        seen = terminal.seen
        assert (seen.count(PUSH.encode()), seen.count(POP.encode())) == (1, 1)
        assert seen.index(PUSH.encode()) < seen.index(b"\x1b]0;")
        assert seen.rindex(b"\x1b]0;") < seen.index(POP.encode())


def test_an_answer_that_comes_while_nobody_looks_rings_and_stands_in_the_title_until_somebody_does(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.yaml").write_text("sdrl: 1\nname: mine\n")
    with started([sys.executable, "-c", AWAY], tmp_path) as terminal:
        terminal.read_until(b"/interview")
        terminal.type(b"/model fake http://127.0.0.1:9/v1\r")
        terminal.read_until(b"answers from now on")
        terminal.type(b"tell me\r")
        terminal.read_until(b"answering")
        terminal.seen = b""
        terminal.type(BLUR)
        terminal.read_until(b"\x07" + title("✓ answer · mine.yaml - sdrl"))
        terminal.seen = b""
        terminal.type(FOCUS)
        terminal.read_until(title("mine.yaml - sdrl"))
        assert terminal.seen.count(b"\x07") == 1  # the one that ends the title


def test_after_an_editor_the_title_is_the_spec_s_again(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("sdrl: 1\nname: mine\n")
    editor = tmp_path / "editor.py"
    editor.write_text("print('\\033]0;an editor\\007')\n")
    words, environ = [sys.executable, "-m", "sdrl_tui", "mine.yaml"], {"EDITOR": f"{sys.executable} {editor}"}
    with started(words, tmp_path, VISUAL="", **environ) as terminal:
        terminal.read_until(b"/interview")
        terminal.seen = b""
        terminal.type(b"\x1bOS")  # f4
        terminal.read_until(title("mine.yaml - sdrl"))
        assert titles(terminal) == ["an editor", "mine.yaml - sdrl"]
        assert PUSH.encode() not in terminal.seen  # the one from before is kept already


def test_a_terminal_without_a_title_is_sent_none(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path, TERM="dumb") as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"my task\r")
        terminal.read_until(b"What is the task?")
        assert b"\x1b]0;" not in terminal.seen and PUSH.encode() not in terminal.seen


async def test_the_end_of_a_run_is_told_of_though_another_panel_is_in_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, written = tmp_path / "runs" / "sums", list[str]()
    run.mkdir(parents=True)
    log = run / "events.jsonl"
    about = {"v": 1, "time": "2026-11-25T10:00:00.000+00:00"}
    began = {"type": "run_started", "plan_hash": "ab" * 32, "name": "sums", "stages": ["keywords"], "pid": 1}
    log.write_text(json.dumps({**about, "seq": 0, **began}) + "\n")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(titlebar, "writer", lambda app: written.append)
    app = app_on(tmp_path, "sdrl: 1\nname: a\n", keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        ended = {"type": "run_finished", "status": "done", "exit": 0, "message": ""}
        with hold(run / "lock"):
            await write(app, pilot, f"/run {run}")
            await pilot.press("f2")
            await settle(app, pilot)
            with log.open("a") as file:
                file.write(json.dumps({**about, "seq": 1, **ended}) + "\n")
        app._follow_run()
        await settle(app, pilot)
        assert titlebar.BELL not in written  # whoever looks sees it
        app.app_focus = False
        app._follow_run()  # as its timer does
        await settle(app, pilot)
        assert titlebar.BELL in written
        assert written[-1] == "\x1b]0;✓ run done · task.yaml - sdrl\x07"
        app.app_focus = True
        assert written[-1] == "\x1b]0;task.yaml - sdrl\x07"


async def test_without_a_terminal_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_on(tmp_path, "sdrl: 1\nname: a\n", keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        app.app_focus = False
        app.dispatch(Acted("set", "seed 3"))
        await settle(app, pilot)
        assert not any("\x1b]" in each or "\x07" in each for each in written)


def test_a_name_cannot_write_to_the_terminal() -> None:
    saved = State("a\x07\x1b]52;c;aGk=\x07\u202e\nb.yaml", "sdrl: 1\nname: a\n", saved="", is_opened=True)
    shown = title_of(saved, "✓ run done")
    assert shown.isprintable() and shown.startswith("✓ run done · ● a")
    assert len(title_of(State("x" * 500 + ".yaml"))) < 100
    assert title_of(State("d/a.yaml", "name: a", saved=digest("name: a"), is_opened=True)) == "a.yaml - sdrl"
