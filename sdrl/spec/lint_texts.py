"""Lints of the task's texts: does the format name what is read (W306), does the description say enough (W309).

Word lists are English; a text that does not read as English is judged by its length alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Answer, Spec
from sdrl.spec.rules import PLACEHOLDER

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
FEWEST_WORDS = 3
FEWEST_TO_TELL = 8  # a longer text without one common English word is in another language
_TYPE = (
    "answer classif categor label tag summar translat extract generat rewrit rephras convert solv comput calculat "
    "decid choos choice pick select identif detect predict infer entail rank match writ complet correct pars problem "
    "exercis puzzle riddle recogni retriev estimat determin find judg grad rat scor compar transl transform normali "
    "pars annotat question count name list prov verif check fill explain diagnos add sum subtract multipl divid sort "
    "dialog convers cod program spot tell pick plan debug"
)
_SKILL = (
    "need takes require requir knowledge skill reason careful close understand comprehen analy appl abilit expert "
    "step think deriv deduc familiar know experience judgment judgement insight attention logic interpret calculati "
    "arithmetic evaluat weigh inferenc mental intuition fluen memor precis reading literacy sense combin recall"
)
_GENERIC = (
    "a an the of in on at to for from by with without and or not no is are was be been it its this that these those "
    "which who what when where how why as if then than each every some any all one two three four several few many "
    "given input output text task tasks following below above please you your we our they their there here may can "
    "must should will would do does using use used about into so such only just correct right true false short long"
)
_ENGLISH = frozenset("a an the of in on to for and or is are with by from as that this each it".split())
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\{\w+\}|\d+")
_NUMBER_WORDS = (
    r"(?i)number|integer|digit|numer|figure|amount|value|count|percent|total|sum|result|quantity|decimal|fraction|price|"
    r"cost|score|rating|how many|how much|[0-9]"
)
_LITERAL = r"[A-Za-z][A-Za-z ]{2,}[A-Za-z]"


def description(loaded: Loaded, spec: Spec) -> Findings:
    """W309: the paper's guideline is task type, then domain, then the skill it needs."""
    missing = missing_from(spec.task.description, english=spec.task.language.lower().startswith("en"))
    if missing:
        message = f"the description does not seem to name {_list(missing)}"
        advice = "task type, domain, skill: 'Question answering in elementary mathematics. It takes careful reasoning.'"
        yield loaded.diagnostic("W309", "task.description", message, help=advice)


def missing_from(text: str, *, english: bool = True) -> list[str]:
    """What a description seems to lack of task type, domain and skill; nothing where that cannot be told."""
    words = [word.lower() for word in _WORD.findall(text)]
    if not text.isascii() and sum(ord(character) > 0x2E7F for character in text) * 2 > len(text.replace(" ", "")):
        return []  # scripts without blanks between words
    if len(words) < FEWEST_WORDS:
        return ["the task type", "the domain", "the skill it needs"]
    if not english or (len(words) > FEWEST_TO_TELL and not _ENGLISH & set(words)):
        return []
    types, skills = _starts(_TYPE), _starts(_SKILL)
    named = [part for word in words for part in (word, *word.split("-"))]
    generic = set(_GENERIC.split())
    missing = []
    if not any(word.startswith(types) for word in named):
        missing.append("the task type")
    if not any(word not in generic and not word.startswith(types + skills) for word in words):
        missing.append("the domain")
    if not any(word.startswith(skills) for word in named):
        missing.append("the skill it needs")
    return missing


def _starts(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def answer_place(loaded: Loaded, spec: Spec) -> Findings:
    """W306, the place: marker, tag, box, field, or the words around a pattern."""
    extract = spec.answer.extract
    text = spec.task.output_format
    kind, wanted = extract.kind, ""
    if kind == "marker":
        wanted = (extract.marker or "").strip()
    elif kind == "tag":
        wanted = f"<{extract.tag}>"
    elif kind == "boxed":
        wanted = "boxed"
    elif kind == "json":
        wanted = (extract.json_ or "").split(".")[-1]
    elif kind == "regex":
        wanted = fixed_words(extract.regex or "")
        text = " ".join(text.split())
    if kind == "last_number" and _asks_in_english(spec) and not re.search(_NUMBER_WORDS, text):
        message = "output_format does not ask for a number, and answer.extract takes the last one"
        yield loaded.diagnostic("W306", "task.output_format", message, help="say that the answer ends with the number")
    elif wanted and not _holds(text, wanted, any_case=kind in ("tag", "boxed", "regex")):
        message = f"output_format does not name '{wanted}', which answer.extract looks for"
        advice = f"say that the answer stands {_stands(kind, wanted)}"
        if wanted.startswith("#") and f" {wanted}" in (loaded.source_line(loaded.at("task.output_format")[0]) or ""):
            advice = "quote the text: after a blank, '#' begins a comment"
        yield loaded.diagnostic("W306", "task.output_format", message, help=advice)


def _holds(text: str, wanted: str, *, any_case: bool) -> bool:
    return wanted.casefold() in text.casefold() if any_case else wanted in text


def _stands(kind: str, wanted: str) -> str:
    return {
        "marker": f"after {wanted}",
        "tag": f"between {wanted} and </{wanted[1:]}",
        "boxed": r"in \boxed{}",
        "json": f"in the field {wanted} of a JSON object",
        "regex": f"in the words that the pattern reads: … {wanted} …",
    }[kind]


def fixed_words(pattern: str) -> str:
    """The longest run of words that every match of a pattern holds; empty where that is not plain to see."""
    if "|" in pattern:
        return ""
    for part in (r"\\.", r"\[(?:\\.|[^\]])*\]", r"\(\?[a-zA-Z]+\)"):
        pattern = re.sub(part, "\0", pattern)
    while (inner := re.sub(r"\([^()]*\)[*+?]?(\{[^}]*\})?", "\0", pattern)) != pattern:
        pattern = inner
    pattern = re.sub(r"[^()](?:[*?]|\{0[^}]*\})", "\0", pattern)
    runs = [run.strip() for run in re.findall(_LITERAL, pattern)]
    return max(runs, key=len, default="")


def answer_words(loaded: Loaded, spec: Spec) -> Findings:
    """W306, the words: whoever answers must be told which words, or that a letter, is read."""
    own = spec.prompts.get("answer")
    if own is not None or not _asks_in_english(spec):
        return  # an own template may say it in its own way
    told = f"{spec.task.output_format} {spec.task.input_format or ''}"
    unsaid = unsaid_options(spec.answer, told)
    if not unsaid:
        return
    if spec.answer.type == "choice":
        message = "output_format does not say that the letter of an option is asked for"
        advice = "say for example: write the letter of the correct option"
    else:
        shown = ", ".join(unsaid[:4]) + (", …" if len(unsaid) > 4 else "")
        message = f"neither output_format nor input_format names {shown}, which answer.options reads"
        advice = "name every word that counts as an answer"
    yield loaded.diagnostic("W306", "task.output_format", message, help=advice)


def unsaid_options(answer: Answer, told: str) -> list[str]:
    """Declared options of which no spelling stands in the text; letters need a word that asks for one."""
    if answer.type not in ("choice", "label", "boolean") or not answer.options:
        return []
    if answer.type == "choice":
        letters = all(re.search(rf"\b{re.escape(name)}\b", told) for name in answer.options)
        asks = re.search(r"letter|option|choice|label|alternative", told, re.IGNORECASE)
        return [] if letters or asks else list(answer.options)
    groups = answer.options.items() if isinstance(answer.options, dict) else [(word, [word]) for word in answer.options]
    return [
        name if answer.type == "label" else (forms or [name])[0]
        for name, forms in groups
        if not any(_names(told, form) for form in ([name, *forms] if answer.type == "label" else forms))
    ]


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _asks_in_english(spec: Spec) -> bool:
    """Whether the format is an English text without parameters whose values are not known here."""
    text = spec.task.output_format
    return (
        spec.task.language.lower().startswith("en")
        and not PLACEHOLDER.search(f"{text} {spec.task.input_format or ''}")
        and bool(_ENGLISH & {word.lower() for word in _WORD.findall(text)})
    )
