"""``decontaminate: true``: drop a sample that shares text with an evaluation set (see ``compiler.overlap``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.compiler.overlap import Overlap
from sdrl.filters.text import Sample, sample_text


class Decontaminate:
    """Built once from the evaluation inputs, ``{set: [input, …]}``; kept samples do not change it."""

    code = "contaminated"

    def __init__(self, evaluations: Mapping[str, Sequence[str]]) -> None:
        self._overlap = Overlap()
        for name, inputs in evaluations.items():
            self._overlap.add(name, inputs)

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"set", "row", "shared"}`` (row counts from 0; shared is the common text), or None."""
        found = self._overlap.find(str(sample["input"]), [sample_text(sample)])
        if found is None:
            return None
        return {"set": found.name, "row": found.row, "shared": found.words or "the whole input"}

    def remember(self, sample: Sample) -> None:
        """Nothing to remember: only the evaluation sets count."""
