"""What /proc says of processes: who belongs to a server's group, so that nobody of it is left over.

A killed server leaves the processes it started itself (vLLM's engine and workers rename themselves and lose their
environment); they stay in its process group, whatever becomes of parents. Linux only; elsewhere nothing is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process: its parent, its group and session, and when it started (ticks since boot)."""

    pid: int
    parent: int
    group: int
    session: int
    started: str
    state: str


def process_of(pid: int) -> Process | None:
    """What is known of ``pid``; None when there is no such process, or no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return Process(pid, int(fields[1]), int(fields[2]), int(fields[3]), fields[19], fields[0])
    except (OSError, ValueError, IndexError):
        return None


def processes() -> Iterator[Process]:
    """Every process that can be seen."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit() and (found := process_of(int(name))) is not None:
            yield found


def child_of(pid: int) -> Process | None:
    """A child of ``pid`` that leads a group of its own."""
    return next((each for each in processes() if each.parent == pid and each.group == each.pid), None)


def end_group(group: int, since: str) -> list[int]:
    """Kill what is left of a group that its leader opened as a session at ``since``; returns who that was.

    A later group of the same number began later than ``since`` says of its leader, and is left alone.
    """
    left = [each.pid for each in processes() if each.group == group == each.session and each.state != "Z"]
    leader = process_of(group)
    if leader is not None and leader.started != since:
        return []
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return left
