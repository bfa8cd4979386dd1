"""``tags: N``: drop a sample each of whose tags ``N`` kept samples have already: it adds no new kind of task.

The instructor names a sample's tags (what it is about and what it takes); they stand in ``tags``, put there by the
stage that asked, and a sample without any, whose reply could not be read, stays. Source: InsTag's diversity, new tags
while samples are added (arXiv:2308.07074, section 4.1: there ``N`` is 1, for picking few of many). Tags are compared
in normal form; the instructor's wording of one idea may still differ, and then counts as two.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sdrl.filters.text import Sample, normal_form


class Tags:
    """Counts the tags of every kept sample."""

    code = "common_tags"

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"tags": {tag: how many have it}}`` where no tag is rare any more, or None."""
        counts = {tag: self._counts[tag] for tag in _tags(sample)}
        return {"tags": counts} if counts and min(counts.values()) >= self._most else None

    def remember(self, sample: Sample) -> None:
        """Keep ``sample`` in mind."""
        self._counts.update(_tags(sample))


def _tags(sample: Sample) -> list[str]:
    return sorted({normal_form(str(tag)) for tag in sample.get("tags") or ()})
