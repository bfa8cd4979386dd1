"""Lettered choices: reads a slot as one option, by its letter, its text or both.

Read: ``B``, ``b``, ``(B)``, ``B.``, ``B. its text``, ``Option B``, ``The correct option is B.``, the option's own text.
Not read: the article in ``A dog``, a look-alike letter of another script. Several options, or a negated one, are a
wrong answer, not an unreadable one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sdrl.verifier.program import Program
from sdrl.verifier.result import NEGATED_READING, SEVERAL_READING, TOO_LONG, UNREADABLE, Options, Reading
from sdrl.verifier.words import NEGATION, WORD_END, WRONG, clean, fold

MAX_SLOT: Final = 2_000
MIN_TEXT: Final = 3
MAX_CACHED: Final = 64
DEFAULT_LETTERS: Final = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J")
_LEAD_WORD: Final = re.compile(
    r"(?:(?:so|thus|therefore|hence|final|the|my|correct|right|best|answer|option|choice|letter|is|would|be|must|i|choose|"
    r"pick|select)\b|[:=,])[\s:=,*]*",
    re.IGNORECASE,
)
# Behind a lone capital A: an article goes on with a word, a letter does not (except with these words).
_AFTER_LETTER: Final = re.compile(
    r"\W*\Z|\s*[.,;:)\]/&|+]|\s*[—–-]|\s+(?:is|or|and|nor|because|since|as|but|was|fits|not)\b|\s+[A-Z](?![A-Za-z])"
)
_LIST: Final = re.compile(r"\s*(?:[,;/|&]|\bor\b|\band\b)\s*", re.IGNORECASE)


class ChoiceType:
    """Answer type ``choice``. Canonical text: the option's key as declared."""

    def __init__(self, program: Program) -> None:
        self._declared = tuple((name, forms[0] if forms else "") for name, forms in program.options)

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the one option that ``slot`` names; ``options`` (key to text) belong to this sample."""
        table = _table(tuple(options.items()) if options else self._declared)
        key = table.forms.get(slot)
        if key is not None:
            return Reading(key)
        if len(slot) > MAX_SLOT:
            return Reading(None, TOO_LONG)
        return _read_short(table, slot) if len(slot) <= MAX_CACHED else table.read(slot)

    def same(self, a: str, b: str) -> bool:
        """Whether both are the same option."""
        return a == b


class _Table:
    """The forms of one list of options, compiled once."""

    def __init__(self, options: tuple[tuple[str, str], ...]) -> None:
        pairs = options or tuple((letter, "") for letter in DEFAULT_LETTERS)
        self.texts = {key: fold(clean(text), True) for key, text in pairs}
        self.by_text: dict[str, set[str]] = {}
        for key, text in self.texts.items():
            if text:
                self.by_text.setdefault(text, set()).add(key)
        self.keys = {fold(key, True): key for key in self.texts}
        self.forms: dict[str, str] = {}
        for key in self.texts:
            for shape in ("{}", "({})", "{}.", "{})", "[{}]", "**{}**", "{}:"):
                self.forms[shape.format(key)] = key
        names = "|".join(re.escape(key) for key in sorted(self.texts, key=len, reverse=True))
        self.labelled = re.compile(rf"\(?({names})\s*(?:[.):\]]|\s[-–—|]|,)\s*(\S.*)", re.IGNORECASE | re.DOTALL)
        # Texts of three letters on are looked for in prose; the longest first, so that one inside another is not found.
        texts = sorted((text for text in self.by_text if len(text) >= MIN_TEXT), key=len, reverse=True)
        self.named = (
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, texts))}){WORD_END}", re.IGNORECASE) if texts else None
        )
        self.standalone = re.compile(rf"(?<![\w'’-])(?:{names})(?!['’]){WORD_END}")
        between = r"(?:\W+(?:(?:or|and)\W+)?)"
        self.listed = re.compile(
            rf"(?:either|both|option)?\W*(?:{names})(?:{between}(?:option\s+)?(?:{names}))+\W*", re.IGNORECASE
        )
        self.negated = re.compile(
            rf"(?:it\s+is\s+)?(?:not|never|neither)\s+(?:option\s+)?\W*(?:{names})\W*", re.IGNORECASE
        )
        self.attached = re.compile(rf"(?:{names}){{2,}}")

    def read(self, slot: str) -> Reading:
        text = clean(slot)
        reading = self._whole(text)
        if reading is not None:
            return reading
        at = 0
        while lead := _LEAD_WORD.match(text, at):
            at = lead.end()
            reading = self._whole(clean(text[at:]))
            if reading is not None:
                return reading
        if self.attached.fullmatch(text) or self.listed.fullmatch(text) or self._is_list(text):
            return SEVERAL_READING
        if self.negated.fullmatch(text):
            return NEGATED_READING
        return self._mentioned(text)

    def _whole(self, text: str) -> Reading | None:
        """The text as nothing but one option: its key, its text, or its key and its text."""
        folded = fold(text, True)
        key = self.keys.get(folded) or self.keys.get(folded.strip("()[]{} "))
        if key is not None:
            return Reading(key)
        same_text = self.by_text.get(folded)
        if same_text:
            return Reading(next(iter(same_text))) if len(same_text) == 1 else SEVERAL_READING
        labelled = self.labelled.fullmatch(text)
        if labelled:
            key, rest = self.keys[fold(labelled.group(1), True)], fold(clean(labelled.group(2)), True)
            named = self.by_text.get(rest)
            if named:
                return Reading(key) if key in named else SEVERAL_READING
            if rest == self.texts[key]:
                return Reading(key)
        return None

    def _is_list(self, text: str) -> bool:
        """Whether the text is nothing but several options, by key or text: `12 or 18`."""
        parts = _LIST.split(text)
        return len(parts) > 1 and all(self._whole(clean(part)) is not None for part in parts)

    def _mentioned(self, text: str) -> Reading:
        """Prose that names options, by their capital letter or by their text."""
        found: set[str] = set()
        rest = text
        if self.named:
            for match in self.named.finditer(text):
                found |= self.by_text.get(fold(match.group(), True), set())
            rest = self.named.sub(" … ", text)
        found |= {match.group() for match in self.standalone.finditer(rest) if not _is_article(match)}
        if not found:
            return UNREADABLE
        if len(found) > 1:
            return SEVERAL_READING
        if NEGATION.search(rest) or WRONG.search(rest):
            return NEGATED_READING
        return Reading(found.pop())


def _is_article(match: re.Match[str]) -> bool:
    """Whether a lone capital A or I is a word of the sentence and not a letter."""
    return match.group() in ("A", "I") and not _AFTER_LETTER.match(match.string, match.end())


@lru_cache(maxsize=4_096)
def _table(options: tuple[tuple[str, str], ...]) -> _Table:
    return _Table(options)


@lru_cache(maxsize=16_384)
def _read_short(table: _Table, slot: str) -> Reading:
    # The same few forms come again and again; long slots are rare and would fill the memory.
    return table.read(slot)
