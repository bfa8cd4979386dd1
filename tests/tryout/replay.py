"""``python -m tests.tryout.replay [--write] [--only WORDS]``: a newcomer's mistakes, each made anew.

``mistakes.yaml`` holds the project, the mistakes and the command typed after each; this makes them in a fresh folder,
in this process, and gives what a terminal of 80 columns would show. Reads no key of the machine and asks no network.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import yaml

from sdrl.cli.main import main as sdrl

HERE = Path(__file__).parent
MESSAGES = HERE / "messages.txt"
SHELL = {"COLUMNS": "80", "NO_COLOR": "1", "HF_HUB_OFFLINE": "1"}
# what 'run SPEC' says before it runs: the plan's own figures, which other tests hold
_AGREED_TO = re.compile(r"^plan [\w-]+\n  hash .*?^sdrl plan shows all of it\.\n", re.M | re.S)
_HASH = re.compile(r"(plan )[0-9a-f]{12}")  # moves with every version of the compiler
UNSET = ("FORCE_COLOR", "OPENAI_API_KEY")


@dataclass(frozen=True)
class Mistake:
    """One mistake: what is written or changed, and the commands typed; the last one's message is the one judged."""

    mistake: str
    command: str
    edit: dict[str, str] = field(default_factory=dict)
    write: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    file: str = ""

    @property
    def edited(self) -> str:
        """The file that ``edit`` changes: what the command names, unless it says otherwise."""
        return self.file or next(word for word in shlex.split(self.command) if word.endswith(".yaml"))


def read_mistakes() -> tuple[dict[str, str], list[Mistake]]:
    """The project's files by name, and the mistakes in their order."""
    data = yaml.safe_load((HERE / "mistakes.yaml").read_text(encoding="utf-8"))
    return data["project"], [Mistake(**each) for each in data["mistakes"]]


def replay(project: dict[str, str], mistake: Mistake) -> str:
    """What the terminal shows after the mistake, with the exit code; the folder is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in {**project, **mistake.write}.items():
            _write(Path(name), text)
        for command in mistake.before:
            _typed(command)
        if mistake.edit:
            path = Path(mistake.edited)
            text = path.read_bytes().decode()
            for old, new in mistake.edit.items():
                if old not in text:
                    raise ValueError(f"{mistake.mistake}: {mistake.edited} has no {old!r}")
                text = text.replace(old, new, 1)
            _write(path, text)
        shown, code = _typed(mistake.command)
        shown = _AGREED_TO.sub("", shown)
        shown = _HASH.sub(r"\1HASH", shown.replace(folder, "."))
        return f"== {mistake.mistake}\n$ sdrl {mistake.command}\n{shown}[{code}]\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def _typed(command: str) -> tuple[str, int]:
    """Both streams of a command in their order, and its exit code."""
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with _shell(), contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        code = sdrl(shlex.split(command))
    return shown.buffer.getvalue().decode(), code  # type: ignore[attr-defined]


@contextlib.contextmanager
def _shell() -> Iterator[None]:
    kept = {key: value for key, value in os.environ.items() if key not in UNSET}
    with patch.dict(os.environ, {**kept, **SHELL}, clear=True):
        yield


def main() -> int:
    """Print what is shown, or write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    project, mistakes = read_mistakes()
    shown = [replay(project, each) for each in mistakes if args.only in each.mistake]
    if args.write:
        MESSAGES.write_text("\n".join(shown), encoding="utf-8")
    else:
        sys.stdout.write("\n".join(shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
