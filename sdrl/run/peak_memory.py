"""The most memory that this process and its children took while something ran: GPUs where there are some, else RSS.

Samples twice a second in a thread: nvidia-smi's figure of each GPU (everyone's on it), or the resident memory of our
process tree from /proc. Loads no CUDA.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path
from types import TracebackType

_EVERY_S = 0.25
_ASK = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]


class PeakMemory:
    """``with PeakMemory() as peak: …``; then ``peak.gb`` of the fullest GPU (or of the tree), and ``peak.of``."""

    def __init__(self) -> None:
        self.of = "GPU" if shutil.which("nvidia-smi") else "RSS"
        self.gb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.gb = max(self.gb, gpu_gb() if self.of == "GPU" else tree_gb(os.getpid()))
            if self._ended.wait(_EVERY_S):
                return


def gpu_gb() -> float:
    """GB in use on the fullest GPU; 0 where nvidia-smi does not say."""
    try:
        done = subprocess.run(_ASK, capture_output=True, text=True, timeout=10, check=True)
        return max(float(line) for line in done.stdout.split()) * 2**20 / 1e9
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0.0


def tree_gb(root: int) -> float:
    """GB of resident memory of a process and everything it started; 0 where /proc does not say."""
    parents: dict[int, int] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            pages[int(entry.name)] = int((entry / "statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            continue
    tree = {root}
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(pages.get(pid, 0) for pid in tree) * os.sysconf("SC_PAGE_SIZE") / 1e9
