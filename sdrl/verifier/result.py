"""What the verifier says: a reading of one slot, an extraction, a judgement. Data only, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Verdict = Literal["correct", "incorrect", "unparsable", "error"]
Options = Mapping[str, str]

CORRECT: Final = "correct"
INCORRECT: Final = "incorrect"
UNPARSABLE: Final = "unparsable"
ERROR: Final = "error"

# Reasons are part of the output of `sdrl verify`: short, stable, lower case.
NO_SLOT: Final = "no answer slot found"
EMPTY: Final = "the answer slot is empty"
NOT_ONLY: Final = "more than one answer slot"
TOO_LONG: Final = "the answer slot is too long"
SEVERAL: Final = "several values in the slot"
NOT_ALONE: Final = "the slot holds more than its value"
NEGATED: Final = "the slot negates its value"
NOT_A_VALUE: Final = "the slot holds no value of this type"
TOO_LARGE: Final = "the expression is too large"
BAD_GOLD: Final = "the gold is no value of this type"
DIFFERENT: Final = "differs from the gold"
EQUAL: Final = "equals the gold"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one slot says. ``text`` is the canonical value, or None; ``conflict`` means the slot answers wrongly in form
    (several values, a negated value), which is an incorrect answer and not an unreadable one."""

    text: str | None
    reason: str = ""
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Extraction:
    """``prediction`` is the canonical text or None, ``span`` the slot's (start, end) in the completion, in characters.

    ``conflict``: the slot was found and holds several values or a negated one; such a completion is judged incorrect.
    ``failed``: the verifier itself failed on it.
    """

    prediction: str | None
    span: tuple[int, int] | None = None
    reason: str = ""
    conflict: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict. ``prediction`` is None when nothing was read or the slot held several values."""

    prediction: str | None
    verdict: Verdict
    reason: str = ""


class AnswerType(Protocol):
    """An answer type: how a slot is read, and when two canonical values are the same."""

    def read(self, slot: str, options: Options | None) -> Reading:
        """Read one slot (already stripped of surrounding white space, never empty)."""

    def same(self, a: str, b: str) -> bool:
        """Whether two canonical texts are one value."""


SEVERAL_READING: Final = Reading(None, SEVERAL, conflict=True)
NOT_ALONE_READING: Final = Reading(None, NOT_ALONE, conflict=True)
NEGATED_READING: Final = Reading(None, NEGATED, conflict=True)
UNREADABLE: Final = Reading(None, NOT_A_VALUE)
