"""What a person should look at while a model trains: thresholds on the metrics, an alarm and one remedy for each.

Fed with the metrics rows in order, a resumed training's earlier rows included, so that a resume neither forgets nor
repeats an alarm. An alarm is raised once, and again only after it got better. Decides nothing: an alarm stops no
training. No torch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW = 10  # updates that a mean is taken over


@dataclass(frozen=True)
class Limits:
    """The thresholds; shares in [0, 1], means over the last ten updates unless it says otherwise."""

    zero_variance: float = 0.8
    """Share of groups whose rewards are all equal."""
    clipped: float = 0.5
    """Share of completions that the token limit ended."""
    entropy: float = 0.01
    """Lowest mean entropy of a token, in nats."""
    length: float = 3.0
    """Mean length over the mean of the first ten updates."""
    repetition: float = 0.5
    """Share of a completion's 4-grams that stood in it before."""
    kl: float = 1.0
    """KL divergence from the base a token, in nats, of one update."""
    gap: float = 0.2
    """Training accuracy (of sampled rollouts) above validation accuracy (greedy), and more so than at first."""
    fall: float = 0.1
    """By how much validation accuracy is below its best, and at least two standard errors of the split's size."""


# kind -> what is seen, and the one thing to try first
ALARMS: Mapping[str, tuple[str, str]] = {
    "zero_variance": (
        "most prompts have all their completions right or all wrong: there is little to learn from",
        "draw other prompts in their place (train.zero_variance: replace)",
    ),
    "clipped": ("most completions reach the token limit", "raise train.max_completion_tokens"),
    "entropy_collapse": ("completions hardly vary any more", "lower train.learning_rate"),
    "length": ("completions are several times as long as at the start", "write train.reward.truncated: -0.25"),
    "repetition": ("completions repeat themselves", "name the text that begins the loop in models.base.stop"),
    "kl": ("the model has moved far from its base", "raise train.kl"),
    "gap": ("accuracy on the training prompts is far above that on the validation split", "lower train.epochs"),
    "validation_falls": (
        "validation accuracy has fallen below its best; the best checkpoint is kept",
        "lower train.learning_rate",
    ),
    "verifier_errors": ("the verifier failed on some completions, which got no reward", "see the run's train.log"),
    "not_finite": ("the loss is not a number", "lower train.learning_rate"),
}


@dataclass
class Health:
    """Follows the metrics of one training."""

    limits: Limits = field(default_factory=Limits)
    _windows: dict[str, deque[float]] = field(default_factory=dict)
    _first_lengths: list[float] = field(default_factory=list)
    _looks: list[float] = field(default_factory=list)
    _first_gap: float | None = None
    _gap: float | None = None
    _raised: set[str] = field(default_factory=set)

    def replay(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take in what an earlier attempt of the same training recorded; its alarms are not raised again."""
        for row in rows:
            self.alarms(row)

    def alarms(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the alarm rows that a row raises: of an update, or of a look at the validation split."""
        if "validation_accuracy" in row:
            return self._raise(row, self._of_look(float(row["validation_accuracy"]), int(row["validation_rows"])))
        if "loss" not in row:
            return []
        return self._raise(row, self._of_update(row))

    def _of_update(self, row: Mapping[str, Any]) -> dict[str, bool]:
        correct = (row.get("rewards") or {}).get("correct")
        figures = {**row, "correct": correct}
        for key in ("zero_variance_share", "clipped_share", "entropy", "completion_length", "repetition", "correct"):
            if isinstance(value := figures.get(key), int | float):
                self._windows.setdefault(key, deque(maxlen=WINDOW)).append(float(value))
        if len(self._first_lengths) < WINDOW and isinstance(length := row.get("completion_length"), int | float):
            self._first_lengths.append(float(length))
        start = sum(self._first_lengths) / len(self._first_lengths) if self._first_lengths else 0.0
        limits, mean = self.limits, self._mean
        return {
            "zero_variance": mean("zero_variance_share") > limits.zero_variance,
            "clipped": mean("clipped_share") > limits.clipped,
            "entropy_collapse": self._is_full("entropy") and mean("entropy") < limits.entropy,
            "length": start > 0 and mean("completion_length") > limits.length * start,
            "repetition": mean("repetition") > limits.repetition,
            "kl": (row.get("kl") or 0.0) > limits.kl,
            "verifier_errors": (row.get("verifier_errors") or 0) > 0,
            # what was not finite is null in the file
            "not_finite": row["loss"] is None or not math.isfinite(row["loss"]),
        }

    def _of_look(self, accuracy: float, rows: int) -> dict[str, bool]:
        self._looks.append(accuracy)
        if "correct" in self._windows:
            self._gap = self._mean("correct") - accuracy
            self._first_gap = self._gap if self._first_gap is None else self._first_gap
        noise = 1 / math.sqrt(max(1, rows))  # twice the largest standard error of a share of so many rows
        return {
            "gap": self._gap is not None and self._gap > max(self.limits.gap, self._first_gap or 0.0),
            "validation_falls": max(self._looks) - accuracy > max(self.limits.fall, noise),
        }

    def _raise(self, row: Mapping[str, Any], found: Mapping[str, bool]) -> list[dict[str, Any]]:
        new = [name for name, is_wrong in found.items() if is_wrong and name not in self._raised]
        self._raised = (self._raised - set(found)) | {name for name, is_wrong in found.items() if is_wrong}
        return [
            {"step": row["step"], "alarm": name, "message": ALARMS[name][0], "remedy": ALARMS[name][1]} for name in new
        ]

    def _mean(self, key: str) -> float:
        values = self._windows.get(key, ())
        return sum(values) / len(values) if values else 0.0

    def _is_full(self, key: str) -> bool:
        return len(self._windows.get(key, ())) == WINDOW
