"""Checkpoints one can trust: marked when complete, tested before use, the best one kept apart.

Trainer writes a checkpoint file by file and picks the newest by its number; a kill in between leaves one that looks
whole. So each finished one gets COMPLETE.json (name, size, sha256 of every file; the folder of the best weights up to
it), and only those that still match, with the best weights they count on, are resumed from. Reads and writes below the
work folder. No torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import zipfile
from pathlib import Path

from sdrl.training.job import Curve, write_atomically

MARKER = "COMPLETE.json"
_NAME = re.compile(r"^checkpoint-(\d+)$")
# Beyond this a file is checked by size and structure: hashing tens of gigabytes would cost minutes a save.
_HASHED_BYTES = 256 << 20
_ARCHIVES = {".pt", ".pth", ".bin"}


def mark_complete(checkpoint: Path, needs: Path | None = None) -> None:
    """Write the marker of a finished folder, after its files reached the disk.

    ``needs``: another marked folder without which this one is worth nothing, the best weights up to a checkpoint.
    """
    files = {}
    for path in sorted(checkpoint.rglob("*")):
        if path.is_file() and path.name != MARKER:
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
            size = path.stat().st_size
            files[path.relative_to(checkpoint).as_posix()] = {"size": size, "sha256": _sha256(path, size)}
    beside = None if needs is None else os.path.relpath(needs, checkpoint)
    write_atomically(checkpoint / MARKER, json.dumps({"files": files, "needs": beside}, indent=1) + "\n")


def is_valid(checkpoint: Path) -> bool:
    """Return whether a checkpoint can be gone on from: it is whole, and so is the folder that it needs."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        beside = needed_by(checkpoint)
    except (OSError, ValueError, TypeError, AttributeError):
        return False
    return is_whole(checkpoint) and (beside is None or is_whole(beside))


def is_whole(folder: Path) -> bool:
    """Return whether a folder is complete and unchanged: marker, sizes, hashes, and the form of its files."""
    try:
        files = json.loads((folder / MARKER).read_text(encoding="utf-8"))["files"]
        return bool(files) and all(_matches(folder / name, entry) for name, entry in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def needed_by(checkpoint: Path) -> Path | None:
    """Return the folder that a marked checkpoint needs. Raises: OSError, ValueError, TypeError for a bad marker."""
    beside = json.loads((checkpoint / MARKER).read_text(encoding="utf-8")).get("needs")
    return None if beside is None else Path(os.path.normpath(checkpoint / beside))


def needed(folder: Path) -> set[str]:
    """Return the names of the folders that the marked checkpoints of a folder need."""
    found: set[str] = set()
    for checkpoint in folder.glob("checkpoint-*"):
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            found |= {beside.name for beside in [needed_by(checkpoint)] if beside is not None}
    return found


def _matches(path: Path, entry: dict[str, object]) -> bool:
    if not path.is_file() or path.stat().st_size != entry["size"]:
        return False
    if entry["sha256"] is not None:
        return _sha256(path, path.stat().st_size) == entry["sha256"]
    if path.suffix in _ARCHIVES:
        return zipfile.is_zipfile(path)
    return path.suffix != ".safetensors" or _is_safetensors(path)


def _is_safetensors(path: Path) -> bool:
    """Return whether the header parses and its tensors end where the file ends. Source: the safetensors format."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if length > 100 << 20:
            return False
        header = json.loads(handle.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return bool(8 + length + max(ends, default=0) == path.stat().st_size)


def _sha256(path: Path, size: int) -> str | None:
    if size > _HASHED_BYTES:
        return None
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def step_of(checkpoint: Path) -> int:
    """Return the step in a checkpoint's name, -1 for another folder."""
    match = _NAME.match(checkpoint.name)
    return int(match.group(1)) if match else -1


def newest_valid(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest checkpoint that can be trusted, and the newer ones that were passed over."""
    passed_over: list[Path] = []
    found = sorted((path for path in folder.glob("checkpoint-*") if step_of(path) >= 0), key=step_of, reverse=True)
    for path in found:
        if is_valid(path):
            return path, passed_over
        passed_over.append(path)
    return None, passed_over


def discard(checkpoints: list[Path]) -> None:
    """Remove damaged checkpoints, so that Trainer's rotation by number never prefers one to a good one."""
    for path in checkpoints:
        shutil.rmtree(path, ignore_errors=True)


def best(curve: list[Curve]) -> Curve | None:
    """Return the look with the highest accuracy; among equals the more parsable, then the earlier.

    The earlier of two equals has moved less from the base, which is what a tie on a small split can justify.
    """
    return max(curve, key=lambda look: (look.accuracy, look.parsable, -look.step), default=None)


def is_out_of_patience(curve: list[Curve], patience: int | None) -> bool:
    """Return whether the last `patience` looks brought no new best."""
    if patience is None or (top := best(curve)) is None:
        return False
    return sum(look.step > top.step for look in curve) >= patience


def swap_folder(new: Path, place: Path) -> None:
    """Move a finished folder to its place; an older one there is gone only once the new one is."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        os.replace(place, old)
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(new, place)
    shutil.rmtree(old, ignore_errors=True)
