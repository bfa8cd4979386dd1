"""How two samples are compared: the text of a sample, its words, and its normal form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.method_use import writer_of
from sdrl.compiler.overlap import normal_form, words

__all__ = ["Sample", "new_text", "normal_form", "sample_text", "words"]

Sample = Mapping[str, Any]  # at least {"id", "input"}; "options" where the answer type has them


def sample_text(sample: Sample) -> str:
    """The input and, sorted, the texts of its options: shuffled letters make no new problem."""
    options = sample.get("options") or {}
    return "\n".join([str(sample["input"]), *sorted(map(str, options.values()))])


def new_text(sample: Sample) -> str:
    """What must not equal an earlier sample's: its text; and the solution, where a method solves known inputs anew."""
    writer = writer_of(sample)
    text = sample_text(sample)
    return f"{text}\n{sample['output']}" if writer is not None and writer.repeats else text
