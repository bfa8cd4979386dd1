"""The numbers of a text, as far as one of them can be taken out and asked for: where they stand, and their values.

Found are figures (decimals, thousands separators, fractions, mixed numbers, LaTeX fractions) and, in English, the words
zero and two to twenty; "one" is a pronoun too often. A sign, a currency and a percent sign stay outside. Not found is
what only looks like a number or names something: dates, times, ordinals, digits of words and units, labels of lists and
lines of lettered options, indices, code of drawings. Languages other than English write separators differently: there
only figures without any are found. Pure text, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

MOST_SIGNS: Final = 24  # of one numeral; longer ones are keys and codes
MOST_TEXT: Final = 100_000  # characters; numbers that stand behind them are not looked for
_WORDS: Final = (
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
_VALUES: Final = {word: str(at + 1 if at else 0) for at, word in enumerate(_WORDS)}
_SPELLED: Final = f"one|{'|'.join(_WORDS)}"
_LARGER: Final = "thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion"
_LETTER: Final = "0-9A-Za-z_\u00c0-\u024f\u0370-\u04ff"  # Latin, Greek, Cyrillic: not Chinese, which needs no spaces

_INT: Final = r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+"
_TEX: Final = r"\\[dt]?frac\{(?P<above>[0-9]+)\}\{(?P<below>[0-9]+)\}"
_FIGURES: Final = rf"""(?:(?P<whole>[0-9]+)\s?)?{_TEX}
    |(?P<units>[0-9]+)\s(?P<top>[0-9]+)/(?P<bottom>[0-9]+)
    |(?P<over>{_INT})/(?P<under>[0-9]+)
    |(?P<body>(?:{_INT})(?:\.[0-9]+)?|\.[0-9]+)"""
_PLAIN: Final = rf"(?:(?P<whole>[0-9]+)\s?)?{_TEX}|(?P<over>[0-9]+)/(?P<under>[0-9]+)|(?P<body>[0-9]+)"
_BEFORE: Final = rf"(?<![{_LETTER}\#\\])(?<![0-9][.,:/])(?<!_\{{)(?<![A-Za-z]-)"
_BEHIND: Final = rf"(?![{_LETTER}(])(?![.,:/][0-9])(?!\{{,\}}|\\[,!;:\ ][0-9])"
_FIGURE: Final = re.compile(f"{_BEFORE}(?:{_FIGURES}){_BEHIND}", re.VERBOSE)
_PLAIN_FIGURE: Final = re.compile(f"{_BEFORE}(?:{_PLAIN}){_BEHIND}", re.VERBOSE)
_WORD: Final = re.compile(rf"(?<![\w-])(?:{'|'.join(_WORDS)})(?!\w)(?!-(?:{_SPELLED})\b)", re.IGNORECASE)
_GREATER: Final = re.compile(rf"\b(?:{_LARGER}|{_SPELLED})(?:\s+and)?\s+\Z", re.IGNORECASE)
_NO_NUMBERS: Final = (
    re.compile(r"(?<![0-9])[0-9]+(?:([-/.:])[0-9]+)(?:\1[0-9]+)+|(?<![0-9])[0-9]+:[0-9]+"),  # dates, times, ratios
    re.compile(r"(?<![0-9])[0-9]{1,3}(?:[ \u00a0\u2009\u202f][0-9]{3})+(?![0-9])"),  # 12 000, or 12 and 000
    re.compile(r"^[ \t]*(?:\(?[A-Z]\)|[A-Z][.:])[ \t].*$", re.MULTILINE),
    re.compile(r"^[ \t]*[0-9]{1,3}[.)](?=[ \t])|\([0-9]{1,2}\)", re.MULTILINE),
    re.compile(
        r"\b(?:problem|question|exercise|example|step|option|figure|fig\.|table|chapter|section|page|part)\s+[0-9.]+",
        re.IGNORECASE,
    ),
)
_DRAWING: Final = ("[asy]", "[/asy]")
_AMOUNT: Final = re.compile(
    r"-?(?:[0-9]{1,40}(?:\.[0-9]{1,40})?|\.[0-9]{1,40}|(?:[0-9]{1,24} )?[0-9]{1,24}/0*[1-9][0-9]{0,24})"
)


class Numeral(NamedTuple):
    """Where a number stands in a text, from ``start`` to before ``end``, and its value: ``1800``, ``5.50``, ``3/4``."""

    start: int
    end: int
    value: str


def numerals(text: str, language: str = "en") -> tuple[Numeral, ...]:
    """The numbers of ``text`` in their order."""
    is_english = language == "en" or language.startswith("en-")
    text = text[:MOST_TEXT]
    closed = _closed(text)
    found = [
        Numeral(match.start(), match.end(), value)
        for match in (_FIGURE if is_english else _PLAIN_FIGURE).finditer(text)
        if match.end() - match.start() <= MOST_SIGNS and (value := _value(match))
    ]
    if is_english:
        found += _spelled(text)
    return tuple(sorted(each for each in found if not any(closed[each.start : each.end])))


def amount(value: str) -> Fraction:
    """The number that a numeral's value says, with a sign perhaps. Raises: ValueError for what is no such value."""
    if not _AMOUNT.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no number")
    return sum((Fraction(piece) for piece in value.split()), Fraction(0))


def _closed(text: str) -> bytearray:
    """A 1 for each sign of the text that belongs to no number."""
    closed = bytearray(len(text))
    for pattern in _NO_NUMBERS:
        for match in pattern.finditer(text):
            closed[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    start = text.find(_DRAWING[0])
    while start >= 0:
        end = text.find(_DRAWING[1], start)
        end = len(text) if end < 0 else end
        closed[start:end] = b"\1" * (end - start)
        start = text.find(_DRAWING[0], end)
    return closed


def _value(match: re.Match[str]) -> str:
    """As the verifier reads it; empty for what is no number after all."""
    parts = match.groupdict()
    if body := parts["body"]:
        is_code = len(body) > 1 and body[0] == "0" and body[1] != "."
        return "" if is_code else body.replace(",", "")
    above = parts["above"] or parts.get("top") or (parts["over"] or "").replace(",", "")
    below = parts["below"] or parts.get("bottom") or parts["under"]
    if not int(below):
        return ""
    whole = parts["whole"] or parts.get("units")
    return f"{whole} {above}/{below}" if whole else f"{above}/{below}"


def _spelled(text: str) -> Iterator[Numeral]:
    for match in _WORD.finditer(text):
        if not _GREATER.search(text, max(0, match.start() - 24), match.start()):
            yield Numeral(match.start(), match.end(), _VALUES[match.group().lower()])
