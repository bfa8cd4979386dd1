"""How alike the problems of a set are: cosine similarities of pairs within it (the paper's Figures 22 to 24).

Lower is more varied. All pairs of a set where they are few, else ``PAIRS`` of them drawn with a fixed seed, so that the
same run gives the same figures.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from sdrl.report.measures import Measures, Vector, cosine

PAIRS = 2000
BINS = 40  # of 0.025 each, from 0 to 1; below zero counts as zero


def similarities(groups: Mapping[str, Sequence[str]], measures: Measures) -> dict[str, Any] | None:
    """``{embedder, groups: {name: {n, pairs, mean, median, counts}}}`` of sets of texts; None where none has a pair."""
    chosen = {name: _pairs(len(texts)) for name, texts in groups.items() if len(texts) > 1}
    if not chosen:
        return None
    texts = list(dict.fromkeys(groups[name][at] for name, pairs in chosen.items() for pair in pairs for at in pair))
    vectors = dict(zip(texts, measures.embed(texts), strict=True))
    found = {name: _spread(groups[name], pairs, vectors) for name, pairs in chosen.items()}
    return {"embedder": measures.embedder, "groups": found}


def _pairs(n: int) -> list[tuple[int, int]]:
    if n * (n - 1) // 2 <= PAIRS:
        return list(combinations(range(n), 2))
    rng = random.Random(0)
    return [(first, (first + rng.randrange(1, n)) % n) for first in (rng.randrange(n) for _ in range(PAIRS))]


def _spread(texts: Sequence[str], pairs: Sequence[tuple[int, int]], vectors: Mapping[str, Vector]) -> dict[str, Any]:
    values = sorted(cosine(vectors[texts[a]], vectors[texts[b]]) for a, b in pairs)
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, max(0, int(value * BINS)))] += 1
    return {
        "n": len(texts),
        "pairs": len(pairs),
        "mean": round(sum(values) / len(values), 6),
        "median": round(values[len(values) // 2], 6),
        "counts": counts,
    }
