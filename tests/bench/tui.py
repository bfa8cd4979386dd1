"""``make bench-tui``: first paint, memory and keystrokes of the terminal app in a real pseudo-terminal.

Each figure stands beside a bare Textual app in the same run, since a machine's load moves both. Budgets of an idle
machine: first paint 500 ms, memory 90 MB, a keystroke on the screen within 16 ms (95 of 100).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS, KEYS = 5, 60
SETTLE_S, QUIET_S, MOST_S = 0.5, 0.05, 30.0
BARE = """
from textual.app import App
from textual.widgets import Input
class Bare(App):
    def compose(self): yield Input(placeholder='READY')
Bare().run()
"""
LONG = """\
sdrl: 1
name: long
task: {description: Add., output_format: "Write it after ####."}
answer: {type: number, extract: {marker: "####"}}
demos:
"""


class Program:
    """A program in a pseudo-terminal of 80 by 24."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": f"{ROOT}:{ROOT / 'tui'}"}
        own = folder / "own" / "sdrl"  # nobody's settings, and no tour
        own.mkdir(parents=True, exist_ok=True)
        (own / "app.json").write_text('{"has_toured": true}')
        env |= {"XDG_STATE_HOME": str(own.parent), "XDG_CONFIG_HOME": str(own.parent)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code
        self.seen = b""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            words, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def read_until(self, what: bytes) -> float:
        """Milliseconds from the start until ``what`` was written."""
        while what not in self.seen:
            if time.monotonic() - self.started > MOST_S:
                raise TimeoutError(f"{what!r} was not written: {self.seen[-300:]!r}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65_536)
        return (time.monotonic() - self.started) * 1000

    def quiet(self, seconds: float) -> None:
        """Read until nothing was written for so long."""
        while select.select([self.master], [], [], seconds)[0]:
            os.read(self.master, 65_536)

    def key(self) -> float:
        """Milliseconds from a keystroke to what it draws."""
        begin = time.perf_counter()
        os.write(self.master, b"x")
        select.select([self.master], [], [], 5.0)
        took = (time.perf_counter() - begin) * 1000
        self.quiet(QUIET_S)
        return took

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None  # Linux writes it for every process
        return int(found[1]) / 1024

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def measured(name: str, words: list[str], folder: Path, first: bytes, ready: bytes) -> None:
    """Print the figures of one program. ``first`` is of its first paint, ``ready`` of the spec that is open."""
    paints, readys, memory, keys = [], [], [], list[float]()
    for run in range(RUNS + 1):
        program = Program(words, folder)
        paint = program.read_until(first)
        shown = program.read_until(ready) if ready not in program.seen else paint
        program.quiet(SETTLE_S)
        if run:  # the first start compiles
            paints.append(paint)
            readys.append(shown)
            memory.append(program.megabytes())
        if run == RUNS:
            keys = sorted(program.key() for _ in range(KEYS))
        program.end()
    p95 = keys[int(0.95 * len(keys))]
    print(
        f"{name:<28} first paint {statistics.median(paints):5.0f} ms (best {min(paints):.0f})   "
        f"spec open {statistics.median(readys):5.0f} (best {min(readys):.0f})   "
        f"memory {statistics.median(memory):3.0f} MB   key to screen {statistics.median(keys):4.1f} ms, p95 {p95:.1f}"
    )


def main() -> None:
    """Measure a bare app, a new spec, a shipped one, one of 100 KB, and a chat of 200 turns."""
    app = [sys.executable, "-m", "sdrl", "tui"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gsm8k.yaml").write_bytes((ROOT / "specs" / "gsm8k.yaml").read_bytes())
        demos = "".join(
            f'  - {{input: "{"What is the sum of these? " * 12}{at}", output: "#### 2"}}\n' for at in range(300)
        )
        (folder / "long.yaml").write_text(LONG + demos)
        kept = folder / ".sdrl" / "authoring"
        kept.mkdir(parents=True)
        turns = '{"event": "acted", "action": "set", "argument": "seed 1"}\n' * 100
        (kept / "turns.yaml.journal").write_text(turns)
        measured(
            "bare Textual", [sys.executable, "-c", BARE], folder, b"EADY", b"EADY"
        )  # the cursor stands on the first letter
        measured("new spec", [*app, "new.yaml"], folder, b"commands", b"What shall")
        measured("gsm8k", [*app, "gsm8k.yaml"], folder, b"commands", b"/interview")
        measured(
            f"{(folder / 'long.yaml').stat().st_size // 1000} KB spec",
            [*app, "long.yaml"],
            folder,
            b"commands",
            b"/interview",
        )
        measured("chat of 200 turns", [*app, "turns.yaml"], folder, b"commands", b"seed")


if __name__ == "__main__":
    main()
