"""Figures that a run's events tell as soon as they are known, so that a viewer needs no artifact: pass rates, gains.

Reads rows of sealed stages and the result; recomputes nothing by sampling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sdrl.compiler.rounds import kind_of
from sdrl.run.artifacts import Artifacts, Row

TENTHS = 10
Emit = Callable[[str, Mapping[str, Any]], None]


def histogram(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts by pass rate: never solved, ten bins ``(k/10, (k+1)/10]`` below 1, always solved."""
    bins = [0] * TENTHS
    for row in rows:
        if 0 < row["correct"] < row["draws"]:
            bins[(row["correct"] * TENTHS - 1) // row["draws"]] += 1
    return {
        "n": len(rows),
        "mean": round(sum(row["pass_rate"] for row in rows) / len(rows), 6) if rows else None,
        "never": sum(row["correct"] == 0 for row in rows),
        "tenths": bins,
        "always": sum(0 < row["correct"] == row["draws"] for row in rows),
    }


def tell_pass_rates(stage: str, artifacts: Artifacts, emit: Emit) -> None:
    """What a scoring found, once it is sealed; nothing for other stages."""
    if kind_of(stage) == "score" and (rows := artifacts.rows(stage)):
        emit("pass_rates", {"stage": stage, "draws": max(row["draws"] for row in rows), **histogram(rows)})


def tell_gains(result: Mapping[str, Any], emit: Emit) -> None:
    """What training gained on each evaluation set, and on the sealed synthetic split; nothing where a run was cut."""
    if result["status"] not in ("done", "gate"):  # rows of an earlier pass may still lie there
        return
    for each in result["evaluations"]:
        if each["base"] is None or each["trained"] is None:
            continue
        accuracy = {name: each[name]["accuracy"] for name in ("base", "trained")}
        gain = {"gain": each["gain"], "interval": each["interval"]}
        emit("gain", {"set": each["name"], "n": each["n_problems"], **accuracy, **gain, "shift": each["shift"]})
    if (found := result["validation"]) is not None:
        keys = ("n", "base", "trained", "gain")
        emit("gain", {"set": "validation", **{key: found[key] for key in keys}, "interval": None, "shift": "synthetic"})
