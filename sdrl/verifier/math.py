r"""Mathematical answers: numbers and equal normal forms are decided in process, the rest by math-verify in workers.

Canonical text: a plain number or reduced fraction where the slot is one (``\frac{3}{4}`` is ``0.75``), otherwise the
normal form of the LaTeX. A comparison that cannot be decided in time raises MathFailure, which becomes ``error``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

from sdrl.verifier.latex import (
    FRACTION,
    GAP,
    MAX_SLOT,
    NUMBER,
    REPEATING,
    is_wordy,
    is_written,
    math_part,
    normal_form,
    refusal,
    shape,
    tidy,
    words_of,
)
from sdrl.verifier.number import NumberType, canonical_number, read_number
from sdrl.verifier.program import Program
from sdrl.verifier.result import (
    NEGATED_READING,
    SEVERAL_READING,
    TOO_LARGE,
    TOO_LONG,
    UNREADABLE,
    Options,
    Reading,
)
from sdrl.verifier.words import INVISIBLE, NEGATION, WRONG

MAX_KNOWN: Final = 50_000
_EDGE: Final = ' \u00a0\t\r\n\f\v*_`"“”‘’«»„' + INVISIBLE
_SPECIAL: Final = re.compile(r"<\|[^<>|]{1,40}\|>|</?[A-Za-z][^<>=]{0,40}>")
_NUMERIC: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+|/[0-9]+)?", re.ASCII)
# Signs of an expression that stands for several values, or for a set, without a comma.
_SEVERAL_SIGNS: Final = ("\\pm", "\\mp", "=", "<", ">", "\\le", "\\ge", "\\in", "\\cup", "\\{")
_VALUE: Final = re.compile(r"[^\^_]*[A-Za-z0-9]")
_NOTHING: Final = re.compile(r"(?:nan|inf|infinity|undefined|none|null)", re.IGNORECASE)


class MathType:
    """Answer type ``math``."""

    def __init__(self, program: Program) -> None:
        self._number = NumberType(program.tolerance)
        self._absolute = str(program.tolerance.abs)
        self._relative = str(program.tolerance.rel)
        # Votes and rewards ask the same few pairs again and again; failures are not kept, another try may do better.
        self._known: dict[tuple[str, str], bool] = {}

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the expression of one slot."""
        return _read(slot)

    def same(self, a: str, b: str) -> bool:
        """Whether both are one value. Raises MathFailure when that cannot be decided in time."""
        result = self.same_many([(a, b)])[0]
        if isinstance(result, bool):
            return result
        raise result

    def same_many(self, pairs: Sequence[tuple[str, str]]) -> list[bool | Exception]:
        """``same`` for many (prediction, gold), each pair asked once; a failure stands in its place."""
        results: list[bool | Exception] = []
        asked: dict[tuple[str, str], list[int]] = {}
        for index, (a, b) in enumerate(pairs):
            decided = self._known.get((a, b))
            if decided is None:
                decided = self._in_process(a, b)
            results.append(bool(decided))
            if decided is None:
                asked.setdefault((a, b), []).append(index)
        if asked:
            from sdrl.verifier.workers import Pair, shared_pool

            answers = shared_pool().compare([Pair(a, b, self._absolute, self._relative) for a, b in asked])
            if len(self._known) > MAX_KNOWN:
                self._known.clear()
            for (pair, indices), answer in zip(asked.items(), answers, strict=True):
                if isinstance(answer, bool):
                    self._known[pair] = answer
                for index in indices:
                    results[index] = answer
        return results

    def _in_process(self, a: str, b: str) -> bool | None:
        if a == b:
            return True
        if _NUMERIC.fullmatch(a) and _NUMERIC.fullmatch(b):
            return self._number.same(a, b)
        if is_wordy(a) or is_wordy(b):
            return words_of(a) == words_of(b)
        if is_written(a) or is_written(b):
            return False
        return _comparable(a, b)


def _comparable(a: str, b: str) -> bool | None:
    """False where the shapes tell two answers apart that math-verify takes for one; None where it is to be asked."""
    shapes = {shape(a), shape(b)}
    if shapes == {"list", "tuple"}:
        return False  # `1,2` has no order, `(1,2)` has one
    if shapes == {"list", ""}:
        single = b if shape(a) else a
        return None if any(sign in single for sign in _SEVERAL_SIGNS) else False
    return None


@lru_cache(maxsize=8_192)
def _read(slot: str) -> Reading:
    if len(slot) > MAX_SLOT:
        return Reading(None, TOO_LONG)
    expression, prose = math_part(_SPECIAL.sub("", slot).strip(_EDGE))
    if _denies(prose) or (_denies(expression) and "\\not" not in expression):
        return NEGATED_READING
    if NUMBER.fullmatch(expression.strip()) and (number := read_number(expression)).text is not None:
        return number  # with its unit: the normal form has no spaces any more to tell `18 apples` from a product
    tidied = tidy(expression)
    if NUMBER.fullmatch(tidied) and (number := read_number(tidied)).text is not None:
        return number
    if GAP.search(tidied):
        return SEVERAL_READING  # `17 18` are two values and not 1718
    form = normal_form(tidied)
    if not _VALUE.match(form) or _NOTHING.fullmatch(form):
        return UNREADABLE
    if NUMBER.fullmatch(form):
        number = read_number(form)
        if number.text is not None or number.reason == TOO_LARGE:
            return number
    fraction, repeating = FRACTION.fullmatch(form), REPEATING.fullmatch(form)
    number_text = _fraction(fraction) if fraction else _repeating(repeating) if repeating else None
    if number_text:
        return Reading(number_text)
    refused = refusal(form)
    if refused:
        return Reading(None, TOO_LARGE) if refused == "large" else UNREADABLE
    return Reading(form)


def _denies(text: str) -> bool:
    return bool(NEGATION.search(text) or WRONG.search(text))


def _fraction(match: re.Match[str]) -> str | None:
    sign, whole, above, below = match.groups()
    if len(whole + above + below) > 200 or not int(below):
        return None
    value = int(whole or 0) + Fraction(int(above), int(below))
    return canonical_number(-value if sign == "-" else value)


def _repeating(match: re.Match[str]) -> str | None:
    """The value of a decimal whose last digits repeat for ever."""
    sign, whole, fixed, period = match.groups()
    if len(whole + fixed + period) > 200:
        return None
    tail = Fraction(int(period), 10 ** len(fixed) * (10 ** len(period) - 1))
    value = Fraction(int(whole + fixed or 0), 10 ** len(fixed)) + tail
    return canonical_number(-value if sign else value)
