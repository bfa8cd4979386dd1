"""All figures of a report as one JSON value (``sdrl report --json``), from a run's result and its artifacts.

Accuracies, gains, gate and usage stand in ``result.json``; pass rates, adaptation, training and label noise are counted
here from the rows of the sealed stages. Every figure can be recomputed from the run folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdrl.compiler.rounds import named, stage_names
from sdrl.report.data import alarms, data_card, lengths, likeness, retrieval
from sdrl.report.labels import label_noise
from sdrl.report.measures import Measures
from sdrl.report.run_data import RunData
from sdrl.report.suspects import suspects
from sdrl.report.training_data import few_shot, post_hoc, training
from sdrl.run.result import evaluations_of
from sdrl.run.telling import histogram

SCHEMA = 1
TOY_BASE = "toy-base"


def read_figures(root: Path, measures: Measures | None = None) -> dict[str, Any]:
    """The figures of the run in ``root``. Raises SdrlError E830 when there is no run."""
    run = RunData.open(root)
    result, measures = run.result, measures or Measures()
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
        "funnel": [_funnel_row(run, stage) for stage in stage_names(run.rounds) if run.seal(stage)],
        "pass_rates": _pass_rates(run),
        "pass_rates_by_round": _pass_rates_by_round(run),
        "adaptation": _adaptation(run),
        "training": training(run),
        "post_hoc": post_hoc(run),
        "few_shot": few_shot(run),
        "labels": label_noise(run),
        "lengths": lengths(run, measures),
        "likeness": likeness(run, measures),
        "retrieval": retrieval(run),
        "suspects": suspects(run),
        "alarms": alarms(run),
        "data": data_card(run),
        "usage": result.get("usage"),
        "seconds": result.get("seconds"),
    }


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
    """Histograms of the base model's pass rates: the initial samples, those with their adapted forms, the selected.

    ``fewest`` and ``draws``: how many draws a sample had at the least and at the most.
    """
    scores = run.rows("score")
    if not scores:
        return None
    adapted = {row["id"] for row in run.rows("adapt")}
    selected = {row["id"] for row in run.rows("select") if row["split"] == "train"}
    return {
        "draws": max(row["draws"] for row in scores),
        "fewest": min(row["draws"] for row in scores),
        "before": histogram([row for row in scores if row["id"] not in adapted]),
        "after": histogram(scores),
        "selected": histogram([row for row in scores if row["id"] in selected]),
    }


def _pass_rates_by_round(run: RunData) -> list[dict[str, Any]]:
    """Of several rounds: the samples of round 1 as each round's model solves them; none of a single round."""
    if run.rounds < 2:
        return []
    first = {row["id"] for row in run.rows("score")}
    scored = [(at, run.rows(named("score", at))) for at in range(1, run.rounds + 1)]
    return [{"round": at, **histogram([row for row in rows if row["id"] in first])} for at, rows in scored if rows]


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
