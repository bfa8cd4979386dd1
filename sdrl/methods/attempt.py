"""The hand-over between the generate stage and a method. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample


@dataclass(frozen=True)
class Attempt:
    """One try at writing an example: its number, its part of the task, and what may go into its prompt."""

    index: int
    part: PartPlan
    passage: Mapping[str, Any] | None
    pattern: str | None
    demos: tuple[Sample, ...]


@dataclass(frozen=True)
class Draft:
    """Which template to render, with which values."""

    prompt: str
    values: Mapping[str, Any]
