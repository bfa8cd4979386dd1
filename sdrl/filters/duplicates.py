"""``duplicates: true``: drop a sample whose normal form equals that of one kept before.

Where a method writes further solutions of questions that it was given, question and solution must be equal.
"""

from __future__ import annotations

from typing import Any

from sdrl.filters.text import Sample, new_text, normal_form


class Duplicates:
    """Remembers the normal form of every kept sample; one dictionary look-up a sample."""

    code = "duplicate"

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"of": id}`` of the sample it repeats, or None."""
        first = self._ids.get(normal_form(new_text(sample)))
        return None if first is None else {"of": first}

    def remember(self, sample: Sample) -> None:
        """Keep ``sample`` in mind."""
        self._ids.setdefault(normal_form(new_text(sample)), str(sample["id"]))
