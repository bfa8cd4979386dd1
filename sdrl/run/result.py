"""``result.json`` and the model's card: what a run came to, written at every end, each figure from the artifacts."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.compiler.rounds import named
from sdrl.models.ledger import Ledger
from sdrl.run.artifacts import Artifacts, Row
from sdrl.run.card import write_card
from sdrl.run.folder import RunFolder, write_json
from sdrl.run.readiness import readiness_of
from sdrl.spec.diagnostics import Exit
from sdrl.stages.statistics import evaluation_summary

RESULT_SCHEMA = 1
LIBRARIES = ("sdrl", "torch", "transformers", "trl", "accelerate", "tantivy", "openai")


def write_result(
    plan: Plan, folder: RunFolder, ledger: Ledger, status: str, exit_: Exit, message: str, seconds: float
) -> dict[str, Any]:
    """Write ``result.json`` for this end of the run, and give it; ``message`` says why it ended."""
    artifacts = Artifacts(folder, Path())
    funnel = _funnel(plan, artifacts)
    result: dict[str, Any] = {
        "schema": RESULT_SCHEMA,
        "plan_hash": plan.hash,
        "name": plan.name,
        "status": status,
        "message": message,
        "exit": int(exit_),
        "evaluations": evaluations_of(artifacts, plan.settings.seed),
        "validation": last_validation(plan, artifacts),
        "rounds": rounds_of(plan, artifacts),
        "readiness": readiness_of(plan, artifacts),
        "gate": gate_of(plan, artifacts),
        "funnel": funnel,
        "usage": dict(ledger.as_dict()),
        "seconds": {"this_process": round(seconds, 1), "stages": {row["stage"]: row["seconds"] for row in funnel}},
        "selected": sum(row["split"] == "train" for row in artifacts.rows("select")),
        "draws": sum(row["draws"] for row in artifacts.rows("score")),
        "versions": _versions(),
        "seeds": {"plan": plan.settings.seed},
    }
    write_json(folder.result, result)
    write_card(plan, folder, result)
    return result


def evaluations_of(artifacts: Artifacts, seed: int) -> list[dict[str, Any]]:
    """One entry an evaluation set, in the order of the plan: base, trained, gain and its interval."""
    rows = artifacts.rows("evaluate")
    names = list(dict.fromkeys(row["set"] for row in rows))
    return [_evaluation(name, [row for row in rows if row["set"] == name], seed) for name in names]


def _evaluation(name: str, rows: list[Row], seed: int) -> dict[str, Any]:
    base = [row for row in rows if row["model"] == "base"]
    trained = [row for row in rows if row["model"] == "trained"]
    about = {
        "name": name,
        "shift": rows[0]["shift"],
        "n_problems": len({row["problem"] for row in rows}),
        "n_runs": 1 + max(row["run"] for row in rows),
    }
    return {**about, **evaluation_summary(base, trained, seed)}


def rounds_of(plan: Plan, artifacts: Artifacts) -> list[dict[str, Any]]:
    """One entry a round that was scored: what its model (of the first, the base) solves, and what training gained.

    Pass rates are over all samples up to the round, so those of two rounds are of different sets; ``same`` is the mean
    over the samples of round 1, and can be compared.
    """
    first = {row["id"] for row in artifacts.rows("score")}
    found = []
    for at in range(1, plan.settings.rounds + 1):
        scores = artifacts.rows(named("score", at))
        if not scores:
            break
        same = [row["pass_rate"] for row in scores if row["id"] in first]
        chosen = artifacts.rows(named("select", at))
        found.append(
            {
                "round": at,
                "samples": len(scores),
                "pass_rate": round(sum(row["pass_rate"] for row in scores) / len(scores), 6),
                "same": round(sum(same) / len(same), 6) if same else None,
                "selected": sum(row["split"] == "train" for row in chosen),
                "validation": validation_of(artifacts, at),
            }
        )
    return found


def last_validation(plan: Plan, artifacts: Artifacts) -> dict[str, Any] | None:
    """The validation figures of the last round that trained; ``base`` is the model that this round began with."""
    for at in range(plan.settings.rounds, 1, -1):
        if (found := validation_of(artifacts, at)) is not None:
            return {**found, "round": at}
    return validation_of(artifacts)


def validation_of(artifacts: Artifacts, round_: int = 1) -> dict[str, Any] | None:
    """First and chosen accuracy on the sealed synthetic split of a round, as its training process measured them."""
    train = named("train", round_)
    rows = [row for row in artifacts.rows(train) if row.get("validation_accuracy") is not None]
    n = sum(row["split"] == "validation" for row in artifacts.rows(named("select", round_)))
    if not rows:
        return None
    chosen = (artifacts.seal(train) or {}).get("notes", {}).get("best_step")
    best = next((row for row in rows if row["step"] == chosen), rows[-1])
    return {
        "n": n,
        "base": rows[0]["validation_accuracy"],
        "trained": best["validation_accuracy"],
        "gain": round(best["validation_accuracy"] - rows[0]["validation_accuracy"], 6),
        "best_step": best["step"],
    }


def gate_of(plan: Plan, artifacts: Artifacts) -> dict[str, Any] | None:
    """The spec's gate and whether it is met; ``met`` is None while nothing was measured, the whole None without a gate.

    It speaks of the first evaluation set, or of the synthetic validation split where the spec declares none.
    """
    gate = plan.settings.gate
    if gate is None or gate.min_gain is None:
        return None
    evaluations, validation = evaluations_of(artifacts, plan.settings.seed), last_validation(plan, artifacts)
    measured = evaluations[0] if evaluations else validation
    gain = measured["gain"] if measured else None
    return {"min_gain": gate.min_gain, "gain": gain, "met": None if gain is None else gain >= gate.min_gain}


def _funnel(plan: Plan, artifacts: Artifacts) -> list[dict[str, Any]]:
    seals = [artifacts.seal(stage.name) for stage in plan.stages]
    return [
        {key: seal[key] for key in ("stage", "in", "rows", "dropped", "seconds")}
        for seal, stage in zip(seals, plan.stages, strict=True)
        if seal is not None and seal.get("hash") == stage.hash
    ]


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
