"""The run folder: which file lies where, and how a file is written so that a crash leaves the old one or the new one.

Writes only below the run folder; knows nothing of what the files mean.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to a file beside ``path``, fsync it, then rename it over ``path`` (and fsync the folder)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move_whole(building: Path, target: Path) -> None:
    """Rename a folder of finished files into its place, so that a power cut leaves all of it or nothing."""
    for path in sorted(building.rglob("*")):
        sync(path)
    sync(building)
    os.replace(building, target)
    sync(target.parent)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write indented JSON with sorted keys, atomically."""
    write_atomic(path, (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run (design: ``RUN/``)."""

    root: Path

    @property
    def plan(self) -> Path:
        """The frozen plan this run executes."""
        return self.root / "plan"

    @property
    def artifacts(self) -> Path:
        """``STAGE.jsonl``, ``STAGE.dropped.jsonl`` and ``STAGE.seal.json``."""
        return self.root / "artifacts"

    @property
    def events(self) -> Path:
        """The event log that every viewer reads."""
        return self.root / "events.jsonl"

    @property
    def result(self) -> Path:
        """``result.json``, written at every end, good or bad."""
        return self.root / "result.json"

    @property
    def report(self) -> Path:
        """The page for people, written where a run ends as its plan says."""
        return self.root / "report.html"

    @property
    def model(self) -> Path:
        """The trained model, servable as it stands."""
        return self.root / "model"

    @property
    def logs(self) -> Path:
        """Logs of the managed children."""
        return self.root / "logs"

    @property
    def training(self) -> Path:
        """The training process's job, metrics and checkpoints."""
        return self.root / "training"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes here."""
        return self.root / "lock"

    @property
    def truth(self) -> Path:
        """What the scripted instructor knows of the problems it wrote (embedded runs only)."""
        return self.root / "truth.jsonl"

    def create(self) -> None:
        """Make the folders, private to their owner."""
        for folder in (self.root, self.artifacts, self.logs, self.training):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
