"""Hours of wall time that a run may take (``budget.wall_hours``), over all the processes that ever ran its folder.

What earlier processes took is read from the events: each from its ``run_started`` to its last line. The time between
them, a review's or a night's, counts for nothing. When it is up the run ends as by a signal: replies under way come
in, training saves a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sdrl.compiler.plan import Plan
from sdrl.run.events import read_events
from sdrl.spec.diagnostics import Exit, SdrlError


class WallTime:
    """The clock of one run. ``limit_s`` None is no limit; ``is_up`` says that it has ended the run."""

    def __init__(self, plan: Plan, overrides: Mapping[str, str], events: Path) -> None:
        hours = float(overrides["wall_hours"]) if "wall_hours" in overrides else plan.settings.budget.wall_hours
        self.limit_s = None if hours is None else hours * 3600
        self.is_up = False
        self._before = 0.0 if hours is None else seconds_of(events)
        self._began = time.monotonic()

    @property
    def spent_s(self) -> float:
        """Seconds of this process and of those before it."""
        return self._before + time.monotonic() - self._began

    @property
    def left_s(self) -> float | None:
        """Seconds until it is up, 0 at the least; None without a limit."""
        return None if self.limit_s is None else max(0.0, self.limit_s - self.spent_s)

    def check(self) -> None:
        """Raise SdrlError E704, exit 4, when it is up: no stage is begun any more."""
        if self.left_s == 0:
            self.is_up = True
            raise self.failure()

    def failure(self) -> SdrlError:
        """What ends the run."""
        return SdrlError(
            "E704",
            f"budget reached: all {(self.limit_s or 0.0) / 3600:g} wall_hours used",
            help="raise it with --budget wall_hours=N and run the same command again; what was done is kept",
            exit=Exit.BUDGET,
        )


def seconds_of(events: Path) -> float:
    """Seconds that the processes of a run took so far, by its events."""
    total, began, last = 0.0, None, None
    for event in read_events(events):
        at = datetime.fromisoformat(event["time"]).timestamp()
        if event["type"] == "run_started":
            total += last - began if began is not None and last is not None else 0.0
            began = at
        last = at
    return total + (last - began if began is not None and last is not None else 0.0)
