"""How two samples are compared: the text of a sample, its words, and its normal form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.overlap import normal_form, words

__all__ = ["Sample", "normal_form", "sample_text", "words"]

Sample = Mapping[str, Any]  # at least {"id", "input"}; "options" where the answer type has them


def sample_text(sample: Sample) -> str:
    """The input and, sorted, the texts of its options: shuffled letters make no new problem."""
    options = sample.get("options") or {}
    return "\n".join([str(sample["input"]), *sorted(map(str, options.values()))])
