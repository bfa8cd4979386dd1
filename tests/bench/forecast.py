"""``python -m tests.bench.forecast RUN…``: what a run's plan expected beside what the run used, by stage.

Reads RUN/plan and RUN/result.json; asks nobody. Prints a Markdown table; exit 1 when an expected figure is more than
15 % off, or a worst case was exceeded.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sdrl.compiler.plan_file import read_plan

FIGURES = ("requests", "prompt_tokens", "completion_tokens")
NEAR = 0.15


def used_by(run: Path) -> dict[str, dict[str, int]]:
    """By stage, all roles together; ``microusd`` from the dollars."""
    used: dict[str, dict[str, int]] = {}
    for name, load in json.loads((run / "result.json").read_text())["usage"]["by"].items():
        stage = used.setdefault(name.split("/")[0], dict.fromkeys((*FIGURES, "microusd"), 0))
        for figure in FIGURES:
            stage[figure] += load[figure]
        stage["microusd"] += round(load["usd"] * 1_000_000)
    return used


def line(name: str, expected: dict[str, Any], worst: dict[str, Any], used: dict[str, int]) -> tuple[str, bool]:
    """One row of the table, and whether it held."""
    cells, held = [name], True
    for figure in (*FIGURES, "microusd"):
        want, most, have = expected[figure] or 0, worst[figure] or 0, used[figure]
        shown = [f"{value / 1_000_000:.3f}" if figure == "microusd" else f"{value:,}" for value in (want, have, most)]
        off = f"{want / have - 1:+.1%}" if have else ""
        held = held and have <= most and (not have or abs(want / have - 1) <= NEAR)
        cells += [f"{shown[0]} / {shown[1]}", off, shown[2]]
    return f"| {' | '.join(cells)} |", held


def compare(run: Path) -> bool:
    """Print the table of one run; whether every figure held."""
    estimate, used = read_plan(run / "plan").estimate, used_by(run)
    head = [
        "stage",
        *(cell for name in ("requests", "in", "out", "$") for cell in (f"{name} exp/used", "off", "worst")),
    ]
    print(f"\n{run.name}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    held = True
    totals = {"instructor": dict.fromkeys((*FIGURES, "microusd"), 0), "base": dict.fromkeys((*FIGURES, "microusd"), 0)}
    for entry in estimate["stages"]:
        if entry["stage"] not in used:
            continue
        text, fits = line(entry["stage"], entry["expected"], entry["worst"], used[entry["stage"]])
        print(text)
        held = held and fits
        for figure, value in used[entry["stage"]].items():
            totals[entry["asks"]][figure] += value
    for role, total in totals.items():
        text, fits = line(f"**{role}**", estimate[role]["expected"], estimate[role]["worst"], total)
        print(text)
        held = held and fits
    return held


if __name__ == "__main__":
    sys.exit(0 if all([compare(Path(run)) for run in sys.argv[1:]]) else 1)
