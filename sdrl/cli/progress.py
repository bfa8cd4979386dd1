"""How a run looks while it goes: bars with rates and time left on a terminal, plain lines elsewhere.

Reads events only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from sdrl.run.event_text import Event, sentence, training_line

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
