"""An event in plain words: one line for those that a log keeps, and the words for durations, forecasts and batches.

Shared by ``sdrl run``, ``sdrl status`` and the terminal app. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]


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
    if kind == "warning":
        return f"{event['code']}: {event['message']}"
    if kind == "alarm":
        remedy = f"; {event['remedy']}" if event.get("remedy") else ""
        return f"{event['stage']:<9} alarm ({event['kind']}): {event['message']}{remedy}"
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
    total = f"/{event['max_steps']}" if event["max_steps"] else ""  # a look at the validation split tells none
    parts = [f"step {event['step']}{total}"]
    for key, label in (("reward", "reward"), ("validation_accuracy", "validation"), ("kl", "kl")):
        if event.get(key) is not None:
            parts.append(f"{label} {float(event[key]):.3f}")
    return "  ".join(parts)
