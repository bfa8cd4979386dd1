"""Every arm of the shipped suites that the embedded models can have, run at a tiny budget: ``make tables``.

Rows 61 to 120 of the demo's own test set stand in for human data. Then the suite of controls once more into another
folder and store, killed again and again: its table must be the same, times apart. Figures mean nothing at this size.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sdrl.spec.locate import specs_dir

SUITES = ("table-3", "table-4", "controls")
SUITE = """\
suite: 1
name: tiny-{name}
extends: {name}
spec: {specs}/word-problems.yaml
human:
  file: {specs}/data/word-problems-test.jsonl
  limit: 120
  input: "{{question}}"
  gold: {{field: answer, extract: {{marker: "####"}}}}
seeds: [0]
set:
  models.instructor.price: {{input: 50, output: 100}}
  budget.usd: 20
  synthesize.samples: 24
  vote.draws: 3
  score: {{draws: 6, adaptive: false, sampling: {{temperature: 0.7, max_tokens: 80}}}}
  probe.min_parsable: 0
  select.samples: 8
  select.min: 1
  select.min_solved: 1
  train.epochs: 0.5
  train.rollouts: 4
  evaluate:
    - name: test
      file: data/word-problems-test.jsonl
      limit: 60
      input: "{{question}}"
      gold: {{field: answer, extract: {{marker: "####"}}}}
      sampling: {{temperature: 0, max_tokens: 60}}
{arms}"""
SMALLER = """\
arms:
  - {name: m-100, set: {select.samples: 4}}
  - {name: m-300, set: {select.samples: 6}}
  - {name: rl-human-100, baseline: rl-human-same, set: {select.samples: 4}}
  - {name: rl-human-300, baseline: rl-human-same, set: {select.samples: 6}}
"""
TIMES = ("train_seconds", "recipe_seconds", "wall_seconds")
KILLS = 6
MOST_S = 900


def write(folder: Path, name: str) -> Path:
    """The tiny form of a shipped suite."""
    path = folder / f"{name}.yaml"
    path.write_text(SUITE.format(name=name, specs=specs_dir(), arms=SMALLER if name == "table-4" else ""))
    return path


def command(suite: Path, folder: Path) -> list[str]:
    """Run it, or go on, with a store of its own."""
    where = ["--dir", str(folder / "run"), "--store", str(folder / "store")]
    return [sys.executable, "-m", "sdrl", "compare", str(suite), *where, "--yes"]


def run(suite: Path, folder: Path) -> tuple[int, str, float]:
    """Exit code, table and seconds of a suite that nothing disturbs."""
    began = time.monotonic()
    done = subprocess.run(command(suite, folder), capture_output=True, text=True, timeout=MOST_S, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
    return done.returncode, done.stdout, time.monotonic() - began


def killed(suite: Path, folder: Path, kills: int, rng: random.Random) -> int:
    """The same with SIGKILLs at random moments, until it ends by itself; how many found it at work."""
    found = 0
    for _ in range(kills):
        process = subprocess.Popen(command(suite, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(3, 20))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            found += 1
    return found


def without_times(folder: Path) -> dict[str, Any]:
    """The figures of a suite but for how long it took."""
    results: dict[str, Any] = json.loads((folder / "run" / "results.json").read_text(encoding="utf-8"))
    for row in results["arms"]:
        for each in (row, *row["seeds"]):
            for key in TIMES:
                each.pop(key, None)
    return results


def table(folder: Path) -> str:
    """The part of the table that knows no times: arms and questions."""
    return (folder / "run" / "table.md").read_text(encoding="utf-8").split("## What each took")[0]


def main() -> int:
    """All suites, then the controls killed; 0 where all ran and the tables agree."""
    bad = 0
    with tempfile.TemporaryDirectory(prefix="sdrl-tables-") as aside:
        root = Path(aside)
        for name in SUITES:
            code, shown, seconds = run(write(root, name), root / name)
            print(f"{name}: exit {code} in {seconds:.0f} s\n{shown}", flush=True)
            bad += bool(code)
        again = root / "killed"
        found = killed(root / "controls.yaml", again, KILLS, random.Random(0))
        code, _, _ = run(root / "controls.yaml", again)
        same = without_times(root / "controls") == without_times(again) and table(root / "controls") == table(again)
        print(f"controls, killed {found} times: exit {code}, figures and table {'the same' if same else 'DIFFER'}")
        bad += bool(code) or not same
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
