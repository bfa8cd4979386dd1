"""A run as its events tell it: stages, progress, funnel, training curves, alarms, and how it ended.

Reads events (``docs/events.md``) and nothing else of a run; skips what it does not know. Holds no run: whoever watches
may leave.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

BARS = "▁▂▃▄▅▆▇█"
CURVES = ("reward", "kl", "entropy", "completions/mean_length")
MOST_ALARMS = 5
WIDTH = 40


@dataclass
class RunView:
    """What is known of a run so far. ``curves`` holds one value a step, the last one of a step counts."""

    name: str = ""
    plan_hash: str = ""
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: dict[str, dict[int, float]] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    ended: str = ""
    review: str = ""


class Tail:
    """A run's view that follows its event log: each reading goes on where the last one ended.

    A torn last line waits for the next reading; a log that was begun anew is read from its beginning.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._view = RunView()
        self._lock = Lock()

    def read(self) -> RunView:
        """The view with what has come since."""
        with self._lock, self._path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._at:
                self._at, self._view = 0, RunView()
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._at += len(line)
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    fold((event,), self._view)
        return self._view


def fold(events: Iterable[Mapping[str, Any]], view: RunView | None = None) -> RunView:
    """The view after more events; what is damaged or unknown is passed over."""
    view = view or RunView()
    for event in events:
        handler = _FOLDS.get(str(event.get("type")))
        if handler is not None:
            try:
                handler(view, event)
            except (KeyError, TypeError, ValueError):  # another version's event, or a damaged line
                continue
    return view


def lines_of(view: RunView) -> list[str]:
    """The view as plain lines, for 60 columns and more."""
    lines = [f"{view.name or '(no run yet)'}  plan {view.plan_hash[:12]}", ""]
    for name, stage in view.stages.items():
        lines.append(f"  {_MARKS[stage['state']]} {name:<9} {_told(stage)}".rstrip())
    for role, asked in view.endpoints.items():
        lines.append(f"    {role}: {asked['sent']:,} sent, {asked['failed']:,} failed, {asked['in_flight']} in flight")
    dropped = [(name, stage["dropped"]) for name, stage in view.stages.items() if stage.get("dropped")]
    if dropped:
        lines += ["", "dropped"]
        lines += [f"  {name:<9} " + ", ".join(f"{code} {n:,}" for code, n in codes.items()) for name, codes in dropped]
    if view.curves:
        lines += ["", "training"]
        lines += [_curve(name, values) for name, values in view.curves.items()]
    if view.alarms:
        lines += ["", "alarms", *(f"  ! {alarm}" for alarm in view.alarms[-MOST_ALARMS:])]
    if view.review:
        lines += ["", view.review]
    lines += ["", view.ended or "under way; leaving this view does not stop it"]
    return lines


def sparkline(values: Iterable[float], width: int = WIDTH) -> str:
    """Values as bars between their least and greatest, the last ``width`` means of equal pieces; NaN is a blank."""
    known = list(values)
    if len(known) > width:
        size = len(known) / width
        known = [_mean(known[int(i * size) : max(int(i * size) + 1, int((i + 1) * size))]) for i in range(width)]
    real = [value for value in known if math.isfinite(value)]
    if not real:
        return " " * len(known)
    low, span = min(real), (max(real) - min(real)) or 1.0
    return "".join(BARS[int((v - low) / span * (len(BARS) - 1))] if math.isfinite(v) else " " for v in known)


def _mean(values: list[float]) -> float:
    real = [value for value in values if math.isfinite(value)]
    return sum(real) / len(real) if real else math.nan


def _curve(name: str, values: Mapping[int, float]) -> str:
    ordered = [values[step] for step in sorted(values)]
    real = [value for value in ordered if math.isfinite(value)]
    ends = f"{real[0]:.3g} to {real[-1]:.3g}" if real else "no number"
    return f"  {name:<23} {sparkline(ordered)} {ends}"


def _told(stage: Mapping[str, Any]) -> str:
    if stage["state"] in ("done", "kept"):
        return f"{stage.get('rows') or 0:>8,} rows" + (f"  {stage['seconds']:.1f} s" if stage.get("seconds") else "")
    done, total = stage.get("done"), stage.get("total")
    if done is None:
        return stage["state"] if stage["state"] != "waiting" else ""
    if not total:
        return f"{done:,} {stage.get('unit', '')}"
    filled = min(20, int(20 * done / total))
    return f"{'█' * filled}{'░' * (20 - filled)} {done:,} of {total:,} {stage.get('unit', '')}"


_MARKS = {"waiting": "·", "running": "▶", "done": "✓", "kept": "=", "stopped": "□"}


def _started(view: RunView, event: Mapping[str, Any]) -> None:
    view.name, view.plan_hash, view.ended = str(event["name"]), str(event["plan_hash"]), ""
    view.stages = {str(name): {"state": "waiting"} for name in event["stages"]}


def _stage(state: str, *keys: str) -> Any:
    def set_stage(view: RunView, event: Mapping[str, Any]) -> None:
        view.stages[str(event["stage"])] = {"state": state, **{key: event.get(key) for key in keys}}

    return set_stage


def _progress(view: RunView, event: Mapping[str, Any]) -> None:
    stage = view.stages.setdefault(str(event["stage"]), {"state": "running"})
    total = event["total"]
    stage.update(done=int(event["done"]), total=None if total is None else int(total), unit=str(event["unit"]))


def _metric(view: RunView, event: Mapping[str, Any]) -> None:
    step = int(event["step"])
    stage = view.stages.setdefault(str(event["stage"]), {"state": "running"})
    stage.update(done=step, total=int(event["max_steps"] or 0), unit="steps")
    for name in CURVES:
        if isinstance(event.get(name), int | float):
            view.curves.setdefault(name, {})[step] = float(event[name])


def _requests(view: RunView, event: Mapping[str, Any]) -> None:
    view.endpoints[str(event["role"])] = {key: int(event[key]) for key in ("sent", "failed", "in_flight")}


def _alarm(view: RunView, event: Mapping[str, Any]) -> None:
    view.alarms.append(f"{event.get('stage') or event.get('code')}: {event['message']}")


def _review(view: RunView, event: Mapping[str, Any]) -> None:
    view.review = f"{event['samples']} samples wait for a person: {event['judged']} judged, {event['valid']} valid"


def _ended(view: RunView, event: Mapping[str, Any]) -> None:
    view.ended = f"ended: {event['status']} (exit {event['exit']}) {event['message']}".rstrip()
    for stage in view.stages.values():
        if stage["state"] == "running":
            stage["state"] = "stopped"


_FOLDS = {
    "run_started": _started,
    "stage_started": _stage("running"),
    "stage_reused": _stage("kept", "rows"),
    "stage_finished": _stage("done", "rows", "dropped", "seconds"),
    "progress": _progress,
    "metric": _metric,
    "requests": _requests,
    "alarm": _alarm,
    "warning": _alarm,
    "review": _review,
    "run_finished": _ended,
}
