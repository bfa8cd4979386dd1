"""One writer a run folder: an advisory lock, which the kernel releases with the process, so a crash leaves none.

Where the file system has no such locks (some network ones), a file says which process of which machine writes; it is
taken over when that process is gone, which a process id that was given to another does not hide.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError

TRIES = 10
PAUSE_S = 0.05  # a viewer that looks who holds the lock holds it itself for an instant


class _NoLocksError(Exception):
    """The file system has no advisory locks."""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock for the block's duration. Raises SdrlError (exit 5) naming the process that holds it already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file, contextlib.ExitStack() as stack:
        try:
            is_taken = _taken(file.fileno())
        except _NoLocksError:
            is_taken = _owned(_owner_file(path))
            if is_taken:
                stack.callback(_owner_file(path).unlink, missing_ok=True)
        if not is_taken:
            raise _refused(path)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _refused(path: Path) -> SdrlError:
    holder = holder_pid(path)
    owner = _owner(_owner_file(path))
    where = f" on {owner[0]}" if owner and owner[0] != socket.gethostname() else ""
    gone = f"; if it is gone, remove {_owner_file(path)}" if where else ""
    return SdrlError(
        "E871",
        f"another process{f' (pid {holder}{where})' if holder else ''} is writing to this run folder",
        help=f"wait for it, or stop it with: sdrl stop {path.parent}{gone}",
        exit=Exit.STOPPED,
    )


def _taken(descriptor: int) -> bool:
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError as error:
            raise _NoLocksError from error
        return True
    return False


def holder_pid(path: Path) -> int | None:
    """The pid of the process that holds the lock at ``path``, or None when nobody does."""
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two viewers are no writer to each other
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else 0
            except OSError:
                owner = _owner(_owner_file(path))
                return owner[1] if owner and not _is_gone(owner) else None
            return None
    except FileNotFoundError:
        return None


def ask_to_stop(path: Path) -> int | None:
    """Ask the process that holds the lock to end cleanly; its pid, or None where there is none to ask."""
    pid = holder_pid(path)
    if not pid:
        return None
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:  # it ended just now
        return None
    return pid


def _owner_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.owner")


def _owned(path: Path) -> bool:
    """Make the owner's file, in the place of one whose process is gone."""
    from sdrl.models.servers import start_time

    for _ in range(2):
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            owner = _owner(path)
            if owner is None or not _is_gone(owner):
                return False
            path.unlink(missing_ok=True)
            continue
        with os.fdopen(descriptor, "w") as file:
            json.dump([socket.gethostname(), os.getpid(), start_time(os.getpid())], file)
        return True
    return False


def _owner(path: Path) -> tuple[str, int, str | None] | None:
    try:
        host, pid, started = json.loads(path.read_bytes())
        return str(host), int(pid), started
    except (OSError, ValueError, TypeError):
        return None


def _is_gone(owner: tuple[str, int, str | None]) -> bool:
    """Whether the owner is a process of this machine that no longer runs, or whose id another process has now."""
    from sdrl.models.servers import start_time

    host, pid, started = owner
    return host == socket.gethostname() and start_time(pid) != started
