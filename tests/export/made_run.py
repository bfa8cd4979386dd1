"""A finished run made up from a seed: a real plan of a spec of ours, rows of ``select`` that no model wrote."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

from sdrl.cli.main import main
from sdrl.compiler.plan_file import read_plan
from sdrl.embedded import base
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder

ROOT = Path(__file__).parents[2]
TOY_BASE = Path(base.__file__).with_name("toy_base")


def write_run(root: Path, spec: Path = ROOT / "specs/word-problems.yaml", *, n_rows: int = 12) -> Path:
    """Write a run of ``spec`` that has selected and trained; returns its folder."""
    folder = RunFolder(root)
    folder.create()
    assert main(["compile", str(spec), "-o", str(folder.plan)]) == 0
    plan = read_plan(folder.plan)
    rng = random.Random(5)
    rows = [_row(rng, index, plan.parts[0].name, plan.verifier) for index in range(n_rows)]
    Artifacts(folder, root).write(
        "select", plan.stage("select").hash, rows, [], came_in=n_rows, seconds=1.0, notes={}, versions={}
    )
    folder.events.write_text("")
    shutil.copytree(TOY_BASE, folder.model)
    (folder.model / "README.md").write_text("---\nlicense: unknown\n---\n\n# made up\n")
    return root


def _row(rng: random.Random, index: int, part: str, program: dict[str, Any]) -> dict[str, Any]:
    a, b = rng.randint(2, 60), rng.randint(2, 60)
    lettered = program["type"] == "choice"
    options = {"A": str(a + b), "B": str(a - b), "C": str(a * b), "D": str(a)} if lettered else None
    return {
        "id": f"{index:016x}",
        "part": part,
        "input": f"Ada has {a} apples and finds {b} more. How many apples does Ada have now?",
        "gold": "A" if lettered else str(a + b),
        "options": options,
        "solution": f"{a}+{b}={a + b}\n#### {a + b}",
        "origin": "generate",
        "parent": None,
        "passage": f"everyday/{index}",
        "agreement": 1.0,
        "draws": 8,
        "correct": 2,
        "pass_rate": 0.25,
        "rank": index,
        "split": "validation" if index % 4 == 3 else "train",
    }
