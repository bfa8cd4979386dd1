"""``judge: G``: drop a sample that the instructor graded below ``G``, from 1 (useless) to 6 (excellent).

The grade stands in the sample's ``grade`` (``{"score", "reason"}``), put there by the stage that asked; a sample
without one, whose judgement could not be read, stays. The rubric is LIMA's (arXiv:2305.11206, section 3: a 6-point
scale) in words of our own; see ``templates/judge.jinja``.
"""

from __future__ import annotations

from typing import Any

from sdrl.filters.text import Sample


class Grade:
    """Knows the least grade alone; kept samples do not change it."""

    code = "poor_grade"

    def __init__(self, least: int) -> None:
        self._least = least

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"score": n, "reason": text}`` of a grade below the least, or None."""
        grade = sample.get("grade")
        return dict(grade) if grade and grade["score"] < self._least else None

    def remember(self, sample: Sample) -> None:
        """Nothing to remember."""
