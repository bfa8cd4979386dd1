"""Runs ``sdrl`` many times at the price of one start: a process that has imported everything and forks for each run.

``python -m tests.faults.zygote`` reads a JSON object a line on stdin and answers with one a line. ``Zygote`` is the
side of the test. Each run is a process of its own that may be killed without hurting the next.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.faults.points import ORDINARY, Kind, Points, When, install
from tests.faults.project import ROOT, environment

HEAVY = (
    *("openai", "httpx2", "aiohttp", "tantivy", "jinja2", "rapidfuzz", "sdrl.run.executor", "sdrl.cli.run"),
    *("sdrl.cli.progress", "sdrl.cli.failure", "sdrl.compiler.compile", "sdrl.spec.render", "tests.faults.driver"),
    *(f"sdrl.stages.{name}" for name in ("keywords", "retrieve", "pattern", "generate", "vote", "probe", "adapt")),
    *("sdrl.stages.score", "sdrl.stages.select", "sdrl.corpus", "openai.resources.chat", "sdrl.cli.plan"),
)


@dataclass(frozen=True)
class Ended:
    """How one run ended: exit code (negative: the signal), what it said, and the points it met."""

    code: int
    said: str
    met: tuple[str, ...]
    who: str


class Zygote:
    """A warm process; ``run`` blocks. One run at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.zygote"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes)  # type: ignore[call-overload]
        self._pipe(None)

    def run(
        self, folder: Path, *words: str, at: int = 0, when: When = "before", kinds: Sequence[Kind] = ORDINARY
    ) -> Ended:
        """``sdrl WORDS`` in ``folder``, ended at the given point (0: not at all)."""
        (folder / "met.txt").unlink(missing_ok=True)
        who = uuid.uuid4().hex
        asked = {"folder": str(folder), "words": words, "at": at, "when": when, "kinds": list(kinds), "who": who}
        answer = self._pipe(asked)
        said = (folder / "said.txt").read_text()
        met = (folder / "met.txt").read_text().splitlines() if (folder / "met.txt").exists() else []
        assert "Traceback" not in said, said
        return Ended(answer["code"], said, tuple(met), who)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(600)
        self._process.stdout.close()

    def _pipe(self, asked: dict[str, Any] | None) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        if asked is not None:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _child(asked: dict[str, Any]) -> int:
    os.chdir(asked["folder"])
    said = os.open("said.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    points = Points(asked["at"], asked["when"], tuple(asked["kinds"]))
    install(points)
    from tests.faults.driver import WHO_VARIABLE, run

    os.environ[WHO_VARIABLE] = asked["who"]
    code = run(asked["words"])
    sys.stdout.flush()
    sys.stderr.flush()
    Path("met.txt").write_text("".join(f"{met}\n" for met in points.met))
    return code


def main() -> None:
    """Import, then fork for each line."""
    for name in HEAVY:
        import_module(name)
    gc.freeze()  # what all children share stays shared
    out = os.fdopen(os.dup(1), "w")
    out.write('{"code": 0}\n')
    out.flush()
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            try:
                code = _child(json.loads(line))
            except BaseException as error:
                os.write(2, f"zygote: {error!r}\n".encode())
                code = 99
            os._exit(code)
        _, status = os.waitpid(child, 0)
        out.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
