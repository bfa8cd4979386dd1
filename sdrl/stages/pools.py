"""The pools of methods whose prompts show samples that were written before: by part, in the order of the attempts.

A sample enters where its ROUGE-L with all of its part's pool, the demos included, is below the method's bound. Without
a bound there is no pool, and everything enters. Reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.filters.rouge_l import RougeL
from sdrl.methods.attempt import id_of
from sdrl.stages.context import Row


class Pools:
    """What has been written, and what a new sample is compared with."""

    def __init__(self, parts: Sequence[PartPlan], most_alike: float | None, written: Iterable[Row] = ()) -> None:
        self.grow = most_alike is not None
        self._rows: dict[str, list[Row]] = {part.name: [] for part in parts}
        self._filters: dict[str, RougeL] = {}
        self._shown: dict[str, tuple[int, tuple[Sample, ...]]] = {}  # by part: what the last wave asked for was shown
        if most_alike is None:
            return
        for part in parts:
            known = self._filters[part.name] = RougeL(most_alike)
            for demo in part.demos:
                known.remember({"id": id_of(demo), "input": demo.input, "options": demo.options})
        for row in written:
            self._keep(row)

    def take(self, row: Row) -> dict[str, Any] | None:
        """Let a sample in; where it is too close to one of the pool, that one's id and their ROUGE-L instead."""
        if not self.grow:
            return None
        alike = self._filters[row["part"]].check(row)
        if alike is None:
            self._keep(row)
        return alike

    def before(self, part: str, attempt: int) -> tuple[Sample, ...]:
        """The samples of a part that earlier attempts than this one wrote."""
        if self._shown.get(part, (None,))[0] != attempt:  # the same for every attempt of a wave
            rows = (row for row in self._rows.get(part, ()) if row["attempt"] < attempt)
            self._shown[part] = attempt, tuple(Sample(row["input"], row["output"], row["options"]) for row in rows)
        return self._shown[part][1]

    def _keep(self, row: Row) -> None:
        self._shown.pop(row["part"], None)
        self._rows[row["part"]].append(row)
        self._filters[row["part"]].remember(row)
