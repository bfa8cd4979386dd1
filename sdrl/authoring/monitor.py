"""A run as its events tell it: stages, progress, funnel, pass rates, curves, alarms, gains, and how it ended.

Reads events (``docs/events.md``) and nothing else of a run; skips what it does not know. Holds no run: whoever watches
may leave. How a view is drawn stands in ``run_panel``.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

# what is drawn of a training, by the name that an event gives it
CURVES = ("reward", "validation_accuracy", "kl", "entropy", "completion_length")
MOST_LOG = 200
BLOCK = 1_000_000  # bytes of lines that are read at a time
MOST_ALARMS = 20
MOST_PARSED = 2_000_000  # bytes of training steps that are parsed of what one reading finds
RECENT = 20  # points of a progress that its rate is taken over
_TYPE = re.compile(rb'"type": ?"(\w+)"')
_UNREAD = frozenset({b"retry"})  # nothing is drawn of them, and a bad endpoint makes hundreds of thousands
_LATEST = frozenset({b"progress", b"requests"})  # of these the last one of a stage (and role) counts
_STEP = b'"type": "metric"'  # as the event log writes it
_LOOK = b'"validation_accuracy"'
_UP_TO = re.compile(rb'"(?:done|sent)"')


@dataclass
class StageView:
    """One stage: waiting, running, done, kept or stopped; ``recent`` holds (time in s, done) of its progress."""

    state: str = "waiting"
    rows: int | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    done: int | None = None
    total: int | None = None
    unit: str = ""
    recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RECENT))

    def left_s(self) -> float | None:
        """Seconds left at the rate of the last points; None where it cannot be told."""
        if not self.total or self.done is None or len(self.recent) < 2:
            return None
        (began, first), (now, last) = self.recent[0], self.recent[-1]
        return (self.total - last) * (now - began) / (last - first) if last > first and now > began else None


@dataclass
class RunView:
    """What is known of a run so far. ``curves`` holds one value a step, the last one of a step counts."""

    name: str = ""
    plan_hash: str = ""
    pid: int = 0
    began: float = 0.0
    now: float = 0.0
    stages: dict[str, StageView] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: dict[str, dict[int, float]] = field(default_factory=dict)
    pass_rates: dict[str, dict[str, Any]] = field(default_factory=dict)
    gains: dict[str, dict[str, Any]] = field(default_factory=dict)
    forecast: Mapping[str, Any] | None = None
    alarms: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_ALARMS))
    log: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=MOST_LOG))
    ended: Mapping[str, Any] | None = None
    review: str = ""


class Tail:
    """A run's view that follows its event log: each reading goes on where the last one ended.

    A torn last line waits for the next reading; a log that was begun anew is read from its beginning. Of a long log
    only what a view needs is parsed: of each progress the last, and of steps every k-th, about ``MOST_PARSED`` bytes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file_id = 0
        self._at = 0
        self._view = RunView()
        self._every, self._steps = 1, 0
        self._lock = Lock()

    def read(self) -> RunView:
        """The view with what has come since."""
        with self._lock, self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_size < self._at or found.st_ino != self._file_id:
                self._at, self._file_id, self._view = 0, found.st_ino, RunView()
            file.seek(self._at)
            self._every, self._steps = 1 + (found.st_size - self._at) // MOST_PARSED, 0
            waiting: dict[bytes, bytes] = {}
            is_torn = False
            while not is_torn and (lines := file.readlines(BLOCK)):
                if is_torn := not lines[-1].endswith(b"\n"):
                    lines.pop()
                self._at += sum(map(len, lines))
                for line in self._steps_left_out(lines, waiting) if self._every > 1 else lines:
                    self._take(line, waiting)
            self._flush(waiting)
        return self._view

    def _steps_left_out(self, lines: Sequence[bytes], waiting: dict[bytes, bytes]) -> Iterator[bytes]:
        """Without most of the training steps, which are hundreds of thousands in a long log: no call for each."""
        steps, every, last = self._steps, self._every, b""
        for line in lines:
            if _STEP in line and _LOOK not in line:
                steps += 1
                if steps % every:
                    last = line
                    continue
                last = b""  # this one comes after it
            if last:  # before what comes after it; the last one is drawn in any case
                waiting[_STEP], last = last, b""
            yield line
        self._steps = steps
        if last:
            waiting[_STEP] = last

    def _take(self, line: bytes, waiting: dict[bytes, bytes]) -> None:
        """Fold a line, or let it wait for the next one that says the same thing anew."""
        match = _TYPE.search(line, 0, 200)
        kind = match[1] if match else b""
        if kind in _UNREAD:
            return
        if match and kind in _LATEST and (end := _UP_TO.search(line, match.end())):
            waiting[line[match.start() : end.start()]] = line
            return
        self._flush(waiting)
        self._fold(line)

    def _flush(self, waiting: dict[bytes, bytes]) -> None:
        for line in waiting.values():
            self._fold(line)
        waiting.clear()

    def _fold(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(event, dict):
            fold((event,), self._view)


def fold(events: Iterable[Mapping[str, Any]], view: RunView | None = None) -> RunView:
    """The view after more events; what is damaged or unknown is passed over."""
    view = view or RunView()
    for event in events:
        handler = _FOLDS.get(str(event.get("type")))
        if handler is None:
            continue
        try:
            handler(view, event)
            _remember(view, event)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):  # another version's, or damaged
            continue
    return view


def _remember(view: RunView, event: Mapping[str, Any]) -> None:
    """The time of an event, and its line of the log where it has one."""
    at = str(event.get("time", ""))
    if at and event["type"] not in ("requests", "metric", "progress"):
        from sdrl.run.event_text import sentence

        told = sentence(event)
        if event["type"] == "run_finished":
            told = f"run {event['status']} (exit {event['exit']})"
        if told:
            view.log.append((at[11:19], " ".join(told.split())))
    view.now = _seconds(at) or view.now


def _seconds(at: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0


def _started(view: RunView, event: Mapping[str, Any]) -> None:
    if view.plan_hash and view.plan_hash != event["plan_hash"]:  # another plan in the folder: another run
        for known in (view.stages, view.curves, view.pass_rates, view.alarms):
            known.clear()
    view.name, view.plan_hash, view.ended, view.review = str(event["name"]), str(event["plan_hash"]), None, ""
    view.pid, view.began = int(event.get("pid") or 0), _seconds(str(event.get("time", "")))
    before = view.stages  # what a stage dropped and took is told once, by the process that made it
    view.stages = {str(name): replace(before.get(name, StageView()), state="waiting") for name in event["stages"]}
    view.endpoints.clear()
    view.gains.clear()
    view.forecast = None


def _began(view: RunView, event: Mapping[str, Any]) -> None:
    view.stages[str(event["stage"])] = StageView("running")


def _kept(view: RunView, event: Mapping[str, Any]) -> None:
    before = view.stages.get(str(event["stage"]), StageView())
    view.stages[str(event["stage"])] = replace(before, state="kept", rows=_count(event["rows"]))


def _finished(view: RunView, event: Mapping[str, Any]) -> None:
    dropped = {str(code): int(count) for code, count in event["dropped"].items()}
    made = StageView("done", _count(event["rows"]), dropped, float(event["seconds"]))
    view.stages[str(event["stage"])] = made


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _progress(view: RunView, event: Mapping[str, Any]) -> None:
    stage = view.stages.setdefault(str(event["stage"]), StageView("running"))
    _move(stage, event, int(event["done"]), _count(event["total"]), str(event["unit"]))


def _metric(view: RunView, event: Mapping[str, Any]) -> None:
    step = int(event["step"])
    stage = view.stages.setdefault(str(event["stage"]), StageView("running"))
    if event["max_steps"]:  # a look at the validation split counts no step
        _move(stage, event, step, int(event["max_steps"]), "updates")
    for name in CURVES:
        if isinstance(value := event.get(name), int | float):
            view.curves.setdefault(name, {})[step] = float(value)


def _move(stage: StageView, event: Mapping[str, Any], done: int, total: int | None, unit: str) -> None:
    if unit != stage.unit or (stage.done is not None and done < stage.done):
        stage.recent.clear()
    stage.done, stage.total, stage.unit = done, total, unit
    if at := _seconds(str(event.get("time", ""))):
        stage.recent.append((at, done))


def _requests(view: RunView, event: Mapping[str, Any]) -> None:
    asked = {key: int(event[key]) for key in ("sent", "cached", "failed", "in_flight")}
    view.endpoints[str(event["role"])] = {**asked, "usd": event.get("usd")}


def _pass_rates(view: RunView, event: Mapping[str, Any]) -> None:
    counts = {key: int(event[key]) for key in ("n", "draws", "never", "always")}
    tenths = [int(count) for count in event["tenths"]]
    view.pass_rates[str(event["stage"])] = {**counts, "mean": float(event["mean"]), "tenths": tenths}


def _gain(view: RunView, event: Mapping[str, Any]) -> None:
    found: dict[str, Any] = {key: float(event[key]) for key in ("base", "trained")}
    interval = event["interval"]
    found["interval"] = None if interval is None else (float(interval[0]), float(interval[1]))
    found["gain"] = found["trained"] - found["base"] if event["gain"] is None else float(event["gain"])
    view.gains[str(event["set"])] = {**found, "n": int(event["n"])}


def _alarm(view: RunView, event: Mapping[str, Any]) -> None:
    remedy = f"; {event['remedy']}" if event.get("remedy") else ""
    told = f"{event.get('stage') or event.get('code')}: {event['message']}{remedy}"
    if told in view.alarms:
        view.alarms.remove(told)
    view.alarms.append(told)


def _forecast(view: RunView, event: Mapping[str, Any]) -> None:
    view.forecast = event


def _review(view: RunView, event: Mapping[str, Any]) -> None:
    view.review = f"{event['samples']} samples wait for a person: {event['judged']} judged, {event['valid']} valid"


def _ended(view: RunView, event: Mapping[str, Any]) -> None:
    view.ended = {key: event[key] for key in ("status", "exit", "message")}
    for stage in view.stages.values():
        if stage.state == "running":
            stage.state = "stopped"


def _log_only(view: RunView, event: Mapping[str, Any]) -> None:
    """Nothing changes but the log."""


_FOLDS = {
    "run_started": _started,
    "stage_started": _began,
    "stage_reused": _kept,
    "stage_finished": _finished,
    "progress": _progress,
    "metric": _metric,
    "requests": _requests,
    "pass_rates": _pass_rates,
    "gain": _gain,
    "alarm": _alarm,
    "warning": _alarm,
    "forecast": _forecast,
    "review": _review,
    "run_finished": _ended,
    "server_started": _log_only,
    "breaker": _log_only,
    "batch": _log_only,
    "endpoint": _log_only,
}
