"""Parts of ``make bench-tui`` about what is computed: validation, a long run's log, a plan after an edit, leaving."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sdrl.authoring.effects import Show
from sdrl.authoring.services import Services
from sdrl.spec.loader import load_spec
from tests.bench.tui_terminal import Program

ROUNDS, LEAVES, EDITS = 20, 5, 10
REST_S = 0.3
F5, QUIT = b"\x1b[15~", b"\x11"
LOG_BYTES = 100_000_000


class Says(Protocol):
    """What takes figures."""

    def says(self, what: str, figure: float, unit: str, most: float | None = None, more: str = "") -> None:
        """One figure."""


def best_ms(work: Callable[[], object]) -> float:
    """The quickest of some rounds: what it takes without what else the machine does."""
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return min(took) * 1000


def validation(folder: Path, report: Says) -> None:
    """A text to its problems, as it is done on every pause."""
    for name, most in (("gsm8k.yaml", 2.0), ("long.yaml", 15.0)):
        text = (folder / name).read_text()
        took = best_ms(lambda text=text, name=name: load_spec(name, text=text))  # type: ignore[misc]
        report.says(f"validation of {len(text) / 1000:.0f} KB, best of {ROUNDS}", took, "ms", most)


def long_log(folder: Path, report: Says) -> None:
    """The run panel on a log of 100 MB, when it is opened and when it has grown."""
    run = folder / "runs" / "long"
    run.mkdir(parents=True)
    stages = ["generate", "train"]
    started = {"type": "run_started", "name": "long", "plan_hash": "ab" * 32, "stages": stages, "pid": 1}
    step = {"time": "2026-11-25T10:00:00.000+00:00", "type": "metric", "stage": "train", "max_steps": 10**6}
    with (run / "events.jsonl").open("w") as file:
        file.write(json.dumps(started) + "\n")
        number = 0
        while file.tell() < LOG_BYTES:
            rows = ({**step, "step": number + at, "reward": 0.5, "kl": 0.001} for at in range(1000))
            file.write("".join(json.dumps(row) + "\n" for row in rows))
            number += 1000
    services = Services()
    for what, most in (("opens", 1000.0), ("goes on", 250.0)):
        begin = time.perf_counter()
        services.perform(Show("run", 1, "long.yaml", "name: long\n", str(run)))
        report.says(f"a run's log of {LOG_BYTES // 10**6} MB {what}", (time.perf_counter() - begin) * 1000, "ms", most)


def plan_after_an_edit(folder: Path, report: Says) -> None:
    """A changed budget, from Enter to the Plan panel that shows it."""
    program = Program([sys.executable, "-m", "sdrl", "tui", "gsm8k.yaml"], folder, (48, 160))
    took = []
    try:
        program.read_until(b"/interview")
        program.type(b"/plan\r\r")
        program.read_until(b"what is asked")
        for at in range(EDITS):
            program.type(b"\x1b")
            program.read_for(REST_S)
            program.type(f"/set budget.usd {700 + at}".encode())
            program.read_for(REST_S)
            since, begin = len(program.seen), time.perf_counter()
            program.type(b"\r")
            program.read_until(f"at most ${700 + at}".encode(), since=since)
            took.append((time.perf_counter() - begin) * 1000)
    finally:
        program.end()
    report.says("edit to plan, median", statistics.median(took), "ms", 300, f"worst {max(took):.0f}")


def leaving(folder: Path, report: Says) -> None:
    """From ctrl+q to the end of the process, while a verifier loops in its worker."""
    took = []
    for at in range(LEAVES):
        words = [sys.executable, "-m", "tests.bench.tui_probe", "stuck", str(folder / f"lags{at}"), "small.yaml"]
        program = Program(words, folder)
        try:
            program.read_until(b"/interview")
            program.type(F5)
            program.read_until(b"working")
            program.read_for(REST_S * 3)
            begin = time.perf_counter()
            program.type(QUIT)
            program.read_until(b"small.yaml: saved")
            program.process.wait(30)
            took.append((time.perf_counter() - begin) * 1000)
        finally:
            program.end()
    report.says("leaving while a verifier loops, median", statistics.median(took), "ms", 300, f"worst {max(took):.0f}")


def panels(folder: Path, report: Says) -> None:
    """All of them."""
    for part in (validation, plan_after_an_edit, leaving, long_log):
        part(folder, report)
