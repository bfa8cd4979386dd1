"""``python -m tests.bench.scoring_time [TIMES [SERVE [SAMPLES]]]``: the demo's score stage, adaptive beside all draws.

SERVE is ``embedded`` or ``vllm``, SAMPLES how many are written; three quarters as many are to train. The stages before
it run once; then each way scores from a copy of that store, in turn, so that both ask for all of their draws and meet
the same load. Prints wall seconds, CPU seconds of the whole command (both start a server and replay what is there),
draws, and how many of the chosen samples are the same.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from sdrl.spec.edits import Edit, apply
from sdrl.spec.locate import specs_dir

MOST_S = 1800


class Scored(NamedTuple):
    """One score stage: wall and CPU seconds, draws that arrived, and the ids that are to train."""

    seconds: float
    cpu: float
    draws: int
    chosen: frozenset[str]


def run(spec: Path, folder: Path, store: Path, until: str) -> float:
    """Run the spec up to a stage; returns the CPU seconds of its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ["--run", str(folder), "--store", str(store), "--until", until, "--yes"]
    subprocess.run([sys.executable, "-m", "sdrl", "run", str(spec), *words], check=True, timeout=MOST_S)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def scored(folder: Path, cpu: float) -> Scored:
    """What the score stage of a run took, by its events and rows."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    [seconds] = [e["seconds"] for e in events if e["type"] == "stage_finished" and e["stage"] == "score"]
    rows = [json.loads(line) for line in (folder / "artifacts" / "score.jsonl").read_text().splitlines()]
    chosen = [json.loads(line) for line in (folder / "artifacts" / "select.jsonl").read_text().splitlines()]
    draws = sum(row["draws"] for row in rows)
    return Scored(seconds, cpu, draws, frozenset(row["id"] for row in chosen if row["split"] == "train"))


def beside(one: Scored, other: Scored) -> str:
    """Adaptive scoring beside all draws, in a line."""
    same, share = len(one.chosen & other.chosen), one.draws / other.draws
    return (
        f"adaptive {one.seconds:.1f} s ({one.cpu:.1f} s CPU), {one.draws:,} draws; all {other.seconds:.1f} s "
        f"({other.cpu:.1f} s CPU), {other.draws:,} draws ({share:.1%}); {same} of {len(other.chosen)} chosen alike"
    )


def main() -> None:
    """Print a line for each way and repetition, and the ratio of the medians."""
    repetitions, serve, samples = (*sys.argv[1:], *("3", "embedded", "240")[len(sys.argv) - 1 :])
    wanted = {
        "models.base.serve": serve,
        "synthesize.samples": int(samples),
        "select.samples": int(samples) * 3 // 4,
        "select.min": 10,
    }
    times: dict[str, list[float]] = {"adaptive": [], "all draws": []}
    with tempfile.TemporaryDirectory(prefix="sdrl-scoring-") as aside:
        root = Path(aside)
        shutil.copytree(specs_dir(), root / "specs")
        text = (root / "specs" / "word-problems.yaml").read_text()
        specs = {"adaptive": root / "specs" / "adaptive.yaml", "all draws": root / "specs" / "all.yaml"}
        for name, path in specs.items():
            edits = {**wanted, "score.adaptive": name == "adaptive"}
            path.write_text(apply(text, [Edit("set", key, value) for key, value in edits.items()]))
        run(specs["adaptive"], root / "before", root / "store", "adapt")
        for turn in range(int(repetitions)):
            found: dict[str, Scored] = {}
            for name in sorted(specs, reverse=bool(turn % 2)):
                folder, store = root / f"{turn}-{name}", root / f"store-{turn}-{name}"
                shutil.copytree(root / "store", store)
                found[name] = scored(folder, run(specs[name], folder, store, "select"))
                times[name].append(found[name].seconds)
                shutil.rmtree(store)
            print(beside(found["adaptive"], found["all draws"]), flush=True)
    one, other = median(times["adaptive"]), median(times["all draws"])
    print(f"medians of {repetitions}: {one:.1f} s and {other:.1f} s, {one / other:.2f}")


if __name__ == "__main__":
    main()
