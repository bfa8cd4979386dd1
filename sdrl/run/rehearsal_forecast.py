"""What a whole run will take, from what a rehearsal measured and what the plan expects to ask for.

Hours: the base model's tokens of each stage at the measured rate, updates at the measured seconds an update, in the
expected case shortened to usual rollouts. The instructor's hours hang on its endpoint and are not forecast; its cost is
the plan's estimate. No forecast from a small shape: its rates are no rates of this plan.
"""

from __future__ import annotations

from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.run.rehearse import Measured, Rehearsal

ASKED_LIKE = {"probe": "score", "score": "score", "evaluate": "evaluate"}  # stage -> the part whose rate it has


def forecast(plan: Plan, done: Rehearsal, gpu_hour_usd: float | None) -> dict[str, Any] | None:
    """Hours by stage, of the GPUs together, and cost: expected and worst; None for a small shape."""
    if done.is_small:
        return None
    stages: dict[str, dict[str, float]] = {}
    for entry in plan.estimate["stages"]:
        if (like := ASKED_LIKE.get(entry["stage"])) is not None and (rate := done.part(like).rate):
            stages[entry["stage"]] = {
                case: _hours(entry[case]["completion_tokens"] / rate) for case in ("expected", "worst")
            }
    update = sum(done.step_seconds) / len(done.step_seconds) if done.step_seconds else 0.0
    updates = plan.estimate["training"]["updates"]
    stages["train"] = {"expected": _hours(update * updates * _shorter(plan, done)), "worst": _hours(update * updates)}
    hardware = plan.settings.hardware
    gpus = max(1, hardware.gpus) * hardware.nodes
    total = {case: round(sum(stage[case] for stage in stages.values()), 4) for case in ("expected", "worst")}
    return {
        "stages_hours": stages,
        "hours": total,
        "gpu_hours": {case: round(total[case] * gpus, 4) for case in total},
        "instructor_microusd": {case: plan.estimate["instructor"][case]["microusd"] for case in total},
        "gpus_microusd": None
        if gpu_hour_usd is None
        else {case: round(total[case] * gpus * gpu_hour_usd * 1_000_000) for case in total},
    }


def _shorter(plan: Plan, done: Rehearsal) -> float:
    """How long a usual answer is beside the rehearsal's, which run to the limit; at most 1.

    SFT learns the instructor's voted solutions, all else learns answers of the model itself.
    """
    like = "vote" if plan.settings.train.algorithm == "sft" else "score"
    usual = next(entry["expected"] for entry in plan.estimate["stages"] if entry["stage"] == like)
    if not done.completion_tokens or not usual["draws"]:
        return 1.0
    return min(1.0, float(usual["completion_tokens"] / usual["draws"] / done.completion_tokens))


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 4)


def document(plan: Plan, done: Rehearsal, gpu_hour_usd: float | None) -> dict[str, Any]:
    """The rehearsal as JSON values."""
    planned = plan.estimate.get("hardware")
    return {
        "schema": 1,
        "plan": plan.name,
        "plan_hash": plan.hash,
        "is_small": done.is_small,
        "tokenizer": done.tokenizer,
        "memory_of": done.memory_of,
        "parts": [_part(each) for each in done.parts],
        "step_seconds": [round(each, 3) for each in done.step_seconds],
        "planned_peak_gb": planned["peak_gb"] if planned else None,
        "forecast": forecast(plan, done, gpu_hour_usd),
    }


def _part(part: Measured) -> dict[str, Any]:
    return {
        "stage": part.stage,
        "seconds": round(part.seconds, 3),
        "tokens": part.tokens,
        "tokens_per_second": None if part.rate is None else round(part.rate, 1),
        "peak_gb": round(part.peak_gb, 3),
        "note": part.note,
    }
