"""The file of the request cache: its tables, how it is opened, what its errors mean, how its damage shows.

Each draw carries a checksum of its own, because SQLite checks the form of a page and not what stands in it. Knows
nothing of threads and of HTTP. Reading a damaged file page by page is ``salvage``.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdrl.models.filesystem import is_on_network
from sdrl.spec.diagnostics import Exit, SdrlError

FILE_NAME = "requests.sqlite"
SCHEMA_VERSION = 2
BUSY_MS = 60_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draws (
  key TEXT NOT NULL, draw INTEGER NOT NULL, status TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
  reason TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, call INTEGER NOT NULL,
  sum INTEGER, PRIMARY KEY (key, draw)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, stage TEXT NOT NULL, role TEXT NOT NULL, key TEXT NOT NULL,
  first_draw INTEGER NOT NULL, n INTEGER NOT NULL, try INTEGER NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL,
  reply TEXT, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  usage_known INTEGER NOT NULL, microusd INTEGER NOT NULL, latency_ms INTEGER NOT NULL, at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_of_run ON calls (run);
"""


class DamagedError(sqlite3.DatabaseError):
    """A row is not what was written."""

    sqlite_errorname = "SQLITE_CORRUPT"


def draw_sum(key: str, *values: object) -> int:
    """Checksum of a draw as it is stored: its key and the values of its other columns."""
    return zlib.crc32("\x1f".join((key, *map(str, values))).encode())


def check_draw(key: str, row: Sequence[Any]) -> None:
    """Raise DamagedError for a row {draw, status, …, call, sum} that is not what was stored. Old rows have no sum."""
    *values, kept = row
    if kept is not None and kept != draw_sum(key, *values):
        raise DamagedError(f"draw {values[0]} of request {key[:16]} is not what was stored")


def connect(path: Path) -> sqlite3.Connection:
    """A connection in which nothing is a transaction unless it says so, and a commit is on disk."""
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=OFF")
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring those of the version before up to date. Raises SdrlError E831 for any other version."""
    # a write-ahead log needs memory that the processes share, which machines on a network file system do not
    _set_journal(connection, "TRUNCATE" if is_on_network(path) else "WAL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, 1, SCHEMA_VERSION):
        raise SdrlError(
            "E831",
            f"{path} was written by another version of sdrl (cache version {version}, this one reads {SCHEMA_VERSION})",
            help="use the version that wrote it, or another --store",
        )
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 1:
        connection.execute("ALTER TABLE draws ADD COLUMN sum INTEGER")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _set_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Set the journal mode, waiting for other processes: SQLite's own timeout does not cover every step of it."""
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def damage_mark(path: Path) -> Path:
    """The file that says that the cache at ``path`` is damaged: who opens it next takes over what is whole."""
    return path.with_name(f"{path.name}.damaged")


class clear_errors:
    """Turn SQLite's and the file system's errors into one clear message with the right exit code."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            raise _explain(error, self._path) from error


def _explain(error: sqlite3.Error | OSError, path: Path) -> SdrlError:
    name = getattr(error, "sqlite_errorname", "") or ""
    text = str(error)
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")) or "disk is full" in text or "No space left" in text:
        return SdrlError(
            "E832",
            f"the disk of the request cache is full or failing: {path}: {text}",
            help="free some space and run the same command again; every reply committed so far is kept",
            exit=Exit.STOPPED,
        )
    if name.startswith("SQLITE_BUSY") or "locked" in text:
        return SdrlError(
            "E833",
            f"another process holds the request cache for over {BUSY_MS // 1000} s: {path}",
            help="wait for the other run to end, or give this one another --store",
            exit=Exit.STOPPED,
        )
    # every text was valid UTF-8 when it was stored, so that one which is not has been damaged since
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "Could not decode to UTF-8" in text:
        with contextlib.suppress(OSError):
            damage_mark(path).touch()
        return SdrlError(
            "E834",
            f"the request cache is damaged: {path}: {text}",
            help="check the disk, then give the same command again: it takes every reply that is whole over into a new "
            "file and keeps the damaged one beside it",
            exit=Exit.STOPPED,
        )
    return SdrlError("E835", f"cannot use the request cache {path}: {text}", help="check its folder and its rights")
