"""When two inputs are the same, or share so long a run of words that one gives the other away. Pure text.

Texts are the same when their normal forms are equal, and overlap when they share a run of ``RUN_WORDS`` words. Source:
the 13-word runs of arXiv:2005.14165, appendix C. Our departure: runs that stand in many inputs of one set are its
standing instruction ("Please classify the relationship …"), not its content, and do not count; without that, every
sample of such a task would overlap. Inputs shorter than a run are compared as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

RUN_WORDS = 13
STANDING_ROWS = 3  # a run in more rows than this and
STANDING_SHARE = 0.05  # in more than this share of a set's rows is its standing instruction
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SENTENCE_MARKS = frozenset(".,;:!?\"'`´‘’“”…")
_BLOCK = (RUN_WORDS - 1) // 2  # words; every run holds a whole aligned block of so many


class Shared(NamedTuple):
    """Where an input comes back: the set, its row (from 0), and the common words, or None for the whole input."""

    name: str
    row: int
    words: str | None


def words(text: str) -> list[str]:
    """Runs of letters and digits, case folded, compatibility forms unified (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def normal_form(text: str) -> str:
    """Equal for texts that differ in case, spacing and sentence marks alone; operators and signs are kept."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(token for token in tokens if token not in _SENTENCE_MARKS)


class Overlap:
    """The inputs of named sets, to compare texts with."""

    def __init__(self) -> None:
        self._whole: dict[str, tuple[str, int]] = {}
        self._runs: dict[str, tuple[str, int]] = {}

    def add(self, name: str, inputs: Mapping[int, str] | Sequence[str], total: int | None = None) -> None:
        """Add a set; of one given in part, ``inputs`` are by row and ``total`` is how many rows there are."""
        rows = inputs if isinstance(inputs, Mapping) else dict(enumerate(inputs))
        runs = {row: list(dict.fromkeys(_runs(text))) for row, text in rows.items()}
        in_rows = Counter(run for found in runs.values() for run in found)
        standing = max(STANDING_ROWS, STANDING_SHARE * (len(rows) if total is None else total))
        for row, text in rows.items():
            self._whole.setdefault(normal_form(text), (name, row))
            for run in runs[row]:
                if in_rows[run] <= standing:
                    self._runs.setdefault(run, (name, row))

    def find(self, text: str, others: Iterable[str] = ()) -> Shared | None:
        """Where ``text`` comes back; ``others`` are further forms of it that are compared as a whole."""
        for form in dict.fromkeys((text, *others)):
            whole = self._whole.get(normal_form(form))
            if whole is not None:
                return Shared(*whole, None)
        for run in _runs(text):
            where = self._runs.get(run)
            if where is not None:
                return Shared(*where, run)
        return None


def telling_words(text: str) -> set[str]:
    """Words of which each text that overlaps with ``text`` holds at least one: the longest of each block of words."""
    found = words(text)
    blocks = [found[at : at + _BLOCK] for at in range(0, len(found), _BLOCK)]
    return {max(block, key=len) for block in blocks if len(block) == _BLOCK or len(found) < RUN_WORDS}


def _runs(text: str) -> Iterator[str]:
    found = words(text)
    for first in range(len(found) - RUN_WORDS + 1):
        yield " ".join(found[first : first + RUN_WORDS])
