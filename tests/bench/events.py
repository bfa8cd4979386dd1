"""``python -m tests.bench.events``: how long the run panel takes to open a log of 100 MB, and what following it costs.

Beside it, in the same process: reading the same file's lines and nothing else, which no reader can be quicker than.
Prints medians of seven, CPU and wall time. The log is an invented run with every common kind of event.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdrl.authoring.monitor import Tail
from sdrl.authoring.run_panel import run_sheet

SIZE = 100_000_000
TIMES = 7
TIME = "2026-11-25T10:00:00.000+00:00"


def _event(chance: random.Random, at: int) -> dict[str, Any]:
    """One of what a long run writes most: progress, requests, retries, steps, looks at the validation split."""
    kind = chance.choices(("progress", "requests", "retry", "metric", "look"), (30, 20, 20, 29, 1))[0]
    head = {"v": 1, "seq": at, "time": TIME}
    if kind == "progress":
        return {**head, "type": "progress", "stage": "vote", "done": at, "total": SIZE, "unit": "votes"}
    if kind == "requests":
        counts = {"sent": at, "cached": 0, "failed": 0, "in_flight": 9, "done": at, "usd": 0.1, "limit": 64}
        return {**head, "type": "requests", "stage": "vote", "role": "instructor", **counts}
    if kind == "retry":
        return {**head, "type": "retry", "role": "instructor", "reason": "HTTP 429: slow down", "attempt": 2}
    step = {**head, "type": "metric", "stage": "train", "step": at}
    if kind == "look":
        return {**step, "max_steps": None, "validation_accuracy": chance.random()}
    names = ("loss", "reward", "reward_std", "kl", "entropy", "grad_norm", "learning_rate", "completion_length",
             "repetition", "teaching_share", "zero_variance_share", "parsable_share", "tokens")  # fmt: skip
    return {**step, "max_steps": SIZE, **{name: round(chance.random(), 8) for name in names}}


def _write(path: Path) -> None:
    chance, at = random.Random(0), 0
    started = {"type": "run_started", "plan_hash": "ab" * 32, "name": "long", "stages": ["vote", "train"], "pid": 1}
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"v": 1, "seq": 0, "time": TIME, **started}) + "\n")
        while file.tell() < SIZE:
            for _ in range(1000):
                at += 1
                file.write(json.dumps(_event(chance, at)) + "\n")


def _timed(do: Callable[[], object]) -> tuple[float, float]:
    """Median CPU and wall seconds."""
    found = []
    for _ in range(TIMES):
        cpu, wall = time.process_time(), time.perf_counter()
        do()
        found.append((time.process_time() - cpu, time.perf_counter() - wall))
    return statistics.median(each[0] for each in found), statistics.median(each[1] for each in found)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "events.jsonl"
        _write(path)
        tail = Tail(path)
        tail.read()
        rows = (
            ("reading the lines alone", lambda: _lines(path)),
            ("opening the panel", lambda: run_sheet(Tail(path).read())),
            ("following: nothing new", tail.read),
        )
        print(f"{path.stat().st_size / 1e6:.0f} MB, {_lines(path):,} events")
        for title, do in rows:
            cpu, wall = _timed(do)
            print(f"{title:<26} {cpu:8.4f} s CPU  {wall:8.4f} s wall")


if __name__ == "__main__":
    main()
