"""``rouge_l: T``: drop a sample whose ROUGE-L with any sample kept before is at least ``T``.

ROUGE-L is the F measure (precision and recall weighing the same) of the longest common subsequence of words: 2·LCS(a,
b) / (|a| + |b|). Source: Lin 2004, section 3.2; the filter is Self-Instruct's (arXiv:2212.10560, which uses 0.7).
Words are compared as written, without stemming. A sample is not compared with its kin (``kin.py``): a harder or easier
form is meant to be close to what it was made from.

Each distinct word is mapped to one character, so that a sample is a string and the whole comparison runs in RapidFuzz:
its normalised Indel similarity is exactly this F. It skips pairs whose lengths alone rule the threshold out.
"""

from __future__ import annotations

from typing import Any

from sdrl.filters.kin import Kin
from sdrl.filters.text import Sample, sample_text, words
from sdrl.spec.diagnostics import SdrlError

_FIRST = 0xE000  # beyond the surrogates, which no string may hold alone
_ROOM = 0x110000 - _FIRST


class RougeL:
    """Remembers every kept sample as a string of word characters."""

    code = "near_duplicate"

    def __init__(self, threshold: float) -> None:
        try:
            from rapidfuzz import process
            from rapidfuzz.distance import Indel
        except ImportError:
            raise SdrlError(
                "E825", "the filter rouge_l needs the library rapidfuzz", help="pip install 'sdrl[run]'"
            ) from None
        self._best = process.extractOne
        self._similarity = Indel.normalized_similarity
        self._threshold = threshold
        self._letters: dict[str, str] = {}
        self._texts: list[str | None] = []
        self._places: dict[str, int] = {}
        self._ids: list[str] = []
        self._kin = Kin()

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"of": id, "rouge_l": F}`` of the closest earlier sample when F reaches the threshold, or None."""
        text = self._encode(sample)
        if not text:
            return None
        hidden = {
            place: self._texts[place] for id_ in self._kin.of(sample) if (place := self._places.get(id_)) is not None
        }
        for place in hidden:
            self._texts[place] = None  # RapidFuzz passes over it
        best = self._best(text, self._texts, scorer=self._similarity, processor=None, score_cutoff=self._threshold)
        for place, kept in hidden.items():
            self._texts[place] = kept
        return None if best is None else {"of": self._ids[best[2]], "rouge_l": round(best[1], 4)}

    def remember(self, sample: Sample) -> None:
        """Keep ``sample`` in mind."""
        self._places[str(sample["id"])] = len(self._ids)
        self._texts.append(self._encode(sample))
        self._ids.append(str(sample["id"]))
        self._kin.remember(sample)

    def _encode(self, sample: Sample) -> str:
        letters = self._letters
        return "".join(
            # past a million distinct words two may share a character: F can only come out too high, for one pair
            letters.setdefault(word, chr(_FIRST + len(letters) % _ROOM))
            for word in words(sample_text(sample))
        )
