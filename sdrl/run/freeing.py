"""What of a store no run needs any more: sealed stages by hash, passage indexes, what a killed process left half made.

All of it is made anew at no cost from the replies, which are never touched, nor is anything that this program did not
write. What runs need is read from their folders; runs that lie elsewhere are not seen.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.run.folder import RunFolder
from sdrl.run.lock import holder_pid
from sdrl.spec.diagnostics import Exit, SdrlError

KINDS = {"artifacts": "sealed stages", "indexes": "passage indexes"}  # folders of a store


@dataclass(frozen=True)
class Spare:
    """One folder of the store that no run names; ``size`` in bytes."""

    path: Path
    size: int


def spare(store: Path, runs: Path) -> dict[str, list[Spare]]:
    """By kind of ``KINDS``, what no run below ``runs`` names.

    Raises:
        SdrlError: a run is under way there (exit 5): it may be about to name something.
    """
    folders = [RunFolder(path.parent) for path in sorted(runs.glob("**/events.jsonl"))]
    for folder in folders:
        if holder_pid(folder.lock) is not None:
            raise SdrlError(
                "",
                f"{folder.lock.parent} is under way, and may need what seems to be spare",
                help=f"wait for it, or stop it with: sdrl stop {folder.lock.parent}",
                exit=Exit.STOPPED,
            )
    named = {name for folder in folders for name in _named(folder)}
    return {
        kind: [Spare(path, _size(path)) for path in _folders(store / kind) if path.name not in named] for kind in KINDS
    }


def free(found: Spare) -> None:
    """Remove it: out of the way in one step first, so that a process that is killed here leaves no half of it."""
    aside = found.path.with_name(f".{found.path.name.lstrip('.')}.gone")
    found.path.rename(aside)
    shutil.rmtree(aside)


def _folders(place: Path) -> list[Path]:
    """The folders of a store's kind; a link is none, for what it leads to is somebody else's."""
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.is_symlink())


def _named(folder: RunFolder) -> Iterator[str]:
    """Hashes of a run's stages, those of its plan and those that it sealed, and the indexes that it read."""
    plan = _read(folder.plan / "plan.json")
    for stage in plan.get("stages") or []:
        yield str(stage.get("hash"))
    for path in folder.artifacts.glob("*.seal.json"):
        seal = _read(path)
        yield str(seal.get("hash"))
        yield str((seal.get("notes") or {}).get("index"))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
