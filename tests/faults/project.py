"""A small project whose data pipeline runs against the fault server, and what its runs leave on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.fault_server import HELD, RELEASED
from tests.waiting import comes_true

ROOT = Path(__file__).parents[2]
SPEC = """\
sdrl: 1
name: small
task:
  description: Question answering about everyday arithmetic; read a short story and compute what is asked.
  input_format: A short story that ends with one question whose answer is a whole number.
  output_format: "Work step by step and write the final number after ####."
answer: {{type: number, extract: {{marker: "####"}}}}
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{passages: 40}}
synthesize: {{samples: {samples}, attempts: {attempts}, sampling: {{temperature: 0.7, max_tokens: 512}}}}
vote: {{draws: {draws}, sampling: {{temperature: 0.7, max_tokens: 256}}}}
probe: {{min_parsable: 0}}
score: {{draws: 8, adaptive: false, sampling: {{temperature: 0.7, max_tokens: 80}}}}
select: {{samples: 8, min: 1, min_solved: 1}}
models:
  instructor: {{model: fake, endpoint: "{url}", price: {{input: 1, output: 4}}, concurrency: {concurrency}}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: {concurrency}}}
budget: {{usd: 10}}
"""


@dataclass(frozen=True)
class Size:
    """How large a project is; ``concurrency`` calls may be in flight to each of two endpoints."""

    samples: int = 24
    attempts: int = 60
    draws: int = 8
    passages: int = 40
    concurrency: int = 4


def write_project(folder: Path, url: str, size: Size = Size()) -> Path:
    """Spec, corpus and base folder; returns the spec. The plan does not depend on ``url``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (ROOT / "specs/passages/everyday.jsonl").read_text(encoding="utf-8").splitlines()[: size.passages]
    (folder / "passages.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (folder / "base").mkdir(exist_ok=True)
    (folder / "base/config.json").write_text("{}")  # not loaded: the base answers over HTTP
    spec = folder / "small.yaml"
    values = {"samples": size.samples, "attempts": size.attempts, "draws": size.draws}
    spec.write_text(SPEC.format(url=url, concurrency=size.concurrency, **values))
    return spec


@dataclass(frozen=True)
class Serving:
    """A fault server that runs."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def calls(self) -> list[dict[str, Any]]:
        """Every call it answered, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def is_holding(self) -> bool:
        """Whether a call has come that it holds (``--holds-after``)."""
        return self.log.with_suffix(HELD).exists()

    def release(self) -> None:
        """Let it answer what it holds, and every later call."""
        self.log.with_suffix(RELEASED).touch()

    def count(self) -> int:
        """How many calls it answered."""
        return self.log.read_bytes().count(b"\n")


def until(condition: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait for what a process does; it must not end before."""
    assert comes_true(lambda: process.poll() is not None or condition()) and condition(), "it did not come to that"


@contextmanager
def fault_server(folder: Path, *words: str) -> Iterator[Serving]:
    """Serve for the block's duration, in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"server-{time.monotonic_ns()}"
    ready, log = folder / f"{name}.ready", folder / f"{name}.log"
    command = [sys.executable, "-m", "tests.faults.fault_server", "--ready-file", str(ready), "--log", str(log), *words]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    try:
        until(ready.exists, process)
        yield Serving(f"http://127.0.0.1:{json.loads(ready.read_text())['port']}/v1", log, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(600)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a child that imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(more or {})}


def start(folder: Path, *words: str, more: Mapping[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
    """``sdrl WORDS`` in ``folder``, under way."""
    command = [sys.executable, "-m", "tests.faults.driver", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment(more), **pipes, **options)


def sdrl(folder: Path, *words: str, **options: Any) -> tuple[int, str]:
    """``sdrl WORDS`` to its end: exit code and what it said on stderr."""
    process = start(folder, *words, **options)
    _, said = process.communicate(timeout=600)
    assert "Traceback" not in said, said
    return process.returncode, said


def made(run: Path) -> dict[str, bytes]:
    """What a run is worth: the bytes of every stage's rows and of what they dropped."""
    return {path.name: path.read_bytes() for path in sorted((run / "artifacts").glob("*.jsonl"))}


def sent_twice(calls: list[dict[str, Any]]) -> dict[str, int]:
    """By process: how many of the calls that it was answered whole were answered again to another one, or to itself.

    A try that failed on the way is no answer, and asking again after it is no second payment.
    """
    told: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for call in calls:
        for place in range(call["served"]):
            told[call["key"], call["seed"] + place].append(call["who"])
    twice: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    first_of = {(c["key"], c["seed"] + p, c["who"]): (c["key"], c["seed"]) for c in calls for p in range(c["served"])}
    for (key, seed), who in told.items():
        for one in who[:-1]:
            twice[one].add(first_of[key, seed, one])
    return {who: len(some) for who, some in twice.items()}
