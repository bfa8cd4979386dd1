"""``sdrl status``: where a run is, read from its events alone; ``--follow`` goes on until the run ends."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

POLL_S = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")
    parser.add_argument("--follow", action="store_true", help="print what happens until the run ends")
    parser.add_argument("--json", action="store_true", help="the state as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the state; 0 when there is a run at all."""
    from sdrl.cli.run_folder import run_folder

    folder = run_folder(args.run_folder)
    if args.follow:
        return _follow(folder.events, folder.lock)
    state = state_of(folder.root)
    if args.json:
        import json

        print(json.dumps(state, indent=2))
    else:
        print(render(state))
    return 0


def state_of(root: Path) -> dict[str, Any]:
    """What the events say: stages with their state, the running one's progress, and how the run ended if it did."""
    from sdrl.run.events import read_events
    from sdrl.run.folder import RunFolder
    from sdrl.run.lock import holder_pid

    state: dict[str, Any] = {
        "run": str(root),
        "name": "",
        "plan_hash": "",
        "stages": {},
        "endpoints": {},
        "forecast": None,
        "ended": None,
    }
    for event in read_events(RunFolder(root).events):
        _apply(state, event)
    state["pid"] = holder_pid(RunFolder(root).lock)
    if state["pid"] is None and state["ended"] is None:
        state["ended"] = {"status": "killed", "exit": None, "message": "its process is gone; the same command goes on"}
    if state["ended"] is not None:  # a stage that was under way when the run ended runs no longer
        for stage in state["stages"].values():
            if stage["state"] == "running":
                stage["state"] = "stopped"
    return state


def _apply(state: dict[str, Any], event: dict[str, Any]) -> None:
    kind = event["type"]
    if kind == "run_started":
        state.update(name=event["name"], plan_hash=event["plan_hash"], endpoints={}, ended=None)
        state["stages"] = {name: {"state": "waiting"} for name in event["stages"]}
    elif kind == "stage_started":
        state["stages"][event["stage"]] = {"state": "running"}
    elif kind in ("progress", "metric") and event["stage"] in state["stages"]:
        done, total = event.get("done", event.get("step")), event.get("total", event.get("max_steps"))
        state["stages"][event["stage"]].update(done=done, total=total, unit=event.get("unit", "steps"))
    elif kind == "stage_reused":
        state["stages"][event["stage"]] = {"state": "kept", "rows": event["rows"]}
    elif kind == "stage_finished":
        state["stages"][event["stage"]] = {"state": "done", "rows": event["rows"], "seconds": event["seconds"]}
    elif kind in ("requests", "limit", "breaker", "batch", "endpoint"):
        state["endpoints"].setdefault(event["role"], {}).update(_of_endpoint(event))
    elif kind == "forecast":
        state["forecast"] = {key: event[key] for key in ("stage", "rows", "requests", "tokens", "usd")}
    elif kind == "run_finished":
        state["ended"] = {key: event[key] for key in ("status", "exit", "message")}


def _of_endpoint(event: dict[str, Any]) -> dict[str, Any]:
    """What an event says of its endpoint: calls in flight, how many may be and why, the circuit, what it can."""
    kind = event["type"]
    if kind == "requests":
        return {key: event[key] for key in ("sent", "failed", "in_flight")}
    if kind == "limit":
        return {"limit": {key: event[key] for key in ("limit", "most", "reason")}}
    if kind == "breaker":
        return {"circuit": {key: event[key] for key in ("state", "reason")}}
    if kind == "batch":
        return {"batch": {key: event[key] for key in ("batch", "status", "total", "completed", "failed")}}
    return {"can": event["can"], "reasons": event["reasons"]}


def render(state: dict[str, Any]) -> str:
    """The state as aligned text."""
    from sdrl.run.event_text import duration, forecast_line

    lines = [f"{state['name']}  plan {state['plan_hash'][:12]}  {state['run']}", ""]
    for name, stage in state["stages"].items():
        tail = ""
        if stage["state"] == "done":
            tail = f"{stage['rows']:>7,} rows  {duration(stage['seconds'])}"
        elif stage["state"] == "kept":
            tail = f"{stage['rows'] or 0:>7,} rows"
        elif stage["state"] in ("running", "stopped") and stage.get("done") is not None:
            tail = f"{stage['done']:>7,} of {stage['total'] or '?'} {stage['unit']}"
        lines.append(f"  {name:<9} {stage['state']:<8}{tail}".rstrip())
    ended = state["ended"]
    if ended is None:
        lines += ["", *(_endpoint_line(role, endpoint) for role, endpoint in state["endpoints"].items())]
        if state["forecast"] is not None:
            lines += ["", f"  forecast: {forecast_line(state['forecast'])}"]
    where = f"running (pid {state['pid']})" if ended is None else _ending(ended)
    return "\n".join([*lines, "", where])


def _endpoint_line(role: str, endpoint: dict[str, Any]) -> str:
    from sdrl.run.event_text import batch_line

    parts = [f"{endpoint.get('in_flight', 0)} in flight", f"{endpoint.get('sent', 0):,} sent"]
    if limit := endpoint.get("limit"):
        parts.append(f"at most {limit['limit']} of {limit['most']} at once ({limit['reason']})")
    if batch := endpoint.get("batch"):
        parts.append(f"batch {batch['batch']} {batch_line(batch)}")
    circuit = endpoint.get("circuit", {})
    if circuit.get("state", "closed") != "closed":
        parts.append(f"circuit {circuit['state'].replace('_', ' ')}: {circuit['reason']}")
    return f"  {role:<10} {', '.join(parts)}"


def _ending(ended: dict[str, Any]) -> str:
    status, message = str(ended["status"]), str(ended["message"])
    return message if message.startswith(status) else f"{status}: {message}"


def _follow(path: Path, lock: Path) -> int:
    from sdrl.cli.progress import Lines
    from sdrl.run.events import read_events
    from sdrl.run.lock import holder_pid

    lines = Lines(sys.stdout)
    seen = -1
    while True:
        ended = holder_pid(lock) is None  # asked before the events are read: its last ones are among them
        for event in read_events(path):
            if event["seq"] > seen:
                seen = event["seq"]
                lines.on_event(event)
        if ended:
            print(render(state_of(path.parent)).splitlines()[-1])
            return 0
        time.sleep(POLL_S)
