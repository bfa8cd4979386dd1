"""Mathematical answers: equal normal forms are decided in process."""

from __future__ import annotations

from sdrl.verifier.number import NumberType
from sdrl.verifier.program import Program
from sdrl.verifier.result import UNREADABLE, Options, Reading
from sdrl.verifier.words import clean, fold


class MathType:
    """Answer type ``math``. Canonical text: a plain number where the slot is one, else the cleaned expression."""

    def __init__(self, program: Program) -> None:
        self._number = NumberType(program.tolerance)

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the expression of one slot."""
        number = self._number.read(slot)
        if number.text is not None:
            return number
        text = fold(clean(slot), False)
        return Reading(text) if text else UNREADABLE

    def same(self, a: str, b: str) -> bool:
        """Whether both are one value."""
        return a == b
