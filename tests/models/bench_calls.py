"""``make bench-calls``: structured calls through limiter, cache and ledger beside a hand-written aiohttp loop and
openai's client, in one run: calm, with faults, hidden capacities, 100,000 calls, and the replay of a finished run.

Ideal: calls / 256 * 0.2 s; wall: the server's first to last call. Machines are noisy: the ratios count, the best of the
rounds stands, and the load average is printed. Exit 1 when a budget did not hold. ``--quick`` leaves out the long part.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONCURRENCY, LATENCY_S, CALLS = 256, 0.2, 4000
IDEAL_S = CALLS / CONCURRENCY * LATENCY_S
ROUNDS = 3
SPEC = """sdrl: 1
name: bench
task: {{description: Add two numbers., output_format: 'The sum after ####.'}}
answer: {{type: number, extract: {{marker: '####'}}}}
demos: [{{input: '1 + 1?', output: '#### 2'}}, {{input: '2 + 3?', output: '#### 5'}}]
synthesize: {{samples: 100, attempts: 100}}
vote: {{draws: 4, stop_early: false, min_agreement: null}}
filter: []
models:
  instructor: {{model: fake-model, endpoint: "{url}/v1", price: {{input: 1, output: 4}}}}
  base: {{model: toy-base, serve: embedded}}
"""


@dataclass(frozen=True)
class Line:
    """One line of the result; ``held`` is None where there is no budget."""

    what: str
    figures: str
    budget: str = ""
    held: bool | None = None


@contextlib.contextmanager
def server(**options: Any) -> Iterator[str]:
    words = [sys.executable, "-m", "tests.models.bench_server", json.dumps({"latency": LATENCY_S, **options})]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None and child.stdin is not None
    try:
        yield child.stdout.readline().strip()
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()


def stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url + "/stats") as reply:
        told: dict[str, Any] = json.load(reply)
    return told


def client(which: str, url: str, calls: int, store: str) -> dict[str, Any]:
    """One client process to its end, with what the server saw of it."""
    words = [sys.executable, "-m", "tests.models.bench_client", which, url + "/v1", str(calls), store]
    began = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    process_s = time.perf_counter() - began
    seen = stats(url)
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "process_s": process_s, "seen": seen, "wall": seen["last"] - seen["first"]}


def best(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return min(rounds, key=lambda one: float(one["wall"]))


def show(one: dict[str, Any]) -> str:
    after = 1000 * one["cpu_after_start"] / one["rows"]
    return (
        f"{one['wall']:5.2f} s  {IDEAL_S / one['wall']:.2f} of the ideal  process {one['process_s']:4.1f} s  "
        f"CPU {1000 * one['cpu'] / one['rows']:.2f} ms a call ({after:.2f} after start)  {one['peak_mb']:.0f} MB  "
        f"{one['rows']} rows in {one['seen']['calls']} calls, {one['seen']['peak']} at once"
    )


def speed() -> Iterator[Line]:
    """Calm and with faults, the clients interleaved."""
    rounds: dict[str, list[dict[str, Any]]] = {}
    with server() as calm, server(faults=0.1, retry_after=0.2) as faulty, tempfile.TemporaryDirectory() as stores:
        for number in range(ROUNDS):
            for which in ("aiohttp", "openai", "sdrl"):
                store = f"{stores}/{which}-{number}"
                rounds.setdefault(which, []).append(client(which, calm, CALLS, store))
                rounds.setdefault(f"{which}, faults", []).append(client(which, faulty, CALLS, f"{store}-faults"))
            known = f"{stores}/known-{number}"
            Path(known).mkdir()
            Path(f"{stores}/sdrl-{number}/endpoints.json").rename(f"{known}/endpoints.json")
            rounds.setdefault("sdrl, endpoint known", []).append(client("sdrl", calm, CALLS, known))
    found = {name: best(several) for name, several in rounds.items()}
    yield from (Line(name, show(one)) for name, one in sorted(found.items()))
    ours, known_, faults = found["sdrl"], found["sdrl, endpoint known"], found["sdrl, faults"]
    share = IDEAL_S / ours["wall"]
    yield Line("share of the ideal", f"{share:.2f} ({IDEAL_S / known_['wall']:.2f} known)", ">= 0.60", share >= 0.6)
    yield Line("beside aiohttp alone", f"{ours['wall'] / found['aiohttp']['wall']:.2f} x its wall")
    cpu = 1000 * ours["cpu_after_start"] / CALLS
    yield Line("CPU a call after start", f"{cpu:.2f} ms", "<= 1.5 ms", cpu <= 1.5)
    yield Line("peak memory", f"{ours['peak_mb']:.0f} MB", "<= 120 MB", ours["peak_mb"] <= 120)
    yield Line("rows with faults", f"{faults['rows']} of {CALLS}", "all", faults["rows"] == CALLS)
    slower = faults["wall"] / ours["wall"]
    yield Line("wall with faults", f"{slower:.2f} x calm", "<= 1.35 x", slower <= 1.35)


def capacity() -> Iterator[Line]:
    """Servers with a hidden capacity: what of it is used and what share of the calls is refused."""
    hidden = [{"places": 64}, {"places": 128}, {"rate": 200, "burst": 20}, {"rate": 500, "burst": 50}]
    for options in hidden:
        with server(**options) as url, tempfile.TemporaryDirectory() as store:
            one = client("sdrl", url, CALLS, store)
        most = options["places"] / LATENCY_S if "places" in options else options["rate"]
        used, refused = one["rows"] / one["wall"] / most, one["seen"]["refused"] / one["seen"]["calls"]
        name = " ".join(f"{key} {value}" for key, value in options.items())
        figures = f"{100 * used:.0f} % of {most:.0f}/s used, {100 * refused:.1f} % refused, widths {one['widths']}"
        yield Line(f"hidden: {name}", figures, ">= 90 %, < 2 %", used >= 0.9 and refused < 0.02)


def memory() -> Iterator[Line]:
    """100,000 calls; a quicker server, since only the memory counts."""
    with server(latency=0.02) as url, tempfile.TemporaryDirectory() as store:
        one = client("sdrl", url, 100_000, store)
        size = sum(path.stat().st_size for path in Path(store).iterdir()) / 1e6
    marks = {int(calls): mb for calls, mb in one["memory"].items()}
    grown = marks[100_000] - marks[10_000]
    told = ", ".join(f"{mb:.0f} MB at {calls:,}" for calls, mb in sorted(marks.items()))
    yield Line("memory over 100,000 calls", f"{told}; store {size:.0f} MB", "+ <= 5 MB after 10,000", grown <= 5)


def replay() -> Iterator[Line]:
    """A run until the vote, and the same command again."""
    with server(latency=0.0) as url, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.yaml").write_text(SPEC.format(url=url), encoding="utf-8")
        words = [sys.executable, "-m", "sdrl", "run", "bench.yaml", "--until", "vote", "--yes", "--run", "run"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        first = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        calls = stats(url)["calls"]
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            again = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            seconds.append(time.perf_counter() - began)
        asked = stats(url)["calls"]
    if first.returncode or again.returncode:
        yield Line("replay of a finished run", first.stderr + again.stderr, "<= 1 s, no call", False)
        return
    held = min(seconds) <= 1 and asked == 0 and calls > 0
    figures = f"{min(seconds):.2f} s whole process, {asked} calls (first: {calls} calls)"
    yield Line("replay of a finished run", figures, "<= 1 s, no call", held)


def main() -> int:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    sys.stdout.write(f"{CALLS} structured calls, {CONCURRENCY} at once, {LATENCY_S} s each; load average {load}\n")
    parts = [speed, capacity, replay] if "--quick" in sys.argv else [speed, capacity, replay, memory]
    failed = 0
    for part in parts:
        for line in part():
            verdict = "" if line.held is None else f"  [{line.budget}: {'held' if line.held else 'NOT HELD'}]"
            failed += line.held is False
            sys.stdout.write(f"{line.what:<26} {line.figures}{verdict}\n")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
