"""One writer a run folder: an advisory lock, which the kernel releases with the process, so a crash leaves none."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError

TRIES = 10
PAUSE_S = 0.05  # a viewer that looks who holds the lock holds it itself for an instant


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock for the block's duration. Raises SdrlError (exit 5) naming the process that holds it already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        if not _taken(file.fileno()):
            holder = holder_pid(path)
            raise SdrlError(
                "E871",
                f"another process{f' (pid {holder})' if holder else ''} is writing to this run folder",
                help=f"wait for it, or stop it with: sdrl stop {path.parent}",
                exit=Exit.STOPPED,
            )
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _taken(descriptor: int) -> bool:
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
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
            return None
    except FileNotFoundError:
        return None
