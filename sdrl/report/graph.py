"""What a picture of the report is, and the points that it can draw. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Graph:
    """A picture: ``name`` is its anchor and its file name, ``caption`` what to read from it."""

    name: str
    title: str
    caption: str
    picture: str


def known(points: Sequence[Sequence[Any]] | None) -> list[tuple[float, float]]:
    """The points whose value was recorded."""
    return [(float(x), float(y)) for x, y in points or () if y is not None]
