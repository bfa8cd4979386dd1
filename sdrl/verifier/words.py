"""Answers in words: boolean, label and text. Reads a slot as one of the declared words, or as free text.

A slot may say more than the word (``The answer is yes.``, ``Yes, because …``) as long as it names one option only and
does not negate it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sdrl.verifier.program import Program, ProgramError
from sdrl.verifier.result import NEGATED_READING, SEVERAL_READING, TOO_LONG, UNREADABLE, Options, Reading

MAX_LABEL_SLOT: Final = 2_000
MAX_TEXT_SLOT: Final = 20_000
BOOLEAN_WORDS: Final = (("true", ("yes", "true")), ("false", ("no", "false")))
# Characters that print nothing and carry no value: zero widths, marks of direction, the byte order mark.
INVISIBLE: Final = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
EDGE: Final = " \u00a0\t\r\n\f\v*_`'\"“”‘’«»„$" + INVISIBLE
# Behind a word: no more of it, and no accent that would make its last letter another one.
WORD_END: Final = r"(?![\w\u0300-\u036f\u20d0-\u20ff])"
PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_SPACE: Final = re.compile(r"\s+")
_SPECIAL: Final = re.compile(r"<\|[^<>|]{1,40}\|>|</?[A-Za-z][^<>]{0,40}>|\\(?:text|textbf|mathrm|mathbf|boxed)\b")
NEGATION: Final = re.compile(r"\b(?:not|never|neither|nor|non|cannot|except|without)\b|n['’]t\b", re.IGNORECASE)
WRONG: Final = re.compile(r"\b(?:wrong|incorrect|false)\b|\b(?:any|anything|all|everything) but\b", re.IGNORECASE)


def clean(slot: str) -> str:
    """Form taken away: special tokens, simple tags, markdown, quotes, one pair of brackets, a final stop."""
    text = _SPACE.sub(" ", _SPECIAL.sub("", slot)).strip(EDGE)
    for _ in range(4):
        before = text
        text = text.rstrip(".,;:!").strip(EDGE)
        if len(text) > 1 and PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1].strip(EDGE)
        if text == before:
            break
    return text


def fold(text: str, ignore_case: bool) -> str:
    """The text two spellings share: NFC, one space between words, and one case when ``ignore_case``."""
    shared = _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()
    return shared.casefold() if ignore_case else shared


class LabelType:
    """Answer types ``label`` and ``boolean``. Canonical text: the option's name (boolean: its first declared word)."""

    def __init__(self, program: Program) -> None:
        options = program.options
        if program.type == "boolean":
            options = options or BOOLEAN_WORDS
            claimed = {fold(form, True) for _, forms in options for form in forms}
            # A JSON true is read as the declared word too, unless that word is taken.
            options = tuple(
                ((forms or (name,))[0], forms if name in claimed else (*forms, name)) for name, forms in options
            )
        self._ignore_case = program.ignore_case
        self._forms: dict[str, str] = {}
        for name, forms in options:
            for form in (name, *forms):
                key = fold(clean(form), self._ignore_case)
                if not key or self._forms.setdefault(key, name) != name:
                    raise ProgramError(f"options: {form!r} is empty or stands for two options")
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<!\w)(?:" + "|".join(re.escape(form) for form in longest_first) + rf"){WORD_END}"
        )

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the one option that ``slot`` names."""
        if len(slot) > MAX_LABEL_SLOT:
            return Reading(None, TOO_LONG)
        text = fold(clean(slot), self._ignore_case)
        name = self._forms.get(text)
        if name is not None:
            return Reading(name)
        found: set[str] = set()
        at = 0
        for match in self._pattern.finditer(text):
            if NEGATION.search(text, at, match.start()):
                return NEGATED_READING
            found.add(self._forms[match.group()])
            at = match.end()
        if len(found) > 1:
            return SEVERAL_READING
        return Reading(found.pop()) if found else UNREADABLE

    def exactly(self, text: str) -> str | None:
        """The option whose declared form ``text`` is, or None."""
        return self._forms.get(fold(clean(text), self._ignore_case))

    def same(self, a: str, b: str) -> bool:
        """Whether both name the same option."""
        return a == b


class TextType:
    """Answer type ``text``. Canonical text: the cleaned slot; case counts only without ``ignore_case``."""

    def __init__(self, program: Program) -> None:
        self._ignore_case = program.ignore_case

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the whole slot as one text."""
        if len(slot) > MAX_TEXT_SLOT:
            return Reading(None, TOO_LONG)
        text = fold(clean(slot), False)
        return Reading(text) if text else UNREADABLE

    def same(self, a: str, b: str) -> bool:
        """Whether both are one text."""
        return a == b or fold(a, self._ignore_case) == fold(b, self._ignore_case)
