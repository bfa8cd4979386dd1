"""``decontaminate: true``: drop a sample that shares text with an evaluation set.

A sample is contaminated when its normal form equals an evaluation input's, or when they share a run of ``RUN_WORDS``
words. Source: the 13-word runs of arXiv:2005.14165, appendix C. Our departure: runs that stand in many inputs of one
set are its standing instruction ("Please classify the relationship …"), not its content, and do not count; without
that, every sample of such a task would be dropped. Inputs shorter than a run are compared as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sdrl.filters.text import Sample, normal_form, sample_text, words

RUN_WORDS = 13
STANDING_ROWS = 3  # a run in more rows than this and
STANDING_SHARE = 0.05  # in more than this share of a set's rows is its standing instruction


class Decontaminate:
    """Built once from the evaluation inputs, ``{set: [input, …]}``; kept samples do not change it."""

    code = "contaminated"

    def __init__(self, evaluations: Mapping[str, Sequence[str]]) -> None:
        self._whole: dict[str, tuple[str, int]] = {}
        self._runs: dict[str, tuple[str, int]] = {}
        for name, inputs in evaluations.items():
            self._add(name, inputs)

    def _add(self, name: str, inputs: Sequence[str]) -> None:
        rows = [list(dict.fromkeys(_runs(text))) for text in inputs]
        in_rows = Counter(run for row in rows for run in row)
        standing = max(STANDING_ROWS, STANDING_SHARE * len(inputs))
        for index, (text, row) in enumerate(zip(inputs, rows, strict=True)):
            self._whole.setdefault(normal_form(text), (name, index))
            for run in row:
                if in_rows[run] <= standing:
                    self._runs.setdefault(run, (name, index))

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"set", "row", "shared"}`` (row counts from 0; shared is the common text), or None."""
        for text in dict.fromkeys((str(sample["input"]), sample_text(sample))):
            whole = self._whole.get(normal_form(text))
            if whole is not None:
                return {"set": whole[0], "row": whole[1], "shared": "the whole input"}
        for run in _runs(str(sample["input"])):
            where = self._runs.get(run)
            if where is not None:
                return {"set": where[0], "row": where[1], "shared": run}
        return None

    def remember(self, sample: Sample) -> None:
        """Nothing to remember: only the evaluation sets count."""


def _runs(text: str) -> Iterator[str]:
    found = words(text)
    for first in range(len(found) - RUN_WORDS + 1):
        yield " ".join(found[first : first + RUN_WORDS])
