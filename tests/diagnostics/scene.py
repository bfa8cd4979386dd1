"""Scenes: how a user comes to read a diagnostic code, played on a stage of files and fakes through the real code.

A scene is a function with ``@scene("E601")``; it sets up a folder and makes sdrl say the code, by the command line
where that is cheap, else by calling what raises it. What was said is kept in ``golden/CODE.txt``, without how far a run
came and what changes from run to run (folders, ports, process ids, seconds, hashes).
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from sdrl.cli.run import STAGES

GOLDEN = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[2]

_VOLATILE = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,64}\b"), "HASH"),
    (re.compile(r"\bin \d+(?:\.\d+)? s\b"), "in N s"),
    (re.compile(r"\bfor \d+ s \(\d+ calls\)"), "for N s (N calls)"),
    (re.compile(rf"^(?:run \w+  plan|{'|'.join(STAGES)}) .*\n|^ +\w+ server is up.*\n", re.M), ""),  # progress
    (re.compile(r"^plan \w+\n  hash .*?^sdrl plan shows all of it\.\n", re.M | re.S), ""),  # what will be run
    (re.compile(r"\bfor over \d+ s\b"), "for over N s"),
    (re.compile(r"\.\d+\.tmp\b"), ".N.tmp"),
    (re.compile(r"--- \d{4}-\d\d-\d\d .*"), "--- TIME COMMAND"),
)
_ADVICE = re.compile(r"^\S+:\d+:\d+: (W\d{3}) .*\n(?:  .*\n)*", re.M)  # lints on a scene's spec are not its point


@dataclass
class Stage:
    """What a scene has to play with: an empty working folder, and what was said so far."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def write(self, name: str, content: str | bytes) -> Path:
        """A file of the folder, with the folders above it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def sdrl(self, *words: str) -> int:
        """Give a command as a user would; its output becomes part of the golden text."""
        code, output = _in_process(words)
        self.said.append(f"$ sdrl {shlex.join(words)}\n{output}(exit {code})\n")
        return code

    def quietly(self, *words: str) -> int:
        """Give a command that only prepares the scene."""
        return _in_process(words)[0]

    def fails(self, attempt: Callable[[], object]) -> None:
        """Call what raises an ``SdrlError`` and show it as every command shows one."""
        from sdrl.cli.failure import print_error
        from sdrl.spec.diagnostics import SdrlError

        try:
            attempt()
        except SdrlError as error:
            with captured() as output:
                print_error(error)
            self.said.append(output.getvalue())
            return
        raise AssertionError("nothing was raised")

    def shown(self) -> str:
        """All that was said, without what changes from run to run."""
        text = "".join(self.said)
        for known in (str(self.folder), os.path.realpath(self.folder)):
            text = text.replace(f"{known}/", "").replace(known, ".")
        text = text.replace(f"{ROOT}/", "").replace(sys.executable, "python")
        for pattern, instead in _VOLATILE:
            text = pattern.sub(instead, text)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


Play = Callable[[Stage], None]


@dataclass(frozen=True)
class Scene:
    """A code, and how it is earned. ``name`` is the code, or the code and a variant: ``E305_syntax``."""

    name: str
    play: Play

    @property
    def code(self) -> str:
        """The code it earns."""
        return self.name[:4]

    @property
    def golden(self) -> Path:
        """Where its text is kept."""
        return GOLDEN / f"{self.name}.txt"

    def text(self) -> str:
        """Play it in a folder of its own, with no key and no hub in reach; returns what a user reads."""
        quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "COLUMNS": "100", "TERM": "dumb"}
        with tempfile.TemporaryDirectory(prefix="scene-") as folder, contextlib.chdir(folder):
            with mock.patch.dict(os.environ, quiet):
                os.environ.pop("OPENAI_API_KEY", None)
                stage = Stage(Path(folder))
                self.play(stage)
                return _ADVICE.sub(lambda found: found[0] if found[1] == self.code else "", stage.shown())


_SCENES: dict[str, Scene] = {}


def scene(name: str) -> Callable[[Play], Play]:
    """Register the function below as the scene of a code (or of one of its variants)."""

    def register(play: Play) -> Play:
        assert name not in _SCENES, name
        _SCENES[name] = Scene(name, play)
        return play

    return register


def scenes() -> list[Scene]:
    """Every scene, in the order of the codes."""
    import importlib

    for path in sorted(Path(__file__).parent.glob("scenes_*.py")):
        importlib.import_module(f"tests.diagnostics.{path.stem}")
    return [_SCENES[name] for name in sorted(_SCENES)]


def _in_process(words: tuple[str, ...]) -> tuple[int, str]:
    from sdrl.cli.main import main

    with captured() as output:
        code = main(words)
    return code, output.getvalue()


class _Terminal(io.TextIOWrapper):
    """One stream for stdout and stderr, in the order in which they were written."""

    def getvalue(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@contextlib.contextmanager
def captured() -> Iterator[_Terminal]:
    stream = _Terminal(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield stream
