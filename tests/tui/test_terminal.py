"""The app in a real pseudo-terminal: it starts, takes keys, leaves the terminal as it was; where it does not start."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sdrl_tui.titlebar import POP

from sdrl.cli.main import main

ROOT = Path(__file__).parents[2]
MOST_S = 60.0
LEAVES_ALTERNATE_SCREEN, ENTERS_ALTERNATE_SCREEN = b"\x1b[?1049l", b"\x1b[?1049h"


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.master = master
        self.seen = b""

    def read_until(self, what: bytes) -> None:
        """Read until something was written; the time it may take is generous, for a busy machine."""
        end = time.monotonic() + MOST_S
        while what not in self.seen and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.5)
            if ready:
                try:
                    self.seen += os.read(self.master, 65_536)
                except OSError:  # the program closed its side
                    break
        assert what in self.seen, self.seen[-2000:]

    def read_while(self, goes_on: Callable[[], bool]) -> None:
        """Read, as a terminal does, while something is so: a program that nobody reads waits with all it does."""
        end = time.monotonic() + MOST_S
        while goes_on() and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                with suppress(OSError):  # the program closed its side
                    self.seen += os.read(self.master, 65_536)
        assert not goes_on(), self.seen[-2000:]

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)


@contextmanager
def started(words: list[str], cwd: Path, *, size: tuple[int, int] = (80, 24), **environ: str) -> Iterator[Terminal]:
    """Run in a pseudo-terminal of so many columns and lines; the program is ended at last."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": f"{ROOT}:{ROOT / 'tui'}", **environ}
    process = subprocess.Popen(words, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_it_starts_takes_keys_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"my task\r")
        terminal.read_until(b"What is the task?")
        terminal.type(b"\x13")  # ctrl+s
        terminal.read_until(b"saved mine.yaml")
        terminal.type(b"\x11")  # ctrl+q
        terminal.read_until(LEAVES_ALTERNATE_SCREEN)
        terminal.read_until(b"mine.yaml: saved")
        assert terminal.process.wait(MOST_S) == 0
    assert (tmp_path / "mine.yaml").read_text() == "sdrl: 1\nname: my-task\n"


def test_what_was_typed_survives_a_kill(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"my task\r")
        terminal.read_until(b"What is the task?")
        terminal.process.send_signal(signal.SIGKILL)
        terminal.process.wait()
    assert not (tmp_path / "mine.yaml").exists()
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What is the task?")
        terminal.type(b"\x13")
        terminal.read_until(b"saved mine.yaml")
    assert "name: my-task" in (tmp_path / "mine.yaml").read_text()


def test_without_a_terminal_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tui"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_the_command_finds_the_app_through_its_entry_point() -> None:
    import tomllib
    from importlib import import_module

    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["sdrl.apps"]["tui"]
    module, _, function = named.partition(":")
    assert callable(getattr(import_module(module), function))


def test_a_polite_end_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"sums\r")
        terminal.read_until(b"What is the task?")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.read_until(LEAVES_ALTERNATE_SCREEN)
        terminal.read_until(b"not saved, but kept: sdrl tui mine.yaml goes on with it")
        assert terminal.process.wait(MOST_S) == 0


def test_it_can_be_put_aside_and_taken_up_again(tmp_path: Path) -> None:
    """As ctrl+z and fg of a shell do, which send these signals; the key itself is undo here."""
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.read_until(LEAVES_ALTERNATE_SCREEN)
        end = time.monotonic() + MOST_S
        while state_of(terminal.process.pid) != "T":
            assert time.monotonic() < end
        terminal.seen = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.read_until(ENTERS_ALTERNATE_SCREEN)
        terminal.type(b"my task\r")
        terminal.read_until(b"What is the task?")


def state_of(pid: int) -> str:
    """R, S, T (stopped) and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_bug_of_ours_leaves_the_terminal_as_it_was_and_the_text_in_the_journal(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from sdrl_tui import app
def broken(self):
    if any(turn.text == "my task" for turn in self.state.turns):
        raise ZeroDivisionError("made so for the test")
app.SdrlApp._look_around = broken
raise SystemExit(app.main(Path("mine.yaml")))
"""
    with started([sys.executable, "-c", code], tmp_path) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.type(b"my task\r")
        terminal.read_until(LEAVES_ALTERNATE_SCREEN)
        terminal.read_until(b"made so for the test")
        terminal.read_until(POP.encode())  # the title that was there before
        assert terminal.process.wait(MOST_S) == 1
    assert "my task" in (tmp_path / ".sdrl" / "authoring" / "mine.yaml.journal").read_text()


def test_with_sixteen_colours_no_others_are_written(tmp_path: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path, TERM="xterm", COLORTERM="") as terminal:
        terminal.read_until(b"What shall the spec be called?")
        assert b"\x1b[" in terminal.seen
        assert not re.search(rb"[34]8;[25];", terminal.seen)


def test_what_is_drawn_goes_to_no_file(tmp_path: Path) -> None:
    words = "exec python -m sdrl tui mine.yaml 2> said".replace("python", sys.executable)
    with started(["sh", "-c", words], tmp_path) as terminal:
        terminal.read_while(lambda: terminal.process.poll() is None)
        assert terminal.process.returncode == 2
    said = (tmp_path / "said").read_text()
    assert "needs a terminal" in said and "\x1b[" not in said


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}], ids=["dumb", "no UTF-8"])
def test_a_terminal_that_cannot_show_it_is_refused_in_two_lines(tmp_path: Path, environ: dict[str, str]) -> None:
    with started([sys.executable, "-m", "sdrl", "tui", "mine.yaml"], tmp_path, **environ) as terminal:
        terminal.read_until(b"help: ")
        assert terminal.process.wait(MOST_S) == 2
        assert b"Traceback" not in terminal.seen
        assert b"\x1b[?1049h" not in terminal.seen
