"""The rows of an export: every sample with the exact prompt of the training, its gold, and where it comes from.

All rows have the same keys, so that a table can be made of them. ``test`` are the frozen problems of the plan's
evaluation sets, which are other people's and were never trained on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.prompts import Prompts
from sdrl.export.source import Source

Sample = dict[str, Any]
SPLITS = ("train", "validation", "test")
# of a selected row: where the sample comes from and what was measured on it
KEPT = ("part", "origin", "parent", "passage", "agreement", "draws", "correct", "pass_rate", "rank")


def samples(source: Source) -> dict[str, list[Sample]]:
    """The rows by split, in the order of the run."""
    prompts, plan = Prompts(source.plan), source.plan
    split: dict[str, list[Sample]] = {name: [] for name in SPLITS}
    for row in source.selected:
        kept = {key: row.get(key) for key in KEPT}
        made = _sample(prompts, plan.part(row["part"]), row, completion=row["solution"] or None)
        split[row["split"]].append({**made, **kept, "set": None})
    for evaluation in plan.evaluations:
        for line in plan.evaluation_path(evaluation).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            part = plan.part(row.get("part") or plan.parts[0].name)
            kept = {**dict.fromkeys(KEPT), "part": part.name}
            split["test"].append({**_sample(prompts, part, row), **kept, "set": evaluation.name})
    return split


def _sample(prompts: Prompts, part: PartPlan, row: Mapping[str, Any], completion: str | None = None) -> Sample:
    options = row.get("options")
    return {
        "id": row["id"],
        "prompt": prompts.answer(part, row["input"], options),
        "messages": list(prompts.conversation(part, row["input"], options)),
        "gold": row["gold"],
        "options": options,
        "input": row["input"],
        "completion": completion,
    }


def json_lines(rows: list[Sample]) -> bytes:
    """Rows as JSON Lines, keys in the order of reading."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
