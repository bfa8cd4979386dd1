"""What the rows of training say: curves by step, looks at the validation split, and checkpoints on the test sets.

Test accuracies by checkpoint come from ``sdrl run --post-hoc`` (``sdrl/run/post_hoc.py``): measured when everything was
chosen already, they select nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sdrl.compiler.rounds import named
from sdrl.report.data import answers_by_model
from sdrl.report.run_data import RunData
from sdrl.run.artifacts import Row
from sdrl.run.post_hoc import FEW_SHOT, POST_HOC
from sdrl.stages.statistics import evaluation_summary

_CURVES = ("reward", "kl", "entropy", "completion_length", "loss", "zero_variance_share", "parsable_share")


def training(run: RunData) -> dict[str, Any] | None:
    """The last round's curves and choice; ``rounds`` holds each round's where there are several. None before any."""
    found = [_one(run, at) for at in range(1, run.rounds + 1) if run.rows(named("train", at))]
    if not found:
        return None
    return {**found[-1], "rounds": found if len(found) > 1 else []}


def _one(run: RunData, round_: int) -> dict[str, Any]:
    stage = named("train", round_)
    rows, notes = run.rows(stage), (run.seal(stage) or {}).get("notes", {})
    steps = [row for row in rows if row.get("reward") is not None or row.get("loss") is not None]
    rewards = sorted({name for row in steps for name in row.get("rewards") or {}})
    curves = {name: _curve(steps, name) for name in _CURVES}
    curves |= {
        f"reward_{name}": [(row["step"], (row.get("rewards") or {}).get(name)) for row in steps] for name in rewards
    }
    looks = [row for row in rows if row.get("validation_accuracy") is not None]
    return {
        "round": round_,
        "steps": max(row["step"] for row in rows),
        "best_step": notes.get("best_step"),
        "early_stopped": bool(notes.get("early_stopped")),
        "reward_mode": notes.get("reward_mode", "correct"),
        "curves": {name: curve for name, curve in curves.items() if any(value is not None for _, value in curve)},
        "validation": [(row["step"], row["validation_accuracy"]) for row in looks],
    }


def _curve(rows: Sequence[Row], name: str) -> list[tuple[int, float | None]]:
    return [(row["step"], row.get(name)) for row in rows]


def post_hoc(run: RunData) -> dict[str, Any] | None:
    """``{chosen, sets: {name: [{step, n, accuracy, parsable, median_words, reflection_share}]}}`` by step; else None.

    Only answers to this plan's problems by checkpoints of this plan's training count.
    """
    seal = run.seal(POST_HOC)
    if seal is None or seal.get("hash") != (run.seal("evaluate") or {}).get("hash"):
        return None
    rows = run.rows(POST_HOC)
    sets = {
        name: _points([row for row in rows if row["set"] == name]) for name in dict.fromkeys(r["set"] for r in rows)
    }
    return {"chosen": seal.get("notes", {}).get("chosen"), "sets": sets} if sets else None


def few_shot(run: RunData) -> dict[str, Any] | None:
    """``{name: {demos, few_shot, trained, gain, interval, p}}`` by evaluation set: the trained model, asked without
    demos, beside the base model behind ``demos`` of them; None where that was not asked (``sdrl run --post-hoc``).
    """
    seal = run.seal(FEW_SHOT)
    if seal is None or seal.get("hash") != (run.seal("evaluate") or {}).get("hash"):
        return None
    found = {}
    for name, demos in seal["notes"]["demos"].items():
        base = [row for row in run.rows(FEW_SHOT) if row["set"] == name]
        trained = [row for row in run.rows("evaluate") if row["set"] == name and row["model"] == "trained"]
        made = evaluation_summary(base, trained, int(run.setting("seed") or 0))
        kept = {key: made[key] for key in ("trained", "gain", "interval", "p")}
        found[name] = {"demos": demos, "few_shot": made["base"], **kept}
    return found


def _points(rows: Sequence[Row]) -> list[dict[str, Any]]:
    found = []
    for step in sorted({row["step"] for row in rows}):
        here = [row for row in rows if row["step"] == step]
        verdicts = [row["verdict"] for row in here]
        about = answers_by_model([{**row, "model": "one"} for row in here], ("one",)).get("one", {})
        found.append(
            {
                "step": step,
                "n": len(here),
                "accuracy": round(verdicts.count("correct") / len(here), 6),
                "parsable": round((verdicts.count("correct") + verdicts.count("incorrect")) / len(here), 6),
                "median_words": about.get("median"),
                "reflection_share": about.get("reflection_share"),
            }
        )
    return found
