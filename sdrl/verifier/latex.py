r"""The normal form of a mathematical answer, and the guard in front of math-verify. Text to text; nothing is parsed.

The normal form takes spacing, sizing, units, ``\dfrac`` and the like away, so that most equal answers are equal text.
The guard refuses what no answer needs: huge digit strings, power towers, unbalanced braces, foreign characters.
"""

from __future__ import annotations

import re
from typing import Final

MAX_SLOT: Final = 2_000
MAX_EXPRESSION: Final = 600
MAX_DEPTH: Final = 24

_SYMBOLS: Final = {
    **dict.fromkeys("−﹣－–", "-"),
    **dict.fromkeys("£€¢", ""),
    **dict.fromkeys("\u00a0\u2009\u202f", " "),
    **{"×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": r"\div ", "π": r"\pi ", "∞": r"\infty ", "±": r"\pm "},
    **{"≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "²": "^{2}", "³": "^{3}"},
    **{"½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta "},
    **{"≈": r"\approx ", "∅": r"\emptyset ", "°": r"^\circ ", "…": r"\ldots ", "¹": "^{1}"},
}
_TRANSLATE: Final = str.maketrans(_SYMBOLS)
_ROOT: Final = re.compile(r"√\s*(?:\(([^()]*)\)|([0-9]+|[A-Za-z]))")
_GROUP: Final = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$(.+?)(?<!\\)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
# A separator of thousands: a thin space or a braced comma before exactly three digits.
_THOUSANDS: Final = re.compile(r"(?<=[0-9])(?:,?\\[,!;: ]|\{,\}(?:\\!)?|~)(?=[0-9]{3}(?![0-9]))")
_DEGREE: Final = r"(?:\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|\\degree(?![A-Za-z])|\s*\bdegrees?\b)"
_ANGLE: Final = re.compile(rf"\{{?\(?([0-9]+(?:\.[0-9]+)?)\)?\}}?\s*{_DEGREE}")
_TRIGONOMETRIC: Final = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![A-Za-z])")
_DROP: Final = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr)(?![A-Za-z])\.?"
    rf"|\\\$|\$|{_DEGREE}"
)
_SPACING: Final = re.compile(r"(?<!\\)\\[!,;: >]|\\(?:quad|qquad)(?![A-Za-z])|~")
_RENAME: Final = (
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\leq(?:slant)?(?![A-Za-z])"), r"\\le"),
    (re.compile(r"\\geq(?:slant)?(?![A-Za-z])"), r"\\ge"),
    (re.compile(r"\\neq(?![A-Za-z])"), r"\\ne"),
    (re.compile(r"\\(?:lbrace|rbrace)(?![A-Za-z])"), lambda m: "\\{" if m.group() == "\\lbrace" else "\\}"),
    (re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{\s*(and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])"), ","),
    (re.compile(r"\\(?:mathbf|textbf|boldsymbol|mathit|textit|emph|boxed|fbox)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"(?<=[0-9])\{,\}(?=[0-9])"), ","),
    (re.compile(r"\\frac\s*([0-9])\s*([0-9])(?![0-9])"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\frac\s*\{([^{}]*)\}\s*([0-9])(?![0-9])"), r"\\frac{\1}{\2}"),
    (re.compile(r"\\frac\s*([0-9])\s*\{"), r"\\frac{\1}{"),
    (re.compile(r"\\[dt]?binom(?![A-Za-z])\s*([0-9])\s*([0-9])"), r"\\binom{\1}{\2}"),
    (re.compile(r"\\varnothing(?![A-Za-z])|\\\{\s*\\\}"), r"\\emptyset "),
    (re.compile(r"\\(?:cdots|dots|dotsc)(?![A-Za-z])|(?<=[0-9,])\s*\.\.\."), r"\\ldots "),
    (re.compile(r"\\sqrt\s*([0-9A-Za-z])"), r"\\sqrt{\1}"),
    # `2^10` is meant as 1024, whatever TeX makes of it; only behind a logarithm one digit is the whole index.
    (re.compile(r"(\\log\s*_)\s*([0-9])"), r"\1{\2}"),
    (re.compile(r"([\^_])\s*(-?[0-9]+|[A-Za-z])"), r"\1{\2}"),
    (re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{\s*\(([A-Za-z])\)\s*\}"), r"\1"),
)
_UNIT: Final = re.compile(
    r"(?<=[0-9A-Za-z)}])\s*(?:\\(?:text|mathrm|textrm|mbox)\s*\{[^{}]*[A-Za-z][^{}]*\}(?:\s*/\s*\\(?:text|mathrm)\{[^{}]*\})?)(?:\^\{?[23]\}?)?\s*\Z"
)
_LEAD: Final = re.compile(r"\A(?:=|\\approx(?![A-Za-z])|\\simeq(?![A-Za-z])|:|\s)+")
_PERCENT: Final = re.compile(r"\s*\\?%\Z")
# A short word that says it is one; longer words are told by their length.
_SHORT: Final = re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{\s*([A-Za-z]{2,3})\s*\}\Z")
_SCALE: Final = re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{\s*((?:hundred|[mbtr]+illion|thousand)\b[^{}]*)\}")
_WRITTEN: Final = re.compile(
    r"-?[0-9][0-9A-Za-z]*(?:\.[0-9]+)?_\{[^{}]*\}|[0-9]+(?::[0-9]+)+(?:[ap]\.?m)?|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
)
_BRACKET: Final = re.compile(r"\\[{}]|[(){}\[\],]")
GAP: Final = re.compile(r"[0-9]\s+[0-9]")
REPEATING: Final = re.compile(r"(-?)([0-9]*)\.([0-9]*)\\(?:overline|bar|dot)\{?([0-9]+)\}?", re.ASCII)
_TEXT: Final = re.compile(r"\\(?:text|mathrm|textrm|mbox)\s*\{([^{}]*)\}")
_SPACE: Final = re.compile(r"(?<![A-Za-z])\s+|\s+(?![A-Za-z])")
_BODY: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
# A slot that is one number, perhaps with a unit that can be no variable: words of two letters on, per cent.
NUMBER: Final = re.compile(
    rf"[+-]?\s*(?:{_BODY})(?:[eE][+-]?[0-9]+|\s*/\s*[0-9]+|\s+[0-9]+/[0-9]+)?\s*"
    r"(?:\\?%|\s[A-Za-z]{2,}(?:\s[A-Za-z]{2,})*|(?:[ckm]?m|[km]?g|ml|mL|km/h|ft|in|lbs?|oz|mph|hrs?|mins?)\b)?",
    re.ASCII,
)
FRACTION: Final = re.compile(r"([+-]?)([0-9]*)\\frac\{([+-]?[0-9]+)\}\{([0-9]+)\}", re.ASCII)
_ALLOWED: Final = re.compile(r"[A-Za-z0-9\\{}()\[\]+\-*/^_=<>|,.:;!'%& ]*", re.ASCII)
_TOWER: Final = re.compile(
    r"\^\{[^{}]*\^|\^[^{}]{0,3}\^|[0-9]{7,}[\s)]*!|\^\{?\(?-?[0-9]{7,}|[!^][^()!]*\)[\s)]*!|!\s*!"
)
_LONG_DIGITS: Final = re.compile(r"[0-9]{101}")
_WORD: Final = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{4,}")
_FUNCTIONS: Final = frozenset(("sqrt", "frac", "sinh", "cosh", "tanh", "begin", "matrix", "pmatrix", "bmatrix"))


def math_part(slot: str) -> tuple[str, str]:
    """(expression, prose around it): the inside of the one formula in a sentence, else the slot itself."""
    groups = list(_GROUP.finditer(slot))
    if len(groups) == 1:
        group = groups[0]
        prose = slot[: group.start()] + " " + slot[group.end() :]
        if not any(sign in prose for sign in "0123456789\\=$"):
            return next(part for part in group.groups() if part), prose
    return re.sub(r"\\[()\[\]]", "", slot), ""


def tidy(expression: str) -> str:
    """The expression without sizing, units, decoration and synonyms, its spaces kept."""
    text = _ROOT.sub(lambda m: rf"\sqrt{{{m.group(1) or m.group(2)}}}", expression.translate(_TRANSLATE))
    text = _SCALE.sub(r" \1", _THOUSANDS.sub("", text))
    if _TRIGONOMETRIC.search(text):
        text = _ANGLE.sub(r"(\\frac{\1\\pi}{180})", text)  # elsewhere a degree sign is a unit like any other
    text = _SPACING.sub(" ", _DROP.sub("", text))
    for pattern, replacement in _RENAME:
        text = pattern.sub(replacement, text)
    text = _LEAD.sub("", text.strip().rstrip(".,;:\\ ").strip())
    text = _PERCENT.sub("", _UNIT.sub("", text))
    return text if _SHORT.fullmatch(text) else _TEXT.sub(r"\1", text)


def normal_form(tidied: str) -> str:
    """The normal form of a tidied expression. Equal text means an equal answer; different text means nothing yet."""
    text = _SPACE.sub("", tidied).strip()
    if text.startswith("+"):
        text = text[1:]
    if re.fullmatch(r"\(?[A-Za-z]\)?\.?", text):
        text = text.strip("().")
    return text


def is_wordy(form: str) -> bool:
    """Whether the form is an answer in words (``Evelyn``), to be compared as text and not as a product of letters."""
    if _SHORT.fullmatch(form) or (form.isalpha() and len(form) > 1 and "o" in form.casefold()):
        return True  # nobody calls a variable o: `no` is a word, `ab` is a product
    return any(word not in _FUNCTIONS for word in _WORD.findall(form)) and "\\begin" not in form


def words_of(form: str) -> str:
    """The bare text of a form in words, in one case."""
    return _SHORT.sub(r"\1", form).casefold()


def is_written(form: str) -> bool:
    """Whether the form is a notation and no arithmetic, equal only to itself: another base, a time or ratio, a date, an
    enumeration with dots."""
    return bool(_WRITTEN.fullmatch(form)) or "\\ldots" in form


def shape(form: str) -> str:
    """``list`` (unordered: bare or in braces), ``tuple`` (ordered, in brackets: a point or an interval), else empty."""
    opening = re.match(r"[([]|\\\{", form)
    depth, commas, bare = 0, False, False
    for match in _BRACKET.finditer(form):
        token = match.group()
        if token == ",":
            bare |= depth == 0
            commas |= depth == 1
        else:
            depth += 1 if token in ("(", "[", "\\{", "{") else -1
            if depth == 0 and match.end() < len(form):
                opening = None  # closed before the end: the brackets do not embrace the whole
    if bare:
        return "list"
    if opening is None or not commas:
        return ""
    return "list" if opening.group() == "\\{" else "tuple"


def refusal(form: str) -> str:
    """Why math-verify is not asked about this form; empty when it may be."""
    if len(form) > MAX_EXPRESSION or _LONG_DIGITS.search(form) or _TOWER.search(form):
        return "large"
    depth = 0
    for character in re.sub(r"\\.", "", form):
        if character in "{([":
            depth += 1
            if depth > MAX_DEPTH:
                return "large"
    plain = re.sub(r"\\[{}]", "", form)
    if plain.count("{") != plain.count("}") or not _ALLOWED.fullmatch(form):
        return "form"
    return ""
