"""Where a process can die or lose its disk: every fsync, rename, commit and write of SQLite, counted in this process.

``install`` puts a counter around them; at the chosen one the process is killed (SIGKILL), or from it on the disk is
full. Used in a child that is about to run ``sdrl``. Writes of SQLite are met through its own table of system calls,
where the library's symbols can be found; ``sqlite_writes_can_be_met`` says whether.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["fsync", "rename", "commit", "write"]
ORDINARY: tuple[Kind, ...] = ("fsync", "rename", "commit")
When = Literal["before", "after", "full"]


@dataclass
class Points:
    """``at`` counts from 1; 0 never happens. ``full``: the call and all later ones fail as on a full disk."""

    at: int = 0
    when: When = "before"
    kinds: tuple[Kind, ...] = ORDINARY
    met: list[str] = field(default_factory=list)

    def around(self, kind: Kind, detail: str, call: Callable[[], Any], refuse: Callable[[], Any]) -> Any:
        """Make the call, unless this is where it ends."""
        if kind not in self.kinds:
            return call()
        self.met.append(f"{kind} {detail}")
        number = len(self.met)
        if self.when == "full" and self.at and number >= self.at:
            return refuse()
        if number == self.at and self.when == "before":
            die()
        value = call()
        if number == self.at and self.when == "after":
            die()
        return value


def die() -> None:
    """As the kernel ends a process that has used up the memory: at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def install(points: Points) -> None:
    """Count from now on, for the rest of the process's life."""
    fsync, replace = os.fsync, os.replace

    def full(path: object = None) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), None if path is None else str(path))

    def counted_replace(source: Any, target: Any, **more: Any) -> None:
        call = lambda: replace(source, target, **more)  # noqa: E731
        points.around("rename", f"{_path(source)} to {_path(target)}", call, lambda: full(target))

    def counted_fsync(file: Any) -> None:
        points.around("fsync", _path(f"/proc/self/fd/{file}"), lambda: fsync(file), full)

    os.fsync, os.replace, os.rename = counted_fsync, counted_replace, counted_replace  # type: ignore[assignment]
    _count_commits(points)
    if "write" in points.kinds:
        _count_sqlite_writes(points)


def _path(path: Any) -> str:
    """Where a path leads, seen from the working folder."""
    return os.path.relpath(os.path.realpath(path), os.path.realpath("."))


def _count_commits(points: Points) -> None:
    def refuse() -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    class Counted(sqlite3.Connection):
        def execute(self, sql: str, *more: Any) -> Any:
            run = lambda: sqlite3.Connection.execute(self, sql, *more)  # noqa: E731
            return points.around("commit", "", run, refuse) if sql == "COMMIT" else run()

    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **k: connect(*a, **{"factory": Counted, **k})  # type: ignore[assignment]


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs`` of sqlite3.h, version 3."""

    _fields_ = (
        *(("iVersion", ctypes.c_int), ("szOsFile", ctypes.c_int), ("mxPathname", ctypes.c_int)),
        *((name, ctypes.c_void_p) for name in ("pNext", "zName", "pAppData")),
        *((f"method{number}", ctypes.c_void_p) for number in range(13)),
        *((name, ctypes.c_void_p) for name in ("xSetSystemCall", "xGetSystemCall", "xNextSystemCall")),
    )


_PWRITE = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
)
_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_GET = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
_kept: list[object] = []  # ctypes callbacks must outlive their use


def _unix_vfs() -> Any:
    import _sqlite3

    try:
        find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    except (AttributeError, OSError):
        return None
    find.restype = ctypes.POINTER(_Vfs)
    vfs = find(None)
    return vfs if vfs and vfs.contents.iVersion >= 3 else None


def sqlite_writes_can_be_met() -> bool:
    """Whether this interpreter's SQLite lets its system calls be replaced."""
    return _unix_vfs() is not None


def _count_sqlite_writes(points: Points) -> None:
    """A write that is killed "after" is torn: half of it reaches the file."""
    vfs = _unix_vfs()
    assert vfs is not None
    names = [name for name in (b"pwrite64", b"pwrite") if _GET(vfs.contents.xGetSystemCall)(vfs, name)]
    pwrite = _PWRITE(_GET(vfs.contents.xGetSystemCall)(vfs, names[0]))

    def counted(file: int, data: int, size: int, offset: int) -> int:
        def torn() -> int:
            ending = points.when == "after" and len(points.met) == points.at
            return int(pwrite(file, data, size // 2 if ending else size, offset))

        def refuse() -> int:
            ctypes.set_errno(errno.ENOSPC)
            return -1

        return int(points.around("write", f"{size} at {offset}", torn, refuse))

    callback = _PWRITE(counted)
    _kept.append(callback)
    _SET(vfs.contents.xSetSystemCall)(vfs, names[0], ctypes.cast(callback, ctypes.c_void_p))
