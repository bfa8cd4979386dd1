"""What an export reads of a run folder: its plan, checked to the byte, and the sealed rows of ``select``.

Of a run with several rounds these are the last round's, which were chosen for the model that round began with.
Refuses a run without selected samples and one whose sealed files were changed. Asks no model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.rounds import named
from sdrl.run.artifacts import Artifacts, Row
from sdrl.run.folder import RunFolder
from sdrl.spec.diagnostics import Exit, SdrlError


@dataclass(frozen=True)
class Source:
    """One run: its folder, its plan, the samples it selected."""

    folder: RunFolder
    plan: Plan
    selected: list[Row]

    @property
    def result(self) -> dict[str, Any]:
        """``result.json`` of the run; empty for a run that has not ended."""
        path = self.folder.result
        found = json.loads(path.read_bytes()) if path.exists() else {}
        return found if isinstance(found, dict) else {}


def open_source(root: Path) -> Source:
    """Read a run.

    Raises:
        SdrlError: the plan in it was changed (E602), its select stage is not done (exit 2) or was changed (E607).
    """
    folder = RunFolder(root)
    plan = read_plan(folder.plan)
    artifacts = Artifacts(folder, Path())
    select = named("select", plan.settings.rounds)
    if changed := artifacts.changed(select):
        raise SdrlError(
            "E607",
            f"{folder.artifacts / changed[0]} is not what its seal says",
            help="give the same 'sdrl run' command again: the stage is made anew from the replies in the store",
            exit=Exit.STALE,
        )
    if not artifacts.is_sealed(select, plan.stage(select).hash):
        raise SdrlError(
            "",
            f"the run {root} has not selected its samples yet, so there is nothing to export",
            help=f"go on with the same 'sdrl run' command; see: sdrl status {root}",
            exit=Exit.USAGE,
        )
    return Source(folder, plan, artifacts.rows(select))
