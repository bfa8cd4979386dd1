"""The ordered filters of a spec over samples in index order, with a memory that outlives one call.

A sample meets the filters in the spec's order and is dropped by the first that objects; what is kept is remembered, so
that a later sample (of a later wave, or adapted from an earlier one) is compared with all that stands. The outcome
depends on the samples and their order alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sdrl.filters.decontaminate import Decontaminate
from sdrl.filters.duplicates import Duplicates
from sdrl.filters.embedding import DecontaminateEmbedding, Embedding
from sdrl.filters.grade import Grade
from sdrl.filters.language import Language
from sdrl.filters.length import LengthLimits
from sdrl.filters.minhash import MinHash
from sdrl.filters.rouge_l import RougeL
from sdrl.filters.tags import Tags
from sdrl.filters.text import Sample
from sdrl.spec.model import FilterStep


class Drop(NamedTuple):
    """A dropped sample, the code for the funnel, and what shows it (the earlier id, or set, row and shared text)."""

    sample: Sample
    code: str
    evidence: dict[str, Any]


class Filtered(NamedTuple):
    """The outcome, both in the order the samples came in."""

    kept: list[Sample]
    dropped: list[Drop]


class Filter(Protocol):
    """One filter with its memory."""

    @property
    def code(self) -> str:
        """The drop code."""

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """Evidence against ``sample``, or None."""

    def remember(self, sample: Sample) -> None:
        """``sample`` was kept."""


class FilterState:
    """What was kept so far, the evaluation inputs ``{set: [input, …]}`` that no sample may repeat, and the language."""

    def __init__(self, evaluations: Mapping[str, Sequence[str]] | None = None, language: str = "en") -> None:
        self._evaluations = dict(evaluations or {})
        self._language = language
        self._vectors: dict[str, Sequence[float]] = {}
        self._kept: list[Sample] = []
        self._filters: dict[tuple[str, str], Filter] = {}

    def learn(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Take the vectors of texts, before the texts are filtered or remembered."""
        self._vectors.update(vectors)

    def remember(self, samples: Iterable[Sample]) -> None:
        """Take samples as kept without filtering them (those of an earlier stage)."""
        for sample in samples:
            self._kept.append(sample)
            for each in self._filters.values():
                each.remember(sample)

    def filters(self, steps: Sequence[FilterStep]) -> list[Filter]:
        """The filters of ``steps`` that are on, in order, each knowing all that was kept."""
        return [self._filter(step) for step in steps if step.is_on]

    def _filter(self, step: FilterStep) -> Filter:
        key = (step.name, repr(getattr(step, step.name)))
        if key not in self._filters:
            made = self._make(step)
            for sample in self._kept:
                made.remember(sample)
            self._filters[key] = made
        return self._filters[key]

    def _make(self, step: FilterStep) -> Filter:
        if step.rouge_l is not None:
            return RougeL(step.rouge_l)
        if step.minhash is not None:
            return MinHash(step.minhash)
        if step.embedding is not None:
            return Embedding(step.embedding, self._vectors)
        if step.decontaminate_embedding is not None:
            return DecontaminateEmbedding(step.decontaminate_embedding, self._evaluations, self._vectors)
        if step.length is not None:
            return LengthLimits(step.length)
        if step.judge is not None:
            return Grade(step.judge)
        if step.tags is not None:
            return Tags(step.tags)
        if step.language:
            return Language(self._language)
        return Decontaminate(self._evaluations) if step.decontaminate else Duplicates()


def apply_filters(steps: Sequence[FilterStep], samples: Iterable[Sample], seen: FilterState) -> Filtered:
    """Filter ``samples`` (``id``, ``input``, perhaps ``options``) in order; ``seen`` learns what is kept."""
    filters = seen.filters(steps)
    kept: list[Sample] = []
    dropped: list[Drop] = []
    for sample in samples:
        for each in filters:
            evidence = each.check(sample)
            if evidence is not None:
                dropped.append(Drop(sample, each.code, evidence))
                break
        else:
            kept.append(sample)
            seen.remember([sample])
    return Filtered(kept, dropped)
