"""The run folder that a command names, or why it is none and how one comes to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.run.folder import RunFolder


def run_folder(root: Path) -> RunFolder:
    """The folder of a run that has begun.

    Raises:
        SdrlError: there is none; exit 2.
    """
    from sdrl.run.folder import RunFolder
    from sdrl.spec.diagnostics import Exit, SdrlError

    folder = RunFolder(root)
    if folder.events.exists():
        return folder
    if (root / "plan.json").is_file():
        message, help_ = f"{root} is a plan, not a run", f"run it: sdrl run {root}"
    elif root.exists():
        message, help_ = f"{root} is no run folder (it has no events.jsonl)", "see: sdrl runs"
    else:
        message, help_ = f"there is no run at {root}", "'sdrl run PLAN' begins one; 'sdrl runs' lists what there is"
    raise SdrlError("", message, help=help_, exit=Exit.USAGE)
