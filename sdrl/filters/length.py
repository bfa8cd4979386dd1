"""``length: {min_words, max_words}``: drop a sample with fewer or more words, which are runs of letters and digits.

In scripts without spaces (Chinese, Japanese, Thai) a whole clause is one such run: give ``max_words`` there in clauses,
or leave the filter out.
"""

from __future__ import annotations

from typing import Any

from sdrl.filters.text import Sample, sample_text, words
from sdrl.spec.model import Length


class LengthLimits:
    """Knows the limits alone; kept samples do not change it."""

    code = "length"

    def __init__(self, limits: Length) -> None:
        self._limits = limits

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"words": n}`` where n lies outside the limits, or None."""
        count = len(words(sample_text(sample)))
        most = self._limits.max_words
        outside = count < self._limits.min_words or (most is not None and count > most)
        return {"words": count} if outside else None

    def remember(self, sample: Sample) -> None:
        """Nothing to remember."""
