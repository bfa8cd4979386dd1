"""``sdrl verify`` on 200,000 rows of numbers, choices and mathematics: rows a second on one core and on all; memory.

``python -m tests.bench.verify`` alone; part of ``make bench``. The time is that of the whole process. Memory is the
largest sum of the resident sets of the command and its children, sampled twenty times a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.figures import Figure

ROOT = Path(__file__).parents[2]
ROWS = 200_000


def number(n: int) -> dict[str, Any]:
    """A sum written out; one in seven is wrong."""
    said = f"We add {n} and {n % 13}: <<{n}+{n % 13}={n + n % 13}>>, so there are {n + n % 13} apples."
    return {"completion": f"{said}\n#### {n + n % 13 + (n % 7 == 0)}", "gold": str(n + n % 13)}


def choice(n: int) -> dict[str, Any]:
    """A letter; each row brings its options."""
    options = {
        letter: f"{word} {n % 50}" for letter, word in zip("ABCD", ("first", "second", "third", "fourth"), strict=True)
    }
    answer = f"Considering {n}, this is best.\n<answer>{'ABCD'[n % 4]}</answer>"
    return {"completion": answer, "gold": "ABCD"[(n // 2) % 4], "options": options}


def mathematics(n: int) -> dict[str, Any]:
    """One in seven needs math-verify (2,000 different questions, each some fifteen times), the others are numbers."""
    if n % 7:
        return {"completion": f"Thus \\boxed{{{n}}}", "gold": str(n)}
    k = n // 7 % 2_000 + 1
    left, right = f"\\frac{{{k}}}{{{k % 9 + 2}}}", f"\\frac{{{2 * k}}}{{{2 * (k % 9 + 2)}}}"
    root = f"\\sqrt{{{k % 5 + 2}}}"
    return {"completion": f"Thus \\boxed{{{left}{root}}}", "gold": right + root}


KINDS: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "number": ("specs/gsm8k.yaml", number),
    "choice": ("specs/logiqa.yaml", choice),
    "math": ("specs/math.yaml", mathematics),
}


class Measured(NamedTuple):
    """One run: seconds, bytes of memory of all its processes, and its output."""

    seconds: float
    memory: int
    output: bytes


def measure(spec: str, rows: Path, output: Path, cores: set[int]) -> Measured:
    """Judge a file on some cores."""
    words = [sys.executable, "-m", "sdrl", "verify", spec, str(rows), "-o", str(output)]
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # inherited
    try:
        began = time.perf_counter()
        process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    finally:
        os.sched_setaffinity(0, before)
    memory = 0
    while process.poll() is None:
        memory = max(memory, resident(process.pid))
        time.sleep(0.05)
    return Measured(time.perf_counter() - began, memory, output.read_bytes())


def resident(pid: int) -> int:
    """Bytes of memory of a process and everything below it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident, map(int, below)))


def verify_rates() -> list[Figure]:
    """Rows a second, all cores beside one."""
    figures = []
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        rows, output = Path(folder) / "rows.jsonl", Path(folder) / "out.jsonl"
        for name, (spec, make) in KINDS.items():
            with rows.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps({"id": n, **make(n)}) + "\n" for n in range(ROWS))
            one = measure(spec, rows, output, {min(cores)})
            all_of = measure(spec, rows, output, cores)
            assert one.output == all_of.output and one.output.count(b"\n") == ROWS
            memory = f"{one.memory >> 20}, {all_of.memory >> 20} MB"
            ratio = one.seconds / all_of.seconds
            ours, beside = f"{ROWS / all_of.seconds:,.0f}/s", f"{ROWS / one.seconds:,.0f}/s on one core; {memory}"
            figures.append(Figure(f"verify {name}, {len(cores)} cores", ours, beside, ratio, "≥ 1 x", ratio >= 1))
    return figures


def main() -> None:
    """Measure and print."""
    for each in verify_rates():
        print(f"{each.what:<24}{each.ours:>14}   {each.reference:<46}{each.ratio:>6.2f}")


if __name__ == "__main__":
    main()
