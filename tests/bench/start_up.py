"""Whole processes beside ``python -c 'import pydantic'``, and the reading of a spec inside a process.

Every round runs each command once, so that all of them see the same machine; medians are compared. Bytecode is kept, as
in a user's installation, whatever the environment says; the first round writes it and does not count.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Figure

ROOT = Path(__file__).parents[2]
ROUNDS = 11
# name -> (arguments, at most so many times the reference, at most so many milliseconds)
BUDGETS: dict[str, tuple[list[str], float, int]] = {
    "sdrl --version": (["--version"], 2.5, 150),
    "sdrl validate": (["validate", "specs/gsm8k.yaml"], 4.0, 250),
    "sdrl compile, number": (["compile", "specs/word-problems.yaml", "-o", "number.plan"], 6.5, 400),
    "sdrl compile, math": (["compile", "specs/math.yaml", "-o", "math.plan"], 0, 1200),
}


class Took(NamedTuple):
    """Median milliseconds of a whole process: on the clock, and of the processor."""

    wall: float
    cpu: float


def took(commands: Mapping[str, list[str]]) -> dict[str, Took]:
    """What each command takes, interleaved."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[Took]] = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):
        for name, words in commands.items():
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True)
            wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times[name].append(Took(wall * 1000, cpu * 1000))
    return {
        name: Took(
            statistics.median(each.wall for each in all_of[1:]), statistics.median(each.cpu for each in all_of[1:])
        )
        for name, all_of in times.items()
    }


def start_up() -> list[Figure]:
    """Every command against its ratio and its absolute budget; the processor's ratio hardly sees a busy machine."""
    sdrl = str(Path(sys.executable).with_name("sdrl"))
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            name: [sdrl, *(f"{folder}/{word}" if word.endswith(".plan") else word for word in words)]
            for name, (words, _, _) in BUDGETS.items()
        }
        times = took({"reference": [sys.executable, "-c", "import pydantic"], **commands})
    figures = []
    reference = times["reference"]
    for name, (_, most, milliseconds) in BUDGETS.items():
        ours = times[name]
        said = f"{ours.wall:.0f} ms"
        beside = f"{reference.wall:.0f} ms import pydantic (CPU {ours.cpu / reference.cpu:.2f})"
        ratio = ours.wall / reference.wall
        if most:
            figures.append(Figure(name, said, beside, ratio, f"≤ {most} x", ratio <= most))
        figures.append(Figure(name, said, beside, ratio, f"≤ {milliseconds:,} ms", ours.wall <= milliseconds))
    return figures


def reading() -> Figure:
    """A spec of 5 KB read and checked again in the same process: what an editor pays for each key."""
    from sdrl.spec.loader import load_spec

    text = (ROOT / "specs" / "gsm8k.yaml").read_text(encoding="utf-8")
    text += "# " + "x" * max(0, 5_000 - len(text)) + "\n" if len(text) < 5_000 else ""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        loaded = load_spec(ROOT / "specs" / "gsm8k.yaml", text)
        times.append((time.perf_counter() - began) * 1000)
    assert loaded.spec is not None
    took = statistics.median(times)
    return Figure(f"validate {len(text):,} bytes", f"{took:.2f} ms", "in process", 0.0, "≤ 2 ms", took <= 2)
