"""Takes over what is whole from a damaged request cache: row by row from the pages themselves, without SQLite's help.

A flipped bit, a lost page or a damaged write-ahead log costs the rows it hit and no other. The damaged file is kept
beside the new one. A draw is taken when its
checksum holds, a request when its key is the hash of its body. Runs alone: whoever else has the store open keeps it
from starting.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sdrl.models.cache_file import DamagedError, check_draw, connect, damage_mark, prepare
from sdrl.models.pages import MAGIC, Log, Pages
from sdrl.spec.diagnostics import Exit, SdrlError

_STATUSES = frozenset({"ok", "truncated", "filtered", "failed"})


@dataclass(frozen=True)
class Salvaged:
    """What was taken over, and where the damaged file lies now."""

    draws: int
    calls: int
    kept_as: Path

    def __str__(self) -> str:
        return (
            f"the request cache was damaged: {self.draws} replies and {self.calls} calls were taken over, the damaged "
            f"file is kept as {self.kept_as}; what is missing is asked again"
        )


def hold_open(path: Path) -> tuple[IO[bytes], Salvaged | None]:
    """Mark the cache as in use, mending it first where it is damaged and nobody else uses it.

    Returns the lock's file, to be closed with the cache, and what was mended. Raises SdrlError E834 where it is
    damaged and another process has it open, or where nothing in it can be read.
    """
    lock = open(path.with_name(f"{path.name}.lock"), "ab", opener=lambda name, how: os.open(name, how, 0o600))
    try:
        alone = _lock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mended = None
        if _is_damaged(path, alone=alone):
            if not alone:
                raise SdrlError(
                    "E834",
                    f"the request cache is damaged and another process has it open: {path}",
                    help="end the other run (sdrl runs), then give the same command again",
                    exit=Exit.STOPPED,
                )
            mended = _salvage(path)
        _lock(lock, fcntl.LOCK_SH)
    except BaseException:
        lock.close()
        raise
    return lock, mended


def _lock(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: SQLite's own are all there is
        return True
    return True


def _is_damaged(path: Path, *, alone: bool) -> bool:
    if damage_mark(path).exists() or _finished(path).exists():
        return True
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        head = file.read(16)
        if head and head != MAGIC:
            return True
    return alone and _log_breaks_off(path)


def _log_breaks_off(path: Path) -> bool:
    """Whether SQLite would pass over whole transactions of the write-ahead log because an earlier one is damaged.

    It ends the log at the first frame whose checksum fails and says nothing. A kill leaves no complete transaction
    behind that frame.
    """
    frames = _log(path)
    if frames is None:
        return False
    with contextlib.closing(connect(path)) as probe:
        try:
            probe.execute("SELECT count(*) FROM sqlite_master").fetchone()
            shared = path.with_name(f"{path.name}-shm").read_bytes()[16:20]
        except (sqlite3.Error, OSError):
            return False  # said by whoever uses the file next
        seen = int(struct.unpack("=I", shared)[0]) if len(shared) == 4 else 0
        if frames.n_frames <= seen:
            return False
        damage_mark(path).touch()
        _copy(path.with_name(f"{path.name}-wal"), _kept_log(path))  # closing takes the log away
    return True


def _kept_log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal.damaged")


def _log(path: Path) -> Log | None:
    return Log.read(_kept_log(path), path.with_name(f"{path.name}-wal"))


def _finished(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvaged")


def _salvage(path: Path) -> Salvaged:
    """Write what is whole into a new file and put it in place; a kill in between is made good by the next start."""
    ready = _finished(path)
    if not ready.exists():
        building = path.with_name(f"{path.name}.salvaging")
        building.unlink(missing_ok=True)
        if not _rebuild(Pages.of(path, _log(path)), building):
            raise SdrlError(
                "E834",
                f"the request cache is damaged, and nothing in it can be read: {path}",
                help="move it away and give the same command again; sealed stages are kept",
                exit=Exit.STOPPED,
            )
        _keep(path)
        os.replace(building, ready)
    for left in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + left).unlink(missing_ok=True)
    _kept_log(path).unlink(missing_ok=True)
    damage_mark(path).unlink(missing_ok=True)
    os.replace(ready, path)
    with contextlib.closing(connect(path)) as whole:
        draws, calls = (whole.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("draws", "calls"))
    return Salvaged(draws, calls, _last_kept(path))


def _names(path: Path) -> Iterator[Path]:
    number = 1
    while True:
        yield path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
        number += 1


def _keep(path: Path) -> None:
    """A copy of the damaged file, and of its log, under a name that nothing else has."""
    place = next(name for name in _names(path) if not name.exists())
    _copy(path, place)
    for log in (_kept_log(path), path.with_name(f"{path.name}-wal")):
        if log.exists():
            _copy(log, place.with_name(f"{place.name}-wal"))
            return


def _last_kept(path: Path) -> Path:
    last = path
    for name in _names(path):
        if not name.exists():
            return last
        last = name
    raise AssertionError("unreachable")


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new:
        while block := old.read(2**20):
            new.write(block)
        new.flush()
        os.fsync(new.fileno())


def _rebuild(pages: Pages, target: Path) -> bool:
    """Whether anything was found."""
    with contextlib.closing(connect(target)) as db:
        prepare(db, target)
        db.execute("PRAGMA journal_mode=DELETE")  # one file, which can be renamed
        db.execute("BEGIN")
        found = False
        for row in pages.rows():
            found = _take(db, row) or found
        db.execute("COMMIT")
    return found


def _take(db: sqlite3.Connection, row: Sequence[Any]) -> bool:
    """Take a row over when it is one of ours and whole. Old copies of a row are met too: the settled one counts."""
    with contextlib.suppress(DamagedError, TypeError, ValueError, sqlite3.Error):
        if len(row) == 4 and hashlib.sha256(row[3].encode()).hexdigest() == row[0]:
            db.execute("INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?)", row)
            return True
        if len(row) in (9, 10) and row[2] in _STATUSES and len(row[0]) == 64:
            whole = (*row, None)[:10]
            check_draw(row[0], whole[1:])
            keep = "REPLACE" if row[2] != "failed" else "IGNORE"
            db.execute(f"INSERT OR {keep} INTO draws VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", whole)
            return True
        if len(row) == 18 and len(row[4]) == 64 and all(isinstance(row[at], int) for at in (5, 6, 7, 11, 12, 13, 15)):
            keep = "REPLACE" if row[8] != "open" else "IGNORE"
            db.execute(f"INSERT OR {keep} INTO calls VALUES ({', '.join('?' * 18)})", row)
            return True
    return False
