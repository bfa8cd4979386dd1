"""The command lines of the embedded models' servers (vLLM's stands in ``vllm``)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sdrl.models.servers import QUIET, ServerPlan

EMBEDDED_DEADLINE_S = 180.0
_MOST_WORKERS = 4


def embedded_instructor(
    name: str, truth: Path | None, hidden: frozenset[str] = frozenset(), port: int = 0
) -> ServerPlan:
    """The scripted instructor; ``truth`` gets the true answers of what it writes; port 0 is any free one."""
    command = [sys.executable, "-m", "sdrl.embedded.server", "--role", "instructor", "--port", str(port)]
    command += ["--ready-file", "{ready}", "--watch-stdin"]
    command += ["--truth", str(truth)] if truth else []
    return ServerPlan(name, command, "file", EMBEDDED_DEADLINE_S, QUIET, hidden)


def embedded_embedder(name: str, hidden: frozenset[str] = frozenset(), port: int = 0) -> ServerPlan:
    """The hashed-words embedder."""
    command = [sys.executable, "-m", "sdrl.embedded.server", "--role", "embedder", "--port", str(port)]
    return ServerPlan(
        name, [*command, "--ready-file", "{ready}", "--watch-stdin"], "file", EMBEDDED_DEADLINE_S, QUIET, hidden
    )


def embedded_base(name: str, folder: Path, hidden: frozenset[str] = frozenset(), port: int = 0) -> ServerPlan:
    """A causal model folder through transformers: one worker process a core, at most four."""
    workers = max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1))
    command = [sys.executable, "-m", "sdrl.embedded.server", "--role", "base", "--model", str(folder)]
    command += ["--port", str(port)]
    command += ["--ready-file", "{ready}", "--watch-stdin", "--workers", str(workers)]
    return ServerPlan(name, command, "file", EMBEDDED_DEADLINE_S, QUIET, hidden)
