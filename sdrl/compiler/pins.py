"""What an earlier plan pinned, kept when its spec is compiled again without the hub: as a lock file is kept.

Reads a plan and its frozen evaluation rows. A pin is kept for a resource of the same name without a revision of its
own; frozen rows only where nothing that makes them has changed. ``compile --pin`` looks everything up anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sdrl.compiler.graph import dump_settings
from sdrl.compiler.plan import BasePrompt, Plan

PINNED = "pinned"


@dataclass(frozen=True)
class Pins:
    """Commits by kind (``model``, ``dataset``) and name; frozen rows by evaluation set; the base's chat template."""

    commits: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    chat: dict[str, BasePrompt] = field(default_factory=dict)

    def rows_of(self, name: str, made_of: dict[str, Any]) -> bytes | None:
        """The frozen rows of a set that was made of the same; None where there are none."""
        kept = self.rows.get(name)
        return kept[1] if kept and kept[0] == made_of else None


def pins_of(plan: Plan) -> Pins:
    """All pins of a plan that was read from its folder."""
    settings = dump_settings(plan)
    pins = Pins()
    for path, origin in plan.origins.items():
        if origin != PINNED:
            continue
        kind, place = ("model", "model") if path == "models.base.revision" else ("dataset", "dataset")
        table: Any = settings
        for step in path.split(".")[:-1]:
            table = table[int(step)] if isinstance(table, list) else table[step]
        pins.commits[kind, table[place]] = table["revision"]
    for index, evaluation in enumerate(plan.evaluations):
        if plan.origins.get(f"evaluate.{index}.revision") == PINNED and evaluation.sha256:
            made_of = rows_made_of(settings["evaluate"][index], plan.verifier, settings["seed"])
            pins.rows[evaluation.name] = made_of, plan.evaluation_path(evaluation).read_bytes()
    if plan.base.kind == "chat" and plan.base.chat_template and "models.base.revision" in plan.origins:
        pins.chat[settings["models"]["base"]["model"]] = plan.base
    return pins


def rows_made_of(evaluation: dict[str, Any], program: dict[str, Any], seed: int) -> dict[str, Any]:
    """Everything that decides the frozen rows of a set, but the data set's revision."""
    unread = ("revision", "runs", "sampling", "shift")
    return {"evaluation": {key: evaluation[key] for key in evaluation if key not in unread}, "of": [program, seed]}
