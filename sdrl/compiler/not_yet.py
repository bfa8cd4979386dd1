"""Keys of the language whose work comes later: accepted, frozen, and named in the plan wherever a spec uses them.

This table is the only place that knows. A value that would change what a run means, and that nothing honours yet, is an
error instead (``UNBUILT``): a plan never promises what no run does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdrl.compiler.findings import Findings

Test = Callable[[Any], bool]


def _above(limit: int) -> Test:
    return lambda value: value is not None and value > limit


def _is_set(value: Any) -> bool:
    return bool(value)


# dotted key -> whether this value asks for work that nothing does yet
NOT_YET: dict[str, Test] = {
    "vote.stop_early": _is_set,
    "score.adaptive": _is_set,
    "retrieve.per_sample": _above(1),
    "review.samples": _above(0),
    "adapt.rounds": _above(1),
    "rounds": _above(1),
    "models.instructor.batch": _is_set,
    "train.lora": _is_set,
    "hardware.gpus": _above(0),
    "hardware.memory_gb": _is_set,
    "hardware.nodes": _above(1),
    "budget.wall_hours": _is_set,
    "gate.min_accuracy": _is_set,
}
# dotted key -> values that cannot be run at all yet
UNBUILT: dict[str, tuple[str, ...]] = {
    "train.algorithm": ("rft", "rloo"),
    "synthesize.method": ("self-instruct", "targen", "synthllm"),
}


def not_yet_used(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys in use whose work comes later, in the table's order."""
    return tuple(key for key, asks in NOT_YET.items() if (value := _at(settings, key)) is not None and asks(value))


def refuse_unbuilt(settings: Mapping[str, Any], findings: Findings) -> None:
    """Report every value that no run can honour yet."""
    for key, values in UNBUILT.items():
        value = _at(settings, key)
        if value in values:
            findings.add("E361", key, f"{key}: '{value}' is in the language but not built yet", "leave the key out")


def _at(settings: Mapping[str, Any], key: str) -> Any:
    value: Any = settings
    for step in key.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
