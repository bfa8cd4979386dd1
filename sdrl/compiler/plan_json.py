"""A plan as one JSON document and back. No hashing, no files: ``plan_file`` does both.

Texts that people read on their own (prompt templates, the verifier program, demos, evaluation rows) stand in files of
their own and are referred to here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sdrl.compiler.graph import dump_settings
from sdrl.compiler.plan import (
    BasePrompt,
    CorpusFile,
    EvaluationPlan,
    PartPlan,
    Plan,
    StagePlan,
)
from sdrl.compiler.sample import Sample

DEMOS_FILE = "data/demos.jsonl"


def encode_plan(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values, without what lies in files of its own."""
    parts = [{key: value for key, value in asdict(part).items() if key != "demos"} for part in plan.parts]
    return {
        "schema": plan.schema,
        "name": plan.name,
        "hash": plan.hash,
        "settings": dump_settings(plan),
        "origins": dict(plan.origins),
        "stages": [
            {"name": stage.name, "identity": stage.identity, "parents": list(stage.parents), "hash": stage.hash}
            for stage in plan.stages
        ],
        "parts": parts,
        "prompts": sorted(plan.templates),
        "verifier": plan.verifier,
        "base": {**asdict(plan.base), "stop": list(plan.base.stop), "end_ids": list(plan.base.end_ids)},
        "corpus": [asdict(file) for file in plan.corpus],
        "identities": dict(plan.identities),
        "evaluations": [asdict(evaluation) for evaluation in plan.evaluations],
        "requires": dict(plan.requires),
        "pending": list(plan.pending),
        "estimate": plan.estimate,
        "self_test": plan.self_test,
    }


def decode_plan(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> Plan:
    """The inverse; ``contents`` are the files by relative path.

    Raises:
        KeyError, TypeError, ValueError: the document does not have this form.
    """
    from sdrl.spec.model import Spec

    base = dict(document["base"])
    base["stop"], base["end_ids"] = tuple(base["stop"]), tuple(base["end_ids"])
    demos = _decode_demos(contents.get(DEMOS_FILE, b""))
    return Plan(
        name=document["name"],
        hash=document["hash"],
        settings=Spec.model_validate(document["settings"]),
        origins=dict(document["origins"]),
        stages=tuple(
            StagePlan(stage["name"], stage["identity"], tuple(stage["parents"]), stage["hash"])
            for stage in document["stages"]
        ),
        parts=tuple(PartPlan(**part, demos=tuple(demos.get(part["name"], ()))) for part in document["parts"]),
        verifier=document["verifier"],
        templates={name: contents[f"prompts/{name}.jinja"].decode() for name in document["prompts"]},
        base=BasePrompt(**base),
        corpus=tuple(CorpusFile(**file) for file in document["corpus"]),
        identities=dict(document["identities"]),
        evaluations=tuple(EvaluationPlan(**evaluation) for evaluation in document["evaluations"]),
        requires=dict(document["requires"]),
        pending=tuple(document["pending"]),
        estimate=document["estimate"],
        self_test=document["self_test"],
        schema=document["schema"],
    )


def _decode_demos(content: bytes) -> dict[str, list[Sample]]:
    demos: dict[str, list[Sample]] = {}
    for line in content.split(b"\n"):
        if line:
            row = json.loads(line)
            demos.setdefault(row["part"], []).append(Sample.from_dict(row))
    return demos
