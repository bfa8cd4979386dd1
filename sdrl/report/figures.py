"""All figures of a report as one JSON value (``sdrl report --json``), from a run's result and its artifacts.

Accuracies, gains, gate and usage stand in ``result.json``; pass rates, adaptation, training and label noise are counted
here from the rows of the sealed stages. Every figure can be recomputed from the run folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdrl.compiler.rounds import named, stage_names
from sdrl.report.data import data_card, lengths, retrieval
from sdrl.report.labels import label_noise
from sdrl.report.run_data import RunData
from sdrl.report.suspects import suspects
from sdrl.run.artifacts import Row
from sdrl.run.result import evaluations_of
from sdrl.run.telling import histogram

SCHEMA = 1
TOY_BASE = "toy-base"
_CURVES = ("reward", "kl", "entropy", "completion_length", "loss", "zero_variance_share", "parsable_share")


def read_figures(root: Path) -> dict[str, Any]:
    """The figures of the run in ``root``. Raises SdrlError E830 when there is no run."""
    run = RunData.open(root)
    result = run.result
    return {
        "schema": SCHEMA,
        "run": str(root),
        "name": run.plan["name"],
        "plan_hash": run.plan["hash"],
        "status": result.get("status", "unfinished"),
        "exit": result.get("exit"),
        "models": {role: run.setting(f"models.{role}.model") for role in ("instructor", "base")},
        "is_toy": run.setting("models.base.model") == TOY_BASE,
        "algorithm": run.setting("train.algorithm"),
        "evaluations": _evaluations(run),
        "validation": result.get("validation"),
        "message": result.get("message"),
        "readiness": result.get("readiness"),
        "rounds": result.get("rounds", []),
        "gate": result.get("gate"),
        "funnel": [_funnel_row(run, stage) for stage in stage_names(_rounds(run)) if run.seal(stage)],
        "pass_rates": _pass_rates(run),
        "adaptation": _adaptation(run),
        "training": _training(run),
        "labels": label_noise(run),
        "lengths": lengths(run),
        "retrieval": retrieval(run),
        "suspects": suspects(run),
        "data": data_card(run),
        "usage": result.get("usage"),
        "seconds": result.get("seconds"),
    }


def _rounds(run: RunData) -> int:
    return int(run.setting("rounds") or 1)


def _evaluations(run: RunData) -> list[dict[str, Any]]:
    """Accuracies and gains; none while the stage is not sealed, even where rows of an earlier pass still lie there."""
    if not run.seal("evaluate"):
        return []
    return run.result.get("evaluations") or evaluations_of(run.artifacts, _seed(run))


def _seed(run: RunData) -> int:
    return int(run.setting("seed") or 0)


def _funnel_row(run: RunData, stage: str) -> dict[str, Any]:
    seal = run.seal(stage) or {}
    return {"stage": stage} | {key: seal.get(key) for key in ("in", "rows", "dropped", "seconds")}


def _pass_rates(run: RunData) -> dict[str, Any] | None:
    """Histograms of the base model's pass rates: the initial samples, those with their adapted forms, the selected."""
    scores = run.rows("score")
    if not scores:
        return None
    adapted = {row["id"] for row in run.rows("adapt")}
    selected = {row["id"] for row in run.rows("select") if row["split"] == "train"}
    return {
        "draws": max(row["draws"] for row in scores),
        "before": histogram([row for row in scores if row["id"] not in adapted]),
        "after": histogram(scores),
        "selected": histogram([row for row in scores if row["id"] in selected]),
    }


def _adaptation(run: RunData) -> dict[str, Any]:
    """What rewriting did to pass rates: ``{harder: {n, parents, adapted}, easier: …}``, mean pass rates of both."""
    rates = {row["id"]: row["pass_rate"] for row in run.rows("score")}
    found: dict[str, Any] = {}
    for origin in ("harder", "easier"):
        pairs = [
            (rates[row["parent"]], rates[row["id"]])
            for row in run.rows("adapt")
            if row["origin"] == origin and row["id"] in rates and row["parent"] in rates
        ]
        if pairs:
            parents, children = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
            found[origin] = {"n": len(pairs), "parents": round(parents, 6), "adapted": round(children, 6)}
    return found


def _training(run: RunData) -> dict[str, Any] | None:
    """Curves by step, looks at the validation split, and which step was chosen."""
    last = next((name for at in range(_rounds(run), 0, -1) if run.rows(name := named("train", at))), None)
    if last is None:
        return None
    rows, notes = run.rows(last), (run.seal(last) or {}).get("notes", {})
    steps = [row for row in rows if row.get("reward") is not None or row.get("loss") is not None]
    rewards = sorted({name for row in steps for name in row.get("rewards") or {}})
    curves = {name: _curve(steps, name) for name in _CURVES}
    curves |= {
        f"reward_{name}": [(row["step"], (row.get("rewards") or {}).get(name)) for row in steps] for name in rewards
    }
    looks = [row for row in rows if row.get("validation_accuracy") is not None]
    return {
        "steps": max(row["step"] for row in rows),
        "best_step": notes.get("best_step"),
        "early_stopped": bool(notes.get("early_stopped")),
        "reward_mode": notes.get("reward_mode", "correct"),
        "curves": {name: curve for name, curve in curves.items() if any(value is not None for _, value in curve)},
        "validation": [(row["step"], row["validation_accuracy"]) for row in looks],
    }


def _curve(rows: Sequence[Row], name: str) -> list[tuple[int, float | None]]:
    return [(row["step"], row.get(name)) for row in rows]
