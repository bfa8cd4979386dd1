"""The event log: ``events.jsonl``, one JSON object a line, appended and flushed; the only thing a viewer reads.

The schema is versioned and written down in ``docs/events.md``; ``EVENTS`` is its table in code, and a test holds the
two and the fixture log together. Knows nothing of terminals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EVENT_VERSION = 1

# type -> (required fields, what it says)
EVENTS: dict[str, tuple[tuple[str, ...], str]] = {
    "run_started": (("plan_hash", "name", "stages", "pid"), "the run begins or goes on; stages in order"),
    "stage_started": (("stage", "hash"), "a stage begins"),
    "stage_reused": (("stage", "hash", "rows", "source"), "a sealed stage is taken over (source: run or store)"),
    "progress": (("stage", "done", "total", "unit"), "how far a stage is; total is null when it is not known"),
    "requests": (("stage", "role", "sent", "cached", "failed", "in_flight"), "what an endpoint was asked so far"),
    "retry": (("role", "reason", "attempt"), "a request is asked again"),
    "limit": (
        ("role", "limit", "most", "reason"),
        "how many calls to an endpoint may be in flight has changed, and why",
    ),
    "breaker": (("role", "state", "reason"), "an endpoint's circuit breaker turned: open, half_open or closed"),
    "batch": (
        ("role", "batch", "status", "total", "completed", "failed"),
        "where a batch at the provider is; its counts are null until the provider says them",
    ),
    "endpoint": (
        ("role", "url", "model", "source", "can", "reasons"),
        "what is known of an endpoint (source: asked or store)",
    ),
    "forecast": (
        ("stage", "rows", "requests", "tokens", "usd"),
        "what the instructor will use in all, by the first rows of a stage: spent, expected, low, high, planned",
    ),
    "server_started": (("role", "pid"), "a managed child serves"),
    "server_stopped": (("role", "pid"), "a managed child ended"),
    "metric": (("stage", "step", "max_steps"), "one training step's figures"),
    "alarm": (("stage", "kind", "message"), "something a person should look at"),
    "warning": (("code", "message"), "worth knowing; the run goes on"),
    "stage_finished": (("stage", "hash", "rows", "dropped", "seconds"), "a stage is sealed; dropped by code"),
    "pass_rates": (
        ("stage", "n", "draws", "mean", "never", "tenths", "always"),
        "how often the policy solves the samples: never, ten bins (k/10, (k+1)/10], always",
    ),
    "readiness": (("stage", "n", "parsable", "wanted"), "whether the base model's answers can be learnt from"),
    "review": (("samples", "judged", "valid"), "samples wait for a person, or too few of them are valid"),
    "gain": (
        ("set", "n", "base", "trained", "gain", "interval"),
        "what training gained on a set: accuracies, their difference, its 95 % interval (null for validation)",
    ),
    "run_finished": (("status", "exit", "message"), "the run ended; exit is the exit code"),
}

Listener = Callable[[dict[str, Any]], None]


class EventLog:
    """Appends events to the run's log and hands each to the listeners (the terminal's progress display, a test)."""

    def __init__(self, path: Path, listeners: tuple[Listener, ...] = ()) -> None:
        self._path = path
        self._listeners = listeners
        self._seq = _last_seq(path) + 1
        self._file = path.open("ab")
        if not _ends_whole(path):  # a crash tore the last line: end it, so that ours stands alone
            self._file.write(b"\n")

    def emit(self, type_: str, fields: Mapping[str, Any]) -> None:
        """Append one event. Raises KeyError for a type or a missing field the schema does not know: that is our bug."""
        required, _ = EVENTS[type_]
        missing = [name for name in required if name not in fields]
        if missing:
            raise KeyError(f"event {type_} lacks {missing}")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        event = {"v": EVENT_VERSION, "seq": self._seq, "time": now, "type": type_, **fields}
        self._seq += 1
        self._file.write((json.dumps(event, ensure_ascii=False, default=str) + "\n").encode())
        self._file.flush()
        for listener in self._listeners:
            listener(event)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _ends_whole(path: Path) -> bool:
    size = path.stat().st_size
    if size == 0:
        return True
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _last_seq(path: Path) -> int:
    last = -1
    for event in read_events(path):
        last = max(last, int(event.get("seq", -1)))
    return last


def read_events(path: Path, offset: int = 0) -> Iterator[dict[str, Any]]:
    """Whole events from byte ``offset`` on; a torn last line is left for the next read."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(event, dict):
                yield event
