"""Finished cells to figures: accuracy by arm and seed, differences with their tests, time and cost. Asks no model.

Reads the cells' run folders alone; a cell that is not finished is counted as missing and nothing is put in its place.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from sdrl.compare.cells import cell_folder
from sdrl.compare.listing import summary
from sdrl.compare.loading import LoadedSuite
from sdrl.compare.running import Planned, is_done, wall_seconds
from sdrl.compare.significance import Difference, Scores, decided, difference, holm, spread
from sdrl.compare.suite import Comparison
from sdrl.run.artifacts import Artifacts, Row
from sdrl.run.folder import RunFolder

SCHEMA = 1
FILE = "results.json"
NOT_RUN = "not run"


def read_results(loaded: LoadedSuite, planned: Sequence[Planned], root: Path) -> dict[str, Any]:
    """All figures of the suite as JSON values; see docs/compare.md."""
    groups: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for each in planned:
        groups[each.cell.arm_name, each.cell.budget.name].append(each)
    rows, scores = [], {}
    for (arm, budget), cells in groups.items():
        found = [_cell(each, root, loaded.suite.evaluation) for each in cells if is_done(root, each)]
        scores[arm, budget] = [each["scores"] for each in found]
        rows.append(_row(arm, budget, cells, found))
    questions = _questions(loaded, rows, scores)
    decides = next((row["evaluation"] for row in rows if row["evaluation"]), loaded.suite.evaluation)
    return {
        "schema": SCHEMA,
        "name": loaded.suite.name,
        "evaluation": decides,
        "margin": loaded.suite.margin,
        "alpha": loaded.suite.alpha,
        "cells": {
            "planned": sum(each.open is None for each in planned),
            "done": sum(len(row["seeds"]) for row in rows),
        },
        "arms": rows,
        "questions": questions,
    }


def _cell(each: Planned, root: Path, evaluation: str | None) -> dict[str, Any]:
    """What one finished run came to on the evaluation set that decides."""
    folder = RunFolder(cell_folder(root, each.cell))
    result = json.loads(folder.result.read_text(encoding="utf-8"))
    artifacts = Artifacts(folder, Path())
    rows = artifacts.rows("evaluate")
    name = evaluation or (rows[0]["set"] if rows else None)
    mine = [row for row in rows if row["set"] == name]
    trained = _by_problem(row for row in mine if row["model"] == "trained")
    base = _by_problem(row for row in mine if row["model"] == "base")
    notes = (artifacts.seal("train") or {}).get("notes", {})
    stages = result["seconds"]["stages"]
    return {
        "cell": each.cell.name,
        "seed": each.cell.seed,
        "evaluation": name,
        "scores": trained,
        "accuracy": round(fmean(trained.values()), 6) if trained else None,
        "base": round(fmean(base.values()), 6) if base else None,
        "decoding": _decoding_spread(mine),
        "selected": notes.get("learned", result["selected"]),
        "best_step": notes.get("best_step"),
        "train_seconds": round(stages.get("train", 0.0), 1),
        "recipe_seconds": round(sum(stages.values()), 1),
        "wall_seconds": round(wall_seconds(folder.root), 1),
        "usd": (result.get("usage") or {}).get("usd", 0),
    }


def _by_problem(rows: Iterable[Row]) -> dict[str, float]:
    answers: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        answers[str(row["problem"])].append(row["verdict"] == "correct")
    return {name: fmean(right) for name, right in answers.items()}


def _decoding_spread(rows: Sequence[Row]) -> float | None:
    """Sample deviation of accuracy over decoding runs of one trained model; None of a single run."""
    trained = [row for row in rows if row["model"] == "trained"]
    runs = sorted({row["run"] for row in trained})
    means = [fmean(_by_problem(row for row in trained if row["run"] == run).values()) for run in runs]
    deviation = spread(means).deviation if means else None
    return None if deviation is None else round(deviation, 6)


def _row(arm: str, budget: str, cells: Sequence[Planned], found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One line of the table."""
    known = [each for each in found if each["accuracy"] is not None]
    middle = spread([each["accuracy"] for each in known]) if known else None
    row: dict[str, Any] = {
        "arm": arm,
        "budget": budget,
        "about": cells[0].cell.arm.about,
        "open": cells[0].open,
        "planned": len(cells),
        "evaluation": known[0]["evaluation"] if known else None,
        "base": known[0]["base"] if known else None,
        "accuracy": None if middle is None else round(middle.mean, 6),
        "deviation": None if middle is None or middle.deviation is None else round(middle.deviation, 6),
        "seeds": [{key: value for key, value in each.items() if key != "scores"} for each in found],
        "expected": summary(cells[0].estimate) if cells[0].estimate else None,
    }
    for key in ("train_seconds", "recipe_seconds", "wall_seconds"):
        row[key] = round(fmean(each[key] for each in found), 1) if found else None
    row["usd"] = round(sum(float(each["usd"]) for each in found), 6)
    row["gain"] = None if not known or row["base"] is None else round(row["accuracy"] - row["base"], 6)
    return row


def _questions(
    loaded: LoadedSuite, rows: Sequence[Mapping[str, Any]], scores: Mapping[tuple[str, str], list[Scores]]
) -> list[dict[str, Any]]:
    """Every declared comparison at every budget; Holm's correction is over those that have figures."""
    first = loaded.arms[0].name or ""
    names = [arm.name or "" for arm in loaded.arms]
    declared = loaded.suite.compare or [Comparison(arm=name) for name in names[1:]]
    still_open = {(row["arm"], row["budget"]): row["open"] for row in rows}
    asked: list[tuple[dict[str, Any], Difference | None]] = []
    for question in declared:
        for budget in loaded.budgets:
            pair = (question.arm, budget.name), (question.against or first, budget.name)
            about = {"arm": question.arm, "against": question.against or first, "budget": budget.name}
            why = next((still_open[side] for side in pair if still_open[side]), None)
            measured = None
            if why is None and all(scores[side] for side in pair):
                measured = difference(scores[pair[0]], scores[pair[1]], loaded.suite.margin, loaded.suite.alpha)
            state = why or (None if measured else NOT_RUN)
            asked.append(({**about, "question": question.question, "open": state}, measured))
    return _judged(asked, loaded.suite.alpha)


def _judged(asked: Sequence[tuple[dict[str, Any], Difference | None]], alpha: float) -> list[dict[str, Any]]:
    measured = [each for _, each in asked if each is not None]
    adjusted = iter(zip(holm([each.p for each in measured]), holm([each.p_apart for each in measured]), strict=True))
    found = []
    for about, each in asked:
        if each is None:
            found.append({**about, "verdict": about["open"]})
            continue
        p, p_apart = next(adjusted)
        figures = {
            "difference": round(each.value, 6),
            "interval": [round(each.low, 6), round(each.high, 6)],
            "p": each.p,
            "p_holm": p,
            "p_apart_holm": p_apart,
            "degrees": None if each.degrees == float("inf") else round(each.degrees, 2),
            "n_problems": each.n_problems,
            "n_seeds": list(each.seeds),
        }
        found.append({**about, **figures, "verdict": decided(p, p_apart, alpha)})
    return found
