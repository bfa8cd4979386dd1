"""Numbers: reads the one number of a slot, exactly, and compares two within a tolerance.

Read: integers, decimals, thousands separators (``1,800``), signs (U+2212 too), scientific (``1.8e1``, ``1.8 × 10^1``),
fractions (``3/4``), mixed numbers (``1 3/4``), currency and units around the number, light LaTeX and markdown. Not read:
``nan``, ``inf``, digits of other scripts, ``1,8``. All arithmetic is decimal or rational, never binary.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from sdrl.verifier.program import Tolerance
from sdrl.verifier.result import (
    NEGATED_READING,
    SEVERAL_READING,
    TOO_LARGE,
    TOO_LONG,
    UNREADABLE,
    Options,
    Reading,
)

MAX_SLOT: Final = 2_000
MAX_DIGITS: Final = 400
MAX_EXPONENT: Final = 400
# Wide enough for every difference of two numbers within the bounds above, so that subtraction never rounds.
_EXACT: Final = Context(prec=4 * (MAX_DIGITS + MAX_EXPONENT), Emax=10_000, Emin=-10_000)

_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{0,29}[1-9])?", re.ASCII)
_BODY: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_TOKEN: Final = re.compile(
    rf"""(?:(?P<sign>[+-])\s?)?(?:[$€£¥₹]\s?)?(?P<sign2>[+-]?)
    (?P<body>{_BODY})
    (?:[eE](?P<exponent>[+-]?[0-9]+)(?![0-9A-Za-z.])
      |\s*(?:×|x|\*|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*(?:\{{\s*(?P<braced>[+-]?[0-9]+)\s*\}}|\(?(?P<power>[+-]?[0-9]+)\)?)
      |\s?/\s?(?P<denominator>{_BODY})
      |\s(?P<numerator>[0-9]+)/(?P<below>[0-9]+))?""",
    re.ASCII | re.VERBOSE,
)
_CLEAN: Final = re.compile(
    r"<\|[^<>|]{1,40}\|>|</?[A-Za-z][^<>]{0,40}>|\*\*|__|\\\$|\\[,;:! ]|\{,\}|\\(?:left|right|boxed|text|mathrm|mathbf)\b"
)
_FRACTION: Final = re.compile(r"\\[dt]?frac\s*\{\s*([0-9.,]+)\s*\}\s*\{\s*([0-9.,]+)\s*\}")
_SIGNS: Final = str.maketrans(
    {"−": "-", "﹣": "-", "－": "-", "–": "-", "＋": "+", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
)
_NEGATION: Final = re.compile(r"\b(?:not|never|neither|nor|cannot|except|but)\b|n['’]t\b|!=|≠", re.IGNORECASE)
_SCALES: Final = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "k": 10**3}
_SCALE: Final = re.compile(r"\s?(hundred|thousand|million|billion|trillion)\b|([kK])(?![A-Za-z])", re.IGNORECASE)
# Before a number: comparisons and operators make it something else than that number; behind it likewise.
_BAD_BEFORE: Final = re.compile(r"(?:[<>≤≥≠±^*/×÷+\-]|!=|[0-9][.,:]|[0-9])\s?\Z")
_BAD_BEHIND: Final = re.compile(r"\s?(?:[\^⁰¹²³⁴-⁹½¼¾]|\*\*)|[,.:/][0-9]|_?[0-9]|\s?[*/×÷+]\s?[0-9(]")
_OTHER_DIGIT: Final = re.compile(r"[^\W0-9_A-Za-z]", re.UNICODE)


class NumberType:
    """Answer type ``number``. Canonical text: plain decimal (``-0.5``), or a reduced fraction (``1/3``)."""

    def __init__(self, tolerance: Tolerance) -> None:
        self._abs = tolerance.abs
        self._rel = tolerance.rel
        self._exact = not tolerance.abs and not tolerance.rel

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the one number of ``slot``."""
        if _PLAIN.fullmatch(slot) and slot != "-0":
            return Reading(slot)
        return read_number(slot)

    def same(self, a: str, b: str) -> bool:
        """Whether ``a`` lies within the tolerance of ``b`` (the relative part is taken of the larger of both)."""
        if a == b:
            return True
        if self._exact:
            return False  # one canonical text per exact value
        return within(to_number(a), to_number(b), self._abs, self._rel)


def read_number(slot: str) -> Reading:
    """Read the one number of any slot text, the slow and full way."""
    if len(slot) > MAX_SLOT:
        return Reading(None, TOO_LONG)
    text = _CLEAN.sub("", _FRACTION.sub(r"\1/\2", slot.translate(_SIGNS)))
    values: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        before, behind = text[max(0, match.start() - 3) : match.start()], text[match.end() : match.end() + 3]
        if before[-1:].isalnum() or before[-1:] == "_" or _is_unit_power(text, match.start()):
            if not before[-1:].isascii() and before[-1:].isdigit():
                return UNREADABLE
            if before[-1:].isdigit():
                return SEVERAL_READING
            continue  # the digits of a word or unit: m2, CO2, cm^2
        if _BAD_BEFORE.search(before) and not values:
            return Reading(None, "the slot holds more than a number", conflict=True)
        if _BAD_BEHIND.match(behind):
            return SEVERAL_READING
        if behind[:1].isdigit() or (match.group("body") == "0" and behind[:1] in "xXbBoO" and behind[:1]):
            return UNREADABLE
        value = _value(match)
        if value is None:
            return UNREADABLE
        scale = _SCALE.match(text, match.end())
        if scale:
            value *= _SCALES[scale.group().strip().lower()]
        canonical = canonical_number(value)
        if canonical is None:
            return Reading(None, TOO_LARGE)
        values.append((canonical, match.start(), match.end()))
    return _only_value(text, values)


def _only_value(text: str, values: list[tuple[str, int, int]]) -> Reading:
    if not values:
        return UNREADABLE
    first, start, end = values[0]
    for value, begin, stop in values[1:]:
        # `1.5 = 3/2` and `18 (18.0)` repeat one value; `6 + 6`, `3 of 3` do not.
        between = text[end:begin]
        if value != first or not any(sign in between for sign in "=≈("):
            return SEVERAL_READING
        end = stop
    if _NEGATION.search(text[:start]):
        return NEGATED_READING
    return Reading(first)


def _is_unit_power(text: str, start: int) -> bool:
    return start >= 2 and text[start - 1] == "^" and text[start - 2].isalpha()


def _value(match: re.Match[str]) -> Fraction | None:
    part = match.group
    if part("sign") and part("sign2"):
        return None
    exponent = part("exponent") or part("braced") or part("power") or "0"
    body = part("body").replace(",", "")
    if len(body) > MAX_DIGITS or len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT:
        return Fraction(10) ** (2 * MAX_DIGITS)  # canonical_number refuses it as too large
    value = Fraction(body) * Fraction(10) ** int(exponent)
    if part("denominator"):
        below = part("denominator").replace(",", "")
        if len(below) > MAX_DIGITS or not Fraction(below):
            return None
        value /= Fraction(below)
    elif part("numerator"):
        if len(part("numerator") + part("below")) > MAX_DIGITS or not int(part("below")):
            return None
        value += Fraction(int(part("numerator")), int(part("below")))
    return -value if "-" in (part("sign"), part("sign2")) else value


def canonical_number(value: Fraction) -> str | None:
    """The one text of an exact value, or None when it needs more digits than are handled."""
    bound = 10**MAX_DIGITS
    if abs(value.numerator) >= bound or value.denominator >= bound:
        return None
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


@lru_cache(maxsize=65_536)
def to_number(canonical: str) -> Decimal | Fraction:
    """The value of a canonical text."""
    return Fraction(canonical) if "/" in canonical else Decimal(canonical)


def within(a: Decimal | Fraction, b: Decimal | Fraction, absolute: Decimal, relative: Decimal) -> bool:
    """Whether ``|a - b| <= max(absolute, relative * max(|a|, |b|))``, computed without rounding."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        bound = absolute
        if relative:
            bound = max(bound, _EXACT.multiply(relative, max(a.copy_abs(), b.copy_abs())))
        return _EXACT.subtract(a, b).copy_abs() <= bound
    left, right = Fraction(a), Fraction(b)
    return abs(left - right) <= max(Fraction(absolute), Fraction(relative) * max(abs(left), abs(right)))
