"""How a run looks while it goes: bars with rates and time left on a terminal, plain lines elsewhere.

Reads events only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

Event = Mapping[str, Any]
LINE_EVERY_S = 5.0  # plain output: at most one progress line in so many seconds


def progress_listener(
    stream: TextIO | None = None,
) -> tuple[Callable[[dict[str, Any]], None], Callable[[], None]]:
    """The listener for this stream (stderr) and the function that ends the display."""
    stream = stream or sys.stderr
    if stream.isatty():
        bars = Bars()
        return bars.on_event, bars.stop
    lines = Lines(stream)
    return lines.on_event, lambda: None


def sentence(event: Event) -> str | None:
    """An event in one line of plain words; None for those that are only progress."""
    kind = event["type"]
    if kind == "run_started":
        return f"run {event['name']}  plan {event['plan_hash'][:12]}"
    if kind == "stage_reused":
        return f"{event['stage']:<9} {_count(event['rows'])} rows, kept from {_source(event['source'])}"
    if kind == "stage_finished":
        dropped = ", ".join(f"{code} {count}" for code, count in event["dropped"].items())
        tail = f"  dropped: {dropped}" if dropped else ""
        return f"{event['stage']:<9} {_count(event['rows'])} rows in {duration(event['seconds'])}{tail}"
    if kind in ("warning", "alarm"):
        remedy = f"; {event['remedy']}" if event.get("remedy") else ""
        return f"{event.get('code') or event.get('kind')}: {event['message']}{remedy}"
    if kind == "breaker" and event["state"] != "half_open":
        return f"          {event['role']}: circuit {event['state']}: {event['reason']}"
    if kind == "endpoint" and event["source"] == "asked" and event["reasons"]:
        return f"          {event['role']}: {event['reasons'][-1]}"
    if kind == "batch":
        return f"          {event['role']}: batch {event['batch']} {batch_line(event)}"
    if kind == "forecast":
        return f"          forecast after {event['rows']} rows of {event['stage']}: {forecast_line(event)}"
    if kind == "server_started":
        return f"          {event['role']} server is up (pid {event['pid']})"
    return None


def forecast_line(event: Event) -> str:
    """What the run will have used: ``$12.30 (10.90 to 13.80, planned 11.00), 9,120 requests, 2,310,000 tokens``."""
    requests, tokens, usd = event["requests"], event["tokens"], event["usd"]
    said = []
    if usd is not None and usd["high"]:
        shown = [f"{usd[name]:,.{2 if usd['high'] >= 1 else 4}f}" for name in ("expected", "low", "high", "planned")]
        said = [f"${shown[0]} ({shown[1]} to {shown[2]}, planned {shown[3]})"]
    amount = f"{tokens['expected']:,} tokens"
    if not said:
        amount += f" ({tokens['low']:,} to {tokens['high']:,}, planned {tokens['planned']:,})"
    return ", ".join([*said, f"{requests['expected']:,} requests", amount])


def batch_line(event: Event) -> str:
    """Where a batch is: ``in_progress, 120 of 500 done``."""
    done, failed, total = (event.get(name) for name in ("completed", "failed", "total"))
    counts = f", {done or 0:,} of {total:,} done" if total else ""
    return str(event["status"]).replace("_", " ") + counts + (f", {failed:,} failed" if failed else "")


def _source(source: str) -> str:
    return "this run" if source == "run" else "the store"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def duration(seconds: float) -> str:
    """``3.2 s``, ``2 min 05 s`` or ``1 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"


def training_line(event: Event) -> str:
    """One training step in short."""
    parts = [f"step {event['step']}/{event['max_steps']}"]
    for key, label in (("reward", "reward"), ("validation_accuracy", "validation"), ("kl", "kl")):
        if event.get(key) is not None:
            parts.append(f"{label} {float(event[key]):.3f}")
    return "  ".join(parts)


class Lines:
    """Plain lines for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = 0.0
        self._began = time.monotonic()

    def on_event(self, event: dict[str, Any]) -> None:
        """Print what a reader of a log wants to see."""
        text = sentence(event)
        if event["type"] == "stage_started":
            self._began = time.monotonic()
        if event["type"] in ("progress", "metric") and time.monotonic() - self._last >= LINE_EVERY_S:
            text = self._moving(event)
        if text:
            if event["type"] in ("progress", "metric"):
                self._last = time.monotonic()
            self._stream.write(text + "\n")
            self._stream.flush()

    def _moving(self, event: Event) -> str:
        if event["type"] == "metric":
            return f"{event['stage']:<9} {training_line(event)}"
        rate = event["done"] / max(time.monotonic() - self._began, 1e-9)
        total = f" of {event['total']:,}" if event["total"] else ""
        return f"{event['stage']:<9} {event['done']:,}{total} {event['unit']}  {rate:.1f}/s"


class Bars:
    """One live bar for the stage that runs, finished stages as settled lines above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.fields[stage]:<9}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._task: Any = None
        self._unit: str | None = None
        self._began = time.monotonic()

    def on_event(self, event: dict[str, Any]) -> None:
        """Move the bar, or print a settled line above it."""
        kind = event["type"]
        if kind == "stage_started":
            self._fresh(event["stage"], None)
        elif kind == "progress":
            if event["unit"] != self._unit:
                self._fresh(event["stage"], event["unit"])
            rate = event["done"] / max(time.monotonic() - self._began, 1e-9)
            self._move(event["done"], event["total"], f"{event['unit']} {rate:.1f}/s")
        elif kind == "metric":
            self._move(event["step"], event["max_steps"], training_line(event))
        elif (text := sentence(event)) is not None:
            if kind in ("stage_finished", "stage_reused"):
                self._clear()
            self._progress.print(text, markup=False, soft_wrap=True)

    def _fresh(self, stage: str, unit: str | None) -> None:
        self._clear()
        self._unit = unit
        self._began = time.monotonic()
        self._task = self._progress.add_task("", total=None, stage=stage, note="starting")

    def _move(self, done: int, total: int | None, note: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total, note=note)

    def _clear(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None

    def stop(self) -> None:
        """Take the display down."""
        self._clear()
        self._progress.stop()
