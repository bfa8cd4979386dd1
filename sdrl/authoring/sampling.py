"""Has a few samples of a spec written and voted on, through the stages and the client that a run uses.

A process of ``sdrl run`` that pauses where the spec asks for a review (``review.samples``), in ``.sdrl/samples/``: the
replies lie in the store's request cache, so nothing is paid twice, by the next trial or by the run itself. What only a
later stage needs (test sets, the base model where it is not at hand) is left out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sdrl.authoring.document import value_at, written
from sdrl.authoring.effects import MakeSamples
from sdrl.authoring.events import Sampled
from sdrl.authoring.launch import refuse_without_key
from sdrl.authoring.plan_panel import compiled_of
from sdrl.authoring.runs import last_words, log_of
from sdrl.authoring.state import Sample
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply

STORE = Path(".sdrl")
_ERROR = re.compile(r"E\d{3}: ")
PAUSED = 6  # the exit of a run whose samples wait for a person


class Sampling:
    """One trial at a time; ``close`` ends the one that is under way."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def make(self, asked: MakeSamples) -> Sampled:
        """Have them written; blocks until they are there.

        Raises:
            SdrlError: the spec is not that far, or the run says why it could not go on.
            OSError: the store cannot be written.
        """
        from sdrl.compiler.compile import write_plan

        compiled = compiled_of(asked.path, _trial(asked.path, asked.text, asked.count))
        plan = compiled.require()
        if plan.settings.models is None:
            raise SdrlError("E846", "the spec names no instructor", help="the panel says how to connect one")
        if plan.pending:
            raise SdrlError("E620", f"not at hand yet: {plan.pending[0]}", help="in a shell: sdrl compile SPEC --pin")
        refuse_without_key(plan)
        run = STORE / "samples" / f"{plan.hash[:12]}-{asked.count}"
        if not (run / "plan").exists():
            run.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_plan(compiled, run / "plan")
        exit_ = self._run(run)
        rows = _rows(run / "artifacts" / "review.jsonl")
        if exit_ != PAUSED or not rows:
            raise why_ended(run, exit_)
        return Sampled(asked.rev, tuple(map(_sample, rows)))

    def _run(self, run: Path) -> int:
        log = log_of(run)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        words = [sys.executable, "-m", "sdrl", "run", str(run / "plan"), "--run", str(run), "--store", str(STORE)]
        with log.open("wb") as said:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        try:
            return self._process.wait()
        finally:
            self._process = None

    def close(self) -> None:
        """End the trial under way; replies that came are in the cache."""
        if self._process is not None:
            self._process.kill()


def _trial(path: str, text: str, count: int) -> str:
    """The spec's text as a trial needs it."""
    values = written(text)
    edits = [Edit("set", "review.samples", count)]
    edits += [Edit("remove", key) for key in ("evaluate", "gate") if key in values]
    tried = apply(text, edits)
    if value_at(values, "models.base") is None:
        return tried
    plan = compiled_of(path, tried).require()
    if any("base" in item for item in plan.pending):
        return apply(tried, [Edit("set", "models.base", {"model": "toy-base", "serve": "embedded"})])
    return tried


def why_ended(run: Path, exit_: int) -> SdrlError:
    """Why a trial ended, in its own words: its last error with the fix, else its last lines."""
    said = [line.strip() for line in last_words(run)]
    at = next((at for at in reversed(range(len(said))) if _ERROR.match(said[at])), None)
    if at is None:
        return SdrlError("", " ".join(said[-2:]) or f"the trial ended with exit {exit_}", help=f"{log_of(run)} has all")
    code, _, message = said[at].partition(": ")
    fix = next((line.removeprefix("help: ") for line in said[at + 1 :] if line.startswith("help: ")), "")
    return SdrlError(code, message, help=fix or f"{log_of(run)} has all of it")


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except OSError:
        return []


def _sample(row: dict[str, Any]) -> Sample:
    votes = sorted(row.get("votes", {}).items(), key=lambda item: (-item[1], item[0]))
    return Sample(
        str(row["id"]), str(row["input"]), tuple((str(k), str(v)) for k, v in (row["options"] or {}).items()),
        str(row["gold"]), str(row["solution"] or ""), tuple((str(label), int(count)) for label, count in votes),
        int(row["n_draws"]), float(row["agreement"]), str(row["passage"] or ""),
    )  # fmt: skip
