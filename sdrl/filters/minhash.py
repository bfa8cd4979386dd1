"""``minhash: T``: drop a sample whose runs of words overlap those of one kept before by at least ``T`` (Jaccard).

The runs are of ``RUN`` words (a shorter text is one run), normalised as for the other filters. Candidates are found by
MinHash signatures cut into bands (Broder 1997; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, ch. 3);
each is then compared exactly, so that no sample is dropped by a chance agreement of hashes, and one at the threshold
or above is missed once in ``1 / MISSED``. Unlike ``rouge_l``, a look-up costs the same however many samples were kept.
A sample is not compared with its kin (``kin.py``): a harder or easier form is meant to be close to what it was made
from.
"""

from __future__ import annotations

import random
from collections import defaultdict
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sdrl.filters.kin import Kin
from sdrl.filters.text import Sample, sample_text, words

RUN = 3  # words
HASHES = 128
MISSED = 0.002  # of the pairs at the threshold
_PRIME = (1 << 61) - 1


class MinHash:
    """Remembers the runs of every kept sample, and where its signature's bands fall."""

    code = "near_duplicate"

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._rows = rows_of(threshold)
        self._bands: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
        self._runs: list[frozenset[int]] = []
        self._ids: list[str] = []
        self._kin = Kin()

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"of": id, "jaccard": J}`` of the closest earlier sample when J reaches the threshold, or None."""
        runs = runs_of(sample)
        kin = self._kin.of(sample)
        best: tuple[float, int] | None = None
        for place in sorted({place for band in self._cut(runs) for place in self._bands.get(band, ())}):
            other = self._runs[place]
            jaccard = len(runs & other) / len(runs | other)
            if jaccard >= self._threshold and self._ids[place] not in kin and (best is None or jaccard > best[0]):
                best = (jaccard, place)
        return None if best is None else {"of": self._ids[best[1]], "jaccard": round(best[0], 4)}

    def remember(self, sample: Sample) -> None:
        """Keep ``sample`` in mind."""
        runs = runs_of(sample)
        for band in self._cut(runs):
            self._bands[band].append(len(self._ids))
        self._runs.append(runs)
        self._ids.append(str(sample["id"]))
        self._kin.remember(sample)

    def _cut(self, runs: frozenset[int]) -> list[tuple[int, tuple[int, ...]]]:
        """The bands of the signature: equal bands make two samples candidates."""
        if not runs:
            return []
        signature = [min((a * run + b) % _PRIME for run in runs) for a, b in _permutations()]
        rows = self._rows
        return [(at, tuple(signature[at : at + rows])) for at in range(0, HASHES - rows + 1, rows)]


def runs_of(sample: Sample) -> frozenset[int]:
    """The sample's runs of words, each as a number; empty without words."""
    found = words(sample_text(sample))
    runs = (" ".join(found[at : at + RUN]) for at in range(max(1, len(found) - RUN + 1)))
    return frozenset(int.from_bytes(blake2b(run.encode(), digest_size=7).digest(), "big") for run in runs if run)


def rows_of(threshold: float) -> int:
    """The longest bands that miss no more than ``MISSED`` of the pairs that are as close as ``threshold``."""
    fits = [rows for rows in range(1, 33) if (1 - threshold**rows) ** (HASHES // rows) <= MISSED]
    return max(fits, default=1)


@lru_cache(maxsize=1)
def _permutations() -> list[tuple[int, int]]:
    luck = random.Random("minhash")
    return [(luck.randrange(1, _PRIME), luck.randrange(_PRIME)) for _ in range(HASHES)]
