"""Metrics of a training: one JSON object a line, appended and flushed, with alarms among them.

The child appends to WORK/metrics.jsonl; a parent tails it, `read_metrics` reads it back after kills and resumes.
Kinds of rows, told apart by their key: a step (`step`, `reward`, …), a look at the validation split
(`validation_accuracy`), an alarm (`alarm`), the start of an attempt (`resumed_from`), the end (`final`). No torch;
what they mean for a person is in `health`, the bridge to TRL's callbacks in `callbacks`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# TRL's names to ours; whatever else TRL logs is left in its own log.
_NAMES = {
    "loss": "loss",
    "reward": "reward",
    "reward_std": "reward_std",
    "kl": "kl",
    "entropy": "entropy",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "completions/mean_length": "completion_length",
    "completions/max_length": "longest_completion",
    "repetition": "repetition",
    "teaching_share": "teaching_share",
    "replaced_groups": "replaced_groups",
    "frac_reward_zero_std": "zero_variance_share",
    "verifier_errors": "verifier_errors",
    "parsable_share": "parsable_share",
    "mean_token_accuracy": "token_accuracy",
    "num_tokens": "tokens",
    "step_time": "generation_and_loss_seconds",
}

DIGITS = 8  # decimals of a number in the file


class MetricsLog:
    """The append-only file. A line cut by a kill is ended first, so that the next one stays readable."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        torn = path.exists() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
        self._handle = path.open("a", encoding="utf-8")
        if torn:
            self._handle.write("\n")

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one row; a number that is not finite becomes null."""
        self._handle.write(json.dumps({key: _plain(value) for key, value in row.items()}) + "\n")
        self._handle.flush()

    def close(self) -> None:
        """Sync and close."""
        os.fsync(self._handle.fileno())
        self._handle.close()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def parse_row(line: str) -> dict[str, Any] | None:
    """Return the row of a line, or None for a torn one."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the rows that count: after a resume the steps that were lost in the kill are gone, not there twice."""
    rows: list[dict[str, Any]] = []
    for row in _lines(path):
        if "resumed_from" in row:
            at = row["resumed_from"] or 0
            rows = [old for old in rows if old.get("step", 0) <= at] if at else []
        rows.append(row)
    return rows


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as handle:
        for line in handle:
            if (row := parse_row(line)) is not None:
                yield row


def step_row(logs: Mapping[str, Any], step: int, max_steps: int, seconds: float) -> dict[str, Any]:
    """Return the row of one update from what TRL logged for it."""
    row: dict[str, Any] = {"step": step, "max_steps": max_steps, "step_seconds": round(seconds, 4)}
    row.update({ours: logs[theirs] for theirs, ours in _NAMES.items() if theirs in logs})
    rewards = {
        name.split("/")[1]: value
        for name, value in logs.items()
        if name.startswith("rewards/") and name.endswith("/mean")
    }
    if rewards:
        row["rewards"] = rewards
        # TRL's clipped ratio calls a completion ended by a stop string clipped; the reward function knows better.
        row["clipped_share"] = rewards.get("truncated")
    return row
