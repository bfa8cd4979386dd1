"""An answer table proposed from what the output format says, and tried at once with the real verifier. Pure.

Reads English cues and literal marks (``####``, ``<answer>``, ``\\boxed``); what it cannot see it says. It proposes, a
person accepts. Calls no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.verifier import Verifier


THOUGHT_TAGS = ("think", "thinking", "thought", "reasoning", "scratchpad")
_TAG = re.compile(r"<([A-Za-z][\w-]*)>")
_MARKER = re.compile(r"(?i)\bafter\s+(?:the\s+\w+\s+)?(?:\"([^\"]+)\"|'([^']+)'|`([^`]+)`|(#{2,}|={2,}|\w+:))")
_LINE = re.compile(r"\b([A-Za-z]\w*:)[ \t]+[\"'`]?([\w-]+|[<\[{])")  # Answer: yes, Label: <one of them>
_NO_MARKS = ("example:", "instance:", "format:", "output:", "line:", "follows:")
_LETTERS = re.compile(r"\b([A-H])\s*(?:-|to|through|\.\.)\s*([A-H])\b")
_ONE_OF = re.compile(
    r"(?i)(?:one of(?: the (?:words|labels|categories|classes))?|either|the (?:label|word|category|class)|labels?)"
    r"\s*:?\s+"
    r"((?:[\w-]+\s*,\s*)*[\w-]+\s*,?\s+or\s+[\w-]+|(?:[\w-]+\s*,\s*)+[\w-]+)"
)
_LIST = re.compile(r":\s*([\w -]+(?:,\s*(?:or |and )?[\w -]+)+)")
_BEFORE_OR = re.compile(r"(?i)((?:[\w-]+,\s+)+[\w-]+,?\s+or\s+[\w-]+)")
_STRANGE = re.compile(
    r"(?i)\b(?:bold|italics?|underlined?|highlighted|colou?red|in (?:red|green|capitals)|upper.?case|all caps|"
    r"first (?:word|line|sentence)|last (?:word|line|sentence)|heading|title|table|bullets?|bullet points?|in quotes|"
    r"in (?:round |square )?brackets|in parentheses)\b"
)
_VALUES = {"number": ("18", "19"), "math": (r"\frac{1}{2}", r"\frac{1}{3}"), "text": ("an answer", "another one")}


@dataclass(frozen=True)
class Proposal:
    """An ``answer`` table, what it was read from, and how the verifier judged examples of it.

    ``works``: the right example was judged correct, the wrong one not, and the bare instruction not correct.
    """

    answer: dict[str, Any]
    why: tuple[str, ...]
    works: bool


def propose(output_format: str, said: str = "", about: str = "") -> Proposal:
    """Propose from an output format.

    ``said`` is what the person says about the answer, and weighs more; ``about`` are the task's other texts, which may
    list the options.
    """
    texts = (said, output_format) if said else (output_format,)
    kind, options = _type(texts)
    if kind in ("choice", "label", "set") and not options:
        options = next((found for text in (*texts, about) if (found := _options(kind, text))), None)
    extract, from_what = _extract(texts, kind, options)
    answer: dict[str, Any] = {"type": kind, "extract": extract}
    if options:
        answer["options"] = options
    why = [f"read: {_type_words(kind, options)}, {from_what}"]
    if extract == {"whole": True} and (strange := _STRANGE.search(" ".join(texts))):
        why.append(f"nothing reads what is '{strange[0].lower()}': say a mark instead, such as: after Answer:")
        return Proposal(answer, tuple(why), works=False)
    if extract == {"whole": True} and kind in ("boolean", "label", "choice", "math"):
        why.append("a mark would leave room for reasoning first: say where it stands, such as: after Answer:")
    if kind in ("choice", "label", "set") and not options:
        return Proposal(answer, (*why, "which options there are is not said"), works=False)
    tried, works = _tried(answer, output_format)
    return Proposal(answer, (*why, *tried), works)


def verifier_of(answer: Any) -> Verifier:
    """The verifier of an ``answer`` table.

    Raises:
        ValueError: the table is none, or no verifier can be made of it.
    """
    # 40 ms of imports that the first paint of an app does not wait for
    from sdrl.compiler.verifier_program import verifier_program
    from sdrl.spec.model import Answer
    from sdrl.verifier import Verifier

    return Verifier.from_program(verifier_program(Answer.model_validate(answer)))


def sample_of(answer: dict[str, Any], value: str) -> str:
    """A completion that gives ``value`` the way the extractor reads it."""
    (kind, argument), *_ = answer["extract"].items()
    body = f'{{"{argument}": "{value}"}}' if kind == "json" else value
    forms = {"marker": f"{argument} {value}", "tag": f"<{argument}>{value}</{argument}>"}
    forms |= {"boxed": rf"$\boxed{{{value}}}$", "json": body}
    return forms.get(kind, value) if kind == "whole" else f"Some thought first.\n{forms.get(kind, value)}"


def place_of(extract: Mapping[str, Any]) -> str:
    """Where an extractor looks, in words that go on after a verb; '' where that cannot be said shortly."""
    kind, argument = next(iter(extract.items()), ("", ""))
    places = {"marker": f"after {argument}", "tag": f"between <{argument}> and </{argument}>"}
    places |= {"boxed": r"inside \boxed{}", "json": f"in the field '{argument}' of a JSON object"}
    return (places | {"last_number": "at the last number", "whole": "at the whole output"}).get(kind, "")


def missing_place(extract: Mapping[str, Any], output_format: str) -> str:
    """The sentence that an output format lacks, so that an answer stands where it is looked for; '' where it has it."""
    kind, argument = next(iter(extract.items()), ("", ""))
    named = {"marker": str(argument).strip(), "tag": f"<{argument}>", "boxed": "boxed"}.get(kind, "")
    if not named or named.lower() in output_format.lower():
        return ""
    place = f'after "{named}"' if kind == "marker" else place_of(extract)
    return f"Write the answer {place}."


def read_options(text: str) -> list[str]:
    """Words that a person lists: ``a, b or c``, ``[a, b, c]``, ``A to D``."""
    text = text.strip().strip("[].")
    if letters := _LETTERS.fullmatch(text):
        return [chr(code) for code in range(ord(letters[1]), ord(letters[2]) + 1)]
    parts = re.split(r"\s*[,;/|]\s*(?:or\s+|and\s+)?|\s+or\s+|\s+and\s+", text)
    return [part.strip().strip("'\"") for part in parts if part.strip()]


def _type(texts: tuple[str, ...]) -> tuple[str, Any]:
    for text in texts:
        found = _type_in(text)
        if found is not None:
            return found
    return "text", None


def _type_in(text: str) -> tuple[str, Any] | None:
    low = text.lower()
    if "json" in low:
        return "json", None
    pair = re.search(r"\b(yes|true) or (no|false)\b|\byes/no\b|\byes-no\b|\bboolean\b", low)
    if pair:
        words = ("true", "false") if pair[0].startswith("true") else ("yes", "no")
        return "boolean", {"true": [words[0]], "false": [words[1]]}
    if re.search(r"\b(letter|choice|multiple.choice)\b", low):
        return "choice", _letters(text)
    many = re.search(r"\b(all|every|several|set)\b", low) and re.search(r"\b(comma|separated|set|labels|topics)\b", low)
    if many:
        return "set", _words(text)
    if re.search(r"\b(expression|latex|formula|fraction|simplest form|math|\\boxed)\b", low) or "\\boxed" in text:
        return "math", None
    if re.search(r"\b(number|integer|amount|decimal|numeric|digits?)\b", low):
        return "number", None
    if re.search(r"\b(one of|label|category|class|either)\b", low) or len(_words(text)) > 1:
        return "label", _words(text)
    return ("text", None) if re.search(r"\b(text|word|phrase|sentence)\b", low) else None


def _options(kind: str, text: str) -> list[str]:
    return _letters(text) if kind == "choice" else _words(text)


def _letters(text: str) -> list[str]:
    span = _LETTERS.search(text)
    if span:
        return [chr(code) for code in range(ord(span[1]), ord(span[2]) + 1)]
    listed = re.search(r"\b((?:[A-H]\s*,\s*)+(?:or\s+|and\s+)?[A-H](?:\s+(?:or|and)\s+[A-H])?)\b", text)
    return read_options(listed[1]) if listed else []


def _words(text: str) -> list[str]:
    plain = _TAG.sub(" ", re.sub(r"</[\w-]+>", " ", text))
    for pattern in (_ONE_OF, _LIST, _BEFORE_OR):
        if found := pattern.search(plain):
            words = read_options(found[1])
            if len(words) > 1 and all(len(word.split()) <= 4 for word in words):
                return words
    return []


def _extract(texts: tuple[str, ...], kind: str, options: Any) -> tuple[dict[str, Any], str]:
    for text in texts:
        tags = [tag for tag in _TAG.findall(text) if tag.lower() not in THOUGHT_TAGS and f"</{tag}>" in text]
        if tags:
            return {"tag": tags[-1]}, f"between <{tags[-1]}> and </{tags[-1]}>"
        if "\\boxed" in text:
            return {"boxed": True}, r"inside \boxed{}"
        if marker := _MARKER.search(text):
            mark = next(group for group in marker.groups() if group)
            return {"marker": mark}, f"after {mark}"
        if mark := re.search(r"#{2,}", text):
            return {"marker": mark[0]}, f"after {mark[0]}"
    if label := _labelled(texts[-1], kind, options):  # of the format alone: a person says "a label: spam or ham"
        return {"marker": label}, f"after {label}"
    if kind == "number":
        return {"last_number": True}, "the last number, as no mark is named"
    return {"whole": True}, "the whole completion, as no mark is named"


def _labelled(text: str, kind: str, options: Any) -> str | None:
    """What stands before a value in a line such as ``Answer: yes``; the last one counts."""
    known = [word for words in options.values() for word in words] if isinstance(options, dict) else options or []
    values = {word.lower() for word in known}
    found = [
        label
        for label, value in _LINE.findall(text)
        if label.lower() not in _NO_MARKS
        and (value in "<[{" or value.lower() in values or (kind == "number" and value.isdigit()))
    ]
    return found[-1] if found else None


def _type_words(kind: str, options: Any) -> str:
    if isinstance(options, dict):
        return f"{kind} ({' or '.join(words[0] for words in options.values())})"
    return f"{kind} ({', '.join(options)})" if options else kind


def _tried(answer: dict[str, Any], output_format: str) -> tuple[list[str], bool]:
    """What the real verifier says of a right example, a wrong one, and the instruction itself."""
    try:
        verifier = verifier_of(answer)
    except ValueError as error:
        return [f"no verifier can be made of it: {error}"], False
    right, wrong = _pair(answer)
    cases = [(sample_of(answer, right), right, True), (sample_of(answer, wrong), right, False)]
    if answer["extract"] != {"whole": True}:  # an instruction that gives an answer teaches to repeat it (E412)
        given = next(
            (each for each in (right, wrong) if verifier.judge(output_format, each).verdict == "correct"), right
        )
        cases.append((output_format, given, False))
    lines, works = ["tried with the verifier:"], True
    for completion, gold, is_right in cases:
        judged = verifier.judge(completion, gold)
        as_wanted = (judged.verdict == "correct") == is_right
        works = works and as_wanted
        told = f"is {judged.verdict} for {gold}" + ("" if as_wanted else f" ({judged.reason})")
        shown = repr(completion)
        if completion == output_format:
            shown = "the instruction itself"
            told = "is no right answer" if as_wanted else f"counts as right for {gold}"
        lines.append(f"{'✓' if as_wanted else '✗'} {shown} {told}")
    return lines, works


def _pair(answer: dict[str, Any]) -> tuple[str, str]:
    options = answer.get("options")
    if isinstance(options, dict):
        return options["true"][0], options["false"][0]
    if options:
        return options[0], options[1] if len(options) > 1 else f"not {options[0]}"
    if answer["type"] == "json":
        return '{"a": 1}', '{"a": 2}'
    return _VALUES.get(answer["type"], _VALUES["text"])
