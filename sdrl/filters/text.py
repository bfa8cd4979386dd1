"""How two samples are compared: the text of a sample, its words, and its normal form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

Sample = Mapping[str, Any]  # at least {"id", "input"}; "options" where the answer type has them

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SENTENCE_MARKS = frozenset(".,;:!?\"'`´‘’“”…")


def sample_text(sample: Sample) -> str:
    """The input and, sorted, the texts of its options: shuffled letters make no new problem."""
    options = sample.get("options") or {}
    return "\n".join([str(sample["input"]), *sorted(map(str, options.values()))])


def words(text: str) -> list[str]:
    """Runs of letters and digits, case folded, compatibility forms unified (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def normal_form(text: str) -> str:
    """Equal for texts that differ in case, spacing and sentence marks alone; operators and signs are kept."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(token for token in tokens if token not in _SENTENCE_MARKS)
