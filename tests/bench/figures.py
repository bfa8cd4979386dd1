"""One line of the table of ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    ours: str
    reference: str
    ratio: float
    budget: str
    held: bool
