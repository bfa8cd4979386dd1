"""Numbers: reads the one number of a slot, exactly, and compares two within a tolerance.

Read: integers, decimals, thousands separators (``1,800``), signs (U+2212 too), scientific (``1.8e1``, ``1.8 × 10^1``),
fractions (``3/4``), mixed numbers (``1 3/4``), currency and units around the number, light LaTeX and markdown. Not
read: ``nan``, ``inf``, digits of other scripts, ``1,8``. All arithmetic is decimal or rational, never binary.
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
    NOT_ALONE_READING,
    SEVERAL_READING,
    TOO_LARGE,
    TOO_LONG,
    UNREADABLE,
    Options,
    Reading,
)
from sdrl.verifier.words import INVISIBLE, NEGATION

MAX_SLOT: Final = 2_000
MAX_CACHED: Final = 64
MAX_DIGITS: Final = 400
MAX_EXPONENT: Final = 400
_HUGE: Final = Fraction(10) ** (2 * MAX_DIGITS)
# Wide enough for every difference of two numbers within the bounds above, so that subtraction never rounds.
_EXACT: Final = Context(prec=4 * (MAX_DIGITS + MAX_EXPONENT), Emax=10_000, Emin=-10_000)

_PLAIN: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{0,29}[1-9])?", re.ASCII)
_BODY: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_TOKEN: Final = re.compile(
    rf"""(?:(?P<sign>[+-])(?P<gap>\s?))?(?:[$€£¥₹]\s?)?(?P<inner>[+-]?)
    (?P<body>{_BODY})
    (?:[eE](?P<exponent>[+-]?[0-9]+)(?![0-9A-Za-z]|\.[0-9])
      |\s*(?:×|x|\*|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*
       (?:\{{\s*(?P<braced>[+-]?[0-9]+)\s*\}}|\(?(?P<power>[+-]?[0-9]+)\)?)
      |\s?/\s?(?P<denominator>{_BODY})
      |\s(?P<numerator>[0-9]+)/(?P<below>[0-9]+)(?![0-9/]))?""",
    re.ASCII | re.VERBOSE,
)
_CURRENCY: Final = "$€£¥₹"  # as in US$18
_EDGE: Final = " \u00a0\t\r\n\f\v*_`'\"“”‘’«»„" + INVISIBLE
# `**18** apples` is emphasis, `2**18` and `x**18**2` are powers
_BOLD: Final = re.compile(r"(?<![0-9A-Za-z_)\]}*])\*\*(?![\s*])([^*\n]{1,200})(?<!\s)\*\*(?![0-9(*])")
_CLEAN: Final = re.compile(
    r"<\|[^<>|]{1,40}\|>|</?[A-Za-z][^<>]{0,40}>|\*\*(?![0-9 ])|(?<=[0-9])__|\\\$|\\[()\[\]]"
    r"|\\(?:left|right|boxed|text|mathrm|mathbf)(?![A-Za-z])|\^\{?\\circ\}?|\\(?=%)"
    # A thin space or a braced comma parts thousands; before other than three digits it stays what it is.
    r"|(?<=[0-9]),?(?:\\[,;:! ]|\{,\})(?=[0-9]{3}(?![0-9]))"
)
_FRACTION: Final = re.compile(r"\\[dt]?frac\s*\{\s*([0-9.,]+)\s*\}\s*\{\s*([0-9.,]+)\s*\}")
_SHORT_FRACTION: Final = re.compile(r"\\[dt]?frac\s*([0-9])\s*([0-9])(?![0-9])")
_SPACING: Final = re.compile(r"\\[,;:! ]")
_OBJECT: Final = re.compile(r"\{\s*\"[^\"]*\"\s*:")
_MIXED: Final = re.compile(r"(?<=[0-9])\s*(?=\\[dt]?frac)")
_TIMES: Final = re.compile(r"\\(?:times|cdot)(?![A-Za-z])")
_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("−﹣－–", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f", " "),
        **{"＋": "+", "½": " 1/2", "¼": " 1/4", "¾": " 3/4"},
    }
)
_SCALES: Final = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "k": 10**3}
_SCALE: Final = re.compile(r"\s?(hundred|thousand|million|billion|trillion)\b|([kK])(?![A-Za-z])", re.IGNORECASE)
# What stands right before or behind a number can make it something else than that number.
_BAD_BEFORE: Final = re.compile(
    r"(?:[<>≤≥≠±^*/×÷+\-]|!=|\b(?:less|more|fewer|greater|other|rather)\s+than|\bat\s+(?:least|most)|\bup\s+to"
    r"|\b(?:over|under|below|above|half\s+of|twice|double)"
    r"|\b(?:(?:log|ln|lg|exp|sin|cos|tan|sqrt)(?:_?\{?[0-9]+\}?)?|(?:root|logarithm|factorial)\s+of)\s*\(?"
    r"|[A-Za-z_]\(['\"]?)\s*\Z",  # what a function makes of a number
    re.IGNORECASE,
)
_BAD_BEHIND: Final = re.compile(
    r"\s?(?:\^|\*\*|[⁰¹²³⁴-⁹])|[,.:/][0-9]|_?[0-9]|\s?[*/×÷+xX]\s?[0-9(]|[eE][+-]?[0-9]|\s(?:squared|cubed|factorial)\b"
    r"|\s?\+(?!\s?[0-9])|\s+or\s+(?:more|less|fewer|above|below|higher|lower|greater|smaller|older|younger)\b"
    r"|\s(?:is|was)\s+(?:not|wrong|incorrect|false)\b|\s(?:is|was)n['’]t\b"
)
_MINUS: Final = re.compile(r"\b(?:minus|negative)\s+\Z", re.IGNORECASE)
_FOREIGN: Final = re.compile(r"[\\π√∛∜∞]|0[xXoO][0-9A-Fa-f]|0[bB][01]")
_MARKED: Final = re.compile(r"[0-9][\u0300-\u036f\u20d0-\u20ff]")
_REPEATS: Final = ("=", "≈", "(")


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
        # The same few forms come again and again; long slots are rare and would fill the memory.
        return _read_short(slot) if len(slot) <= MAX_CACHED else read_number(slot)

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
    text = _without_markup(slot)
    if _FOREIGN.search(text) or _OBJECT.match(text) or (not text.isascii() and _has_foreign_digit(text)):
        return UNREADABLE
    first, end = "", 0
    for match in _TOKEN.finditer(text):
        start = match.start()
        before = text[max(0, start - 16) : start]
        if before[-1:].isdigit():
            return SEVERAL_READING  # 17-18
        if (
            (before[-1:].isalpha() and match.group()[0] not in _CURRENCY)
            or before[-1:] == "_"
            or _is_unit_power(text, start)
        ):
            continue  # the digits of a word or unit: m2, CO2, cm^2, covid-19
        reading = _read_token(match, before, text)
        if reading.text is None:
            return reading
        if not first:
            if NEGATION.search(text, 0, start):
                return NEGATED_READING
            first = reading.text
        elif reading.text != first or not _repeats(text[end:start]):
            return SEVERAL_READING  # `1.5 = 3/2` and `18 (18.0)` repeat one value; `6 + 6`, `3 of 3` do not
        end = match.end()
    return Reading(first) if first else UNREADABLE


def _without_markup(slot: str) -> str:
    """The slot in plain signs: light LaTeX, markdown and tags taken off."""
    text = slot.translate(_SIGNS)
    if "**" in text:
        text = _BOLD.sub(r"\1", text)
    text = text.strip(_EDGE)
    if "\\" in text:
        text = _SHORT_FRACTION.sub(r"\1/\2", _FRACTION.sub(r"\1/\2", _MIXED.sub(" ", _TIMES.sub("×", text))))
    text = _CLEAN.sub("", text)
    if "\\" in text or "{,}" in text:
        text = _SPACING.sub(" ", text).replace("{,}", ",")
    return text


def _repeats(between: str) -> bool:
    """Whether what stands between two numbers says that the second one is the first again."""
    return any(sign in between for sign in _REPEATS) and not any(sign in between for sign in ",;")


_read_short = lru_cache(maxsize=16_384)(read_number)


def _read_token(match: re.Match[str], before: str, text: str) -> Reading:
    """The value of one token, unless what stands around it makes it something else."""
    if _BAD_BEFORE.search(before) or _BAD_BEHIND.match(text, match.end()):
        return NOT_ALONE_READING
    if match.group("gap") and before.strip() and before.rstrip()[-1] not in ":=$(":
        return NOT_ALONE_READING  # `a - 18`
    value = _value(match)
    if value is None:
        return UNREADABLE
    if _MINUS.search(before):
        value = -value
    scale = _SCALE.match(text, match.end())
    if scale:
        value *= _SCALES[scale.group().strip().lower()]
    canonical = canonical_number(value)
    return Reading(None, TOO_LARGE) if canonical is None else Reading(canonical)


def _has_foreign_digit(text: str) -> bool:
    """Whether digits of other scripts stand in the text; ``²`` and ``³`` behind a letter belong to a unit.

    A mark that is drawn over a digit (struck out, encircled) makes it another sign.
    """
    if _MARKED.search(text):
        return True
    return any(
        character.isnumeric() and not character.isascii() and not (character in "²³" and text[at - 1 : at].isalpha())
        for at, character in enumerate(text)
    )


def _is_unit_power(text: str, start: int) -> bool:
    return start >= 2 and text[start - 1] in "^{" and text[: start - 1].rstrip("^{")[-1:].isalpha()


def _value(match: re.Match[str]) -> Fraction | None:
    """The exact value of a token; None when it is none (two signs, a zero below); huge when it is beyond all bounds."""
    part = match.group
    if part("sign") and part("inner"):
        return None
    exponent = part("exponent") or part("braced") or part("power") or "0"
    numbers = [part(name).replace(",", "") for name in ("body", "denominator", "numerator", "below") if part(name)]
    if max(map(len, numbers)) > MAX_DIGITS or len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT:
        return _HUGE
    value = Fraction(numbers[0]) * Fraction(10) ** int(exponent)
    if len(numbers) > 1 and not Fraction(numbers[-1]):
        return None
    if len(numbers) == 2:
        value /= Fraction(numbers[1])
    elif len(numbers) == 3:
        value += Fraction(int(numbers[1]), int(numbers[2]))
    return -value if "-" in (part("sign"), part("inner")) else value


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
