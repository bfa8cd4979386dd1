"""A stage's rows and the seal that says they are whole.

``STAGE.jsonl`` holds what goes on, ``STAGE.dropped.jsonl`` what was dropped with its code; ``STAGE.seal.json`` holds
the stage hash, the files' sha256, counts and time. A stage is done exactly when its seal carries the plan's stage
hash and the files still have the sealed digests. The store keeps every sealed stage by hash, so that a reverted spec
costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sdrl.run.folder import RunFolder, move_whole, write_atomic, write_json

Row = dict[str, Any]
SEAL_SCHEMA = 1


def encode_rows(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as JSON Lines: sorted keys, UTF-8, one line a row; equal rows give equal bytes."""
    lines = (
        json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for row in rows
    )
    return "".join(line + "\n" for line in lines).encode()


def read_rows(path: Path) -> list[Row]:
    """Read JSON Lines; a missing file is no rows, a torn last line is ignored."""
    if not path.exists():
        return []
    rows: list[Row] = []
    lines = path.read_bytes().split(b"\n")
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            if index < len(lines) - 1:
                raise
    return rows


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Artifacts:
    """Reads and writes the sealed stages of one run folder, and shares them through the store by stage hash."""

    def __init__(self, folder: RunFolder, store: Path) -> None:
        self._folder = folder
        self._store = store / "artifacts"

    def path(self, stage: str) -> Path:
        """The rows of ``stage``."""
        return self._folder.artifacts / f"{stage}.jsonl"

    def _files(self, stage: str) -> tuple[Path, Path, Path]:
        base = self._folder.artifacts
        return base / f"{stage}.jsonl", base / f"{stage}.dropped.jsonl", base / f"{stage}.seal.json"

    def rows(self, stage: str) -> list[Row]:
        """Rows that ``stage`` passed on, in index order."""
        return read_rows(self.path(stage))

    def dropped(self, stage: str) -> list[Row]:
        """Rows that ``stage`` dropped, each with its code."""
        return read_rows(self._files(stage)[1])

    def seal(self, stage: str) -> dict[str, Any] | None:
        """The seal of ``stage``, or None when it was never sealed or cannot be read."""
        path = self._files(stage)[2]
        try:
            seal = json.loads(path.read_bytes())
        except (OSError, json.JSONDecodeError):
            return None
        return seal if isinstance(seal, dict) else None

    def is_sealed(self, stage: str, stage_hash: str) -> bool:
        """Whether ``stage`` is done under this hash and its files are unchanged."""
        seal = self.seal(stage)
        if seal is None or seal.get("hash") != stage_hash or seal.get("schema") != SEAL_SCHEMA:
            return False
        return not self.changed(stage)

    def changed(self, stage: str) -> list[str]:
        """Names of the files of ``stage`` that are not what its seal says; none while it is not sealed."""
        seal = self.seal(stage)
        if seal is None:
            return []
        rows, dropped, _ = self._files(stage)
        wanted = seal.get("sha256", {})
        return [path.name for path in (rows, dropped) if not path.exists() or _digest(path) != wanted.get(path.name)]

    def write(
        self,
        stage: str,
        stage_hash: str,
        rows: list[Row],
        dropped: list[Row],
        *,
        came_in: int,
        seconds: float,
        notes: Mapping[str, Any],
        versions: Mapping[str, str],
    ) -> dict[str, Any]:
        """Write rows, dropped rows and, last, the seal; returns the seal."""
        rows_path, dropped_path, seal_path = self._files(stage)
        write_atomic(rows_path, encode_rows(rows))
        write_atomic(dropped_path, encode_rows(dropped))
        seal = {
            "schema": SEAL_SCHEMA,
            "stage": stage,
            "hash": stage_hash,
            "in": came_in,
            "rows": len(rows),
            "dropped": dict(sorted(Counter(row["code"] for row in dropped).items())),
            "seconds": round(seconds, 3),
            "notes": dict(notes),
            "versions": dict(versions),
            "sha256": {path.name: _digest(path) for path in (rows_path, dropped_path)},
        }
        write_json(seal_path, seal)
        return seal

    def keep(self, stage: str, stage_hash: str) -> None:
        """Put a sealed stage into the store."""
        target = self._store / stage_hash
        if target.exists():
            return
        building = self._store / f".{stage_hash}.{os.getpid()}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for path in self._files(stage):
            shutil.copyfile(path, building / path.name)
        try:
            move_whole(building, target)
        except OSError:  # another run of the same plan was quicker
            shutil.rmtree(building, ignore_errors=True)

    def fetch(self, stage: str, stage_hash: str) -> bool:
        """Bring a stage that another run sealed under the same hash into this run; False when there is none."""
        source = self._store / stage_hash
        files = self._files(stage)
        if not source.exists():
            return False
        if all((source / path.name).is_file() for path in files):
            for path in files:
                write_atomic(path, (source / path.name).read_bytes())
            if self.is_sealed(stage, stage_hash):
                return True
        shutil.rmtree(source, ignore_errors=True)  # damaged there: what this run makes takes its place
        return False
