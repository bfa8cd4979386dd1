"""A program in a pseudo-terminal with a clock: when it wrote something, how long a key takes, what memory it holds.

Each key is a letter of its own that stands nowhere else, so that what is timed is its painting, and not that of a text
which happens to be drawn meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_S = 30.0
FIRST_LETTER = 0x100  # of Latin Extended-A
_ERRORS = re.compile(rb"(\d+|no) errors?")


class Program:
    """A program in a pseudo-terminal. Raises TimeoutError where something waited for is not written."""

    def __init__(self, words: list[str], folder: Path, size: tuple[int, int] = (24, 80)) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": f"{ROOT}:{ROOT / 'tui'}"}
        env |= {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code
        self.seen = b""
        self._letter = FIRST_LETTER
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            words, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def read(self, seconds: float) -> bool:
        """Read once; whether anything came within so long."""
        if not select.select([self.master], [], [], max(seconds, 0))[0]:
            return False
        self.seen += os.read(self.master, 65_536)
        return True

    def read_until(self, what: bytes, *, since: int = 0) -> float:
        """Seconds from the start until ``what`` was written, looked for from byte ``since`` of the output."""
        end = time.monotonic() + MOST_S
        while what not in self.seen[since:]:
            if not self.read(end - time.monotonic()):
                raise TimeoutError(f"{what!r} was not written: {self.seen[-300:]!r}")
        return time.monotonic() - self.started

    def quiet(self, seconds: float) -> None:
        """Read until nothing was written for so long."""
        while self.read(seconds):
            pass

    def read_for(self, seconds: float) -> None:
        """Read for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def key(self, rest_s: float) -> float:
        """Milliseconds from a keystroke to its letter on the screen; then some rest, as between two keys."""
        letter, since = chr(self._letter).encode(), len(self.seen)
        self._letter += 1
        begin = time.perf_counter()
        self.type(letter)
        self.read_until(letter, since=since)
        took = (time.perf_counter() - begin) * 1000
        self.read_for(rest_s)
        return took

    def letter(self, line: bytes, rest_s: float) -> float:
        """Milliseconds from the last letter of a line until the line stands in the prompt; then some rest."""
        since, begin = len(self.seen), time.perf_counter()
        self.type(line[-1:])
        self.read_until(line.rstrip(), since=since)
        took = (time.perf_counter() - begin) * 1000
        self.read_for(rest_s)
        return took

    def errors(self) -> int:
        """How many errors the line of status told of last."""
        found = _ERRORS.findall(self.seen)
        return -1 if not found else 0 if found[-1] == b"no" else int(found[-1])

    def edit(self, key: bytes) -> float:
        """Milliseconds from a key in the spec until the line of status tells of another number of errors."""
        before, begin = self.errors(), time.perf_counter()
        self.type(key)
        while self.errors() == before:
            if not self.read(MOST_S):
                raise TimeoutError(f"still {before} errors: {self.seen[-300:]!r}")
        return (time.perf_counter() - begin) * 1000

    def megabytes(self) -> float:
        """Resident memory."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None  # Linux writes it for every process
        return int(found[1]) / 1024

    def end(self) -> float:
        """Kill it; when that was."""
        when = time.monotonic()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
        return when
