"""Servers that sdrl starts itself: children that cannot outlive us, each with a log and a deadline for its start.

Each child runs under ``keep_child.py``, which ends it when our end of a pipe closes. Writes ROLE.log and
ROLE.server.json (pid and start time, so that a later session can end one that was left) in the run's log folder.
Knows nothing of requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sdrl.models.processes import Process, child_of, end_group, process_of
from sdrl.models.redact import redact
from sdrl.spec.diagnostics import Exit, SdrlError

HOST = "127.0.0.1"
QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning OpenMP threads slow everything else down (3 to 5 times, measured)
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYTHONUNBUFFERED": "1",
}
_POLL_SECONDS = 0.02
_TAIL_LINES = 15
_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class ServerPlan:
    """What to start: the command (``{port}`` and ``{ready}`` are filled in), how long it may take, how readiness shows.

    ``ready`` is ``file`` (the child writes its port there) or ``health`` (GET /health answers 200).
    """

    role: str
    command: Sequence[str]
    ready: str
    deadline_s: float
    environment: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    """Environment variables the child does not get (other endpoints' keys)."""


class Server:
    """A child that serves. ``start`` it, use ``base_url``, ``stop`` it."""

    def __init__(self, plan: ServerPlan, log_dir: Path) -> None:
        self._plan = plan
        self.log = log_dir / f"{plan.role}.log"
        self._record = log_dir / f"{plan.role}.server.json"
        self._ready = log_dir / f"{plan.role}.ready.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._group: Process | None = None

    @property
    def base_url(self) -> str:
        """Where it serves the OpenAI protocol."""
        return f"http://{HOST}:{self._port}/v1"

    @property
    def pid(self) -> int:
        """The keeper's process id; 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the child and wait until it serves. Raises SdrlError with the tail of its log when it does not."""
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        end_left_over(self._record)
        self._ready.unlink(missing_ok=True)
        self._port = 0 if self._plan.ready == "file" else free_port()
        fill = {"{port}": str(self._port), "{ready}": str(self._ready)}
        command = [fill.get(word, word) for word in self._plan.command]
        keeper = [sys.executable, "-S", "-E", str(Path(__file__).with_name("keep_child.py")), str(_GRACE_SECONDS)]
        environment = {k: v for k, v in os.environ.items() if k not in self._plan.hidden} | dict(self._plan.environment)
        with self.log.open("ab") as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(command)}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                [*keeper, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # an interrupt at the terminal is ours to handle, not the server's
            )
        _write_record(self._record, self._process.pid, command)
        try:
            await self._until_ready()
            self._group = child_of(self._process.pid)
            _write_record(self._record, self._process.pid, command, self._group)
        except BaseException:
            await self.stop()
            raise

    def check(self) -> None:
        """Raise SdrlError (exit 5) when the child has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise self._failure("E842", f"ended by itself with status {self._process.returncode}", Exit.STOPPED)

    async def stop(self) -> None:
        """End the child and everything it started; kills what does not listen."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        deadline = time.monotonic() + _GRACE_SECONDS + 5
        while process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()
        if self._group is not None:  # the keeper does this, unless it was killed itself
            end_group(self._group.pid, self._group.started)
        self._record.unlink(missing_ok=True)
        self._ready.unlink(missing_ok=True)

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + self._plan.deadline_s
        while True:
            if self._process is not None and self._process.poll() is not None:
                raise self._failure("E841", f"did not start (status {self._process.returncode})", Exit.PROBLEMS)
            if await self._is_ready():
                return
            if time.monotonic() > deadline:
                raise self._failure("E841", f"did not serve within {self._plan.deadline_s:.0f} s", Exit.PROBLEMS)
            await asyncio.sleep(_POLL_SECONDS if self._plan.ready == "file" else 0.5)

    async def _is_ready(self) -> bool:
        if self._plan.ready == "file":
            try:
                self._port = int(json.loads(self._ready.read_text("utf-8"))["port"])
            except (OSError, ValueError, KeyError):
                return False
            return True
        return await answers(HOST, self._port)

    def _failure(self, code: str, what: str, exit_: Exit) -> SdrlError:
        tail = "\n".join(f"    {line}" for line in log_tail(self.log))
        return SdrlError(
            code,
            f"the {self._plan.role} server {what}; the end of {self.log}:\n{tail}",
            help="the log says why; 'sdrl doctor' shows what is installed",
            exit=exit_,
        )


async def answers(host: str, port: int) -> bool:
    """Whether GET /health gives status 200."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 2)
        try:
            writer.write(f"GET /health HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            line = await asyncio.wait_for(reader.readline(), 5)
        finally:
            writer.close()
    except (OSError, TimeoutError):
        return False
    return line.split(b" ")[1:2] == [b"200"]


def free_port() -> int:
    """A port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def log_tail(log: Path, lines: int = _TAIL_LINES) -> list[str]:
    """The last lines of a log, without secrets."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ["(no log)"]
    return redact(text, most=8192).splitlines()[-lines:]


def start_time(pid: int) -> str | None:
    """What tells two processes with one pid apart (Linux: ticks since boot); None when there is no such process."""
    found = process_of(pid)
    return found.started if found else None


def end_left_over(record: Path) -> None:
    """End the keeper that an earlier session recorded, if that very process still runs, and what its server left."""
    try:
        left = json.loads(record.read_text("utf-8"))
        pid, started, group = int(left["pid"]), left["start_time"], left.get("group")
    except (OSError, ValueError, KeyError, AttributeError):
        return
    keeper = process_of(pid)
    if keeper is not None and keeper.started == started and keeper.state != "Z":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    elif isinstance(group, dict) and isinstance(group.get("pid"), int):
        end_group(group["pid"], str(group.get("start_time")))
    record.unlink(missing_ok=True)


def _write_record(path: Path, pid: int, command: Sequence[str], group: Process | None = None) -> None:
    data: dict[str, object] = {"pid": pid, "start_time": start_time(pid), "command": list(command)}
    if group is not None:
        data["group"] = {"pid": group.pid, "start_time": group.started}
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
