"""Replies: the JSON Schema a reply must have, and the reading of a reply's text.

``solve`` and ``answer`` are free text: LaTeX inside JSON strings loses its backslashes, and a vote must see a
completion in the task's own output format. Reading is tolerant in form (code fences, prose around the object, bad
backslashes) and strict in content. Calls no model; the caller decides what a bad reply costs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sdrl.spec.method_table import REPLIES

if TYPE_CHECKING:
    from sdrl.spec.model import Answer

MAX_REPLY_CHARACTERS = 1_000_000
MAX_CANDIDATES = 32  # places where an object may begin; a reply with more is no reply
SAMPLE_PROMPTS = ("generate", "harder", "easier")
FREE_TEXT = ("solve", "answer")
GRADES = (6, 5, 4, 3, 2, 1)
MOST_TAGS = 12  # of one sample; a reply with more is cut
_FIELD = {"keywords": "keywords", "pattern": "pattern", "judge": "score", "tags": "tags"}  # by which a reply is found


class ReplyError(ValueError):
    """A reply that cannot be used; ``code`` is the drop code of the funnel.

    Codes: ``empty_reply``, ``no_json``, ``missing_field``, ``wrong_type``, ``empty_field``, ``wrong_options``,
    ``wrong_grade``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def reply_labels(answer: Answer) -> tuple[str, ...]:
    """The letters whose texts a written sample must give: those of a ``choice`` task, else none."""
    if answer.type != "choice":
        return ()
    options: Any = answer.options
    return tuple(str(label) for label in options or ())


def reply_schema(name: str, answer: Answer) -> tuple[str, dict[str, Any]] | None:
    """Name and JSON Schema of the reply to prompt ``name``; None where the reply is free text."""
    if name in FREE_TEXT:
        return None
    text = {"type": "string"}
    if name == "keywords":
        return name, _object({"keywords": {"type": "array", "items": text}})
    if name == "pattern":
        return name, _object({"pattern": text})
    if name == "judge":
        return name, _object({"score": {"type": "integer", "enum": list(GRADES)}, "reason": text})
    if name == "tags":
        return name, _object({"tags": {"type": "array", "items": text}})
    if name in REPLIES:
        return name, _fields(REPLIES[name], answer)
    if name not in SAMPLE_PROMPTS:
        raise KeyError(name)
    return name, _fields(_SAMPLE, answer)


def _fields(kinds: Mapping[str, str], answer: Answer) -> dict[str, Any]:
    """Schema of a reply's fields; options are those of the task, and asked for where it has letters."""
    labels = reply_labels(answer)
    known = {**_KINDS, "options": _object(dict.fromkeys(labels, _TEXT))}
    return _object({field: known[kind] for field, kind in kinds.items() if labels or kind != "options"})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """All fields required and no others: the form that strict structured output asks for."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def parse_reply(name: str, answer: Answer, text: str) -> dict[str, Any]:
    """The fields of a reply, stripped and complete; ``{"text": …}`` for free text.

    Raises:
        ReplyError: with the code that the funnel counts.
    """
    if not text or not text.strip():
        raise ReplyError("empty_reply", "the reply is empty")
    if name in FREE_TEXT:
        return {"text": text}
    own = REPLIES.get(name, {})
    found = _find_object(text[:MAX_REPLY_CHARACTERS], next(iter(own), _FIELD.get(name, "input")))
    if own:
        return _read(found, own, answer)
    if name == "keywords":
        return {"keywords": _words(found, "keywords")}
    if name == "tags":
        return {"tags": _words(found, "tags")[:MOST_TAGS]}
    if name == "pattern":
        return {"pattern": _text(found, "pattern")}
    if name == "judge":
        return {"score": _grade(found), "reason": _whole(str(found.get("reason", ""))).strip()[:500]}
    return _read(found, _SAMPLE, answer)


def _read(found: Mapping[str, Any], kinds: Mapping[str, str], answer: Answer) -> dict[str, Any]:
    """The fields of a reply, each read by its kind, in order."""
    labels = reply_labels(answer)
    reply = {field: _READ[kind](found, field) for field, kind in kinds.items() if kind != "options"}
    return reply | {field: _options(found, labels) for field, kind in kinds.items() if labels and kind == "options"}


def _find_object(text: str, wanted: str) -> Mapping[str, Any]:
    """The object with field ``wanted``: the whole text, the inside of a code fence, or one that stands in prose.

    An object without the field is second best: its caller then says what is missing.
    """
    second: Mapping[str, Any] | None = None
    start = text.find("{")
    for _ in range(MAX_CANDIDATES):
        if start < 0:
            break
        for candidate in (text[start:], _mend_backslashes(text[start:])):
            try:
                value, _ = json.JSONDecoder(strict=False).raw_decode(candidate)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict) and wanted in value:
                return value
            second = second or value
            break
        next_line = text.find("\n", start)
        start = text.find("{", next_line) if next_line >= 0 else -1
    if second is None:
        raise ReplyError("no_json", "the reply contains no JSON object that can be read")
    return second


_BAD_ESCAPE = re.compile(r'\\\\|\\(?!["\\/bfnrtu])|\\u(?![0-9a-fA-F]{4})')


def _mend_backslashes(text: str) -> str:
    r"""Double the backslashes that begin no JSON escape, as in ``"\sqrt{2}"``."""
    return _BAD_ESCAPE.sub(lambda match: match[0] if match[0] == "\\\\" else "\\" + match[0], text)


# What JSON makes of LaTeX commands written with one backslash: \frac is a form feed and "rac", \times a tab and "imes".
_LATEX = re.compile(
    r"\f(?=[a-z])|\x08(?=[a-z])"
    r"|\t(?=imes\b|ext\b|extbf\b|ext\{|heta\b|an\b|au\b|frac\b|o\b|riangle\b|herefore\b)"
    r"|\r(?=ho\b|ight\b|angle\b|ightarrow\b)"
    r"|\n(?=eq\b|abla\b|otin\b|leq\b|geq\b)"
)
_LETTERS = {"\f": "\\f", "\x08": "\\b", "\t": "\\t", "\r": "\\r", "\n": "\\n"}


def _mend_latex(text: str) -> str:
    return _LATEX.sub(lambda match: _LETTERS[match[0]], text)


def _whole(text: str) -> str:
    """``text`` with U+FFFD for half a surrogate pair, which JSON can spell and no file or request can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(found: Mapping[str, Any], field: str) -> str:
    if field not in found:
        raise ReplyError("missing_field", f"the reply has no '{field}'")
    value = found[field]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ReplyError("wrong_type", f"'{field}' is {type(value).__name__}, not a text")
    text = _whole(_mend_latex(str(value))).strip()
    if not text:
        raise ReplyError("empty_field", f"'{field}' is empty")
    return text


def _grade(found: Mapping[str, Any]) -> int:
    said = _text(found, "score")
    match = re.fullmatch(r"([1-6])(?:\.0+)?(?:\s*/\s*6)?", said)
    if match is None:
        raise ReplyError("wrong_grade", f"the score is {said[:40]!r}, not a whole number from 1 to 6")
    return int(match[1])


def _words(found: Mapping[str, Any], field: str) -> list[str]:
    value = found.get(field)
    if value is None:
        raise ReplyError("missing_field", f"the reply has no '{field}'")
    if isinstance(value, str):
        value = re.split(r"[,;\n]", value)
    if not isinstance(value, list):
        raise ReplyError("wrong_type", f"'{field}' is {type(value).__name__}, not a list")
    words: dict[str, None] = {}
    for item in value:
        if isinstance(item, str) and (word := " ".join(_whole(item).split())):
            words.setdefault(word)
    if not words:
        raise ReplyError("empty_field", f"'{field}' is empty")
    return list(words)


def _options(found: Mapping[str, Any], labels: tuple[str, ...]) -> dict[str, str]:
    value = found.get("options")
    if value is None:
        raise ReplyError("missing_field", "the reply has no 'options'")
    if isinstance(value, list):
        value = dict(zip(labels, value, strict=False)) if len(value) == len(labels) else {}
    if not isinstance(value, dict) or set(map(str, value)) != set(labels):
        raise ReplyError("wrong_options", f"'options' must have exactly {', '.join(labels)}")
    options = {label: _text(value, label) for label in labels}
    if len(set(options.values())) < len(options):
        raise ReplyError("wrong_options", "two options have the same text")
    return options


def _items(found: Mapping[str, Any], field: str) -> list[str]:
    """Texts of a list, each once; a single text counts as its lines."""
    value = found.get(field)
    if value is None:
        raise ReplyError("missing_field", f"the reply has no '{field}'")
    if isinstance(value, str):
        value = value.split("\n")
    if not isinstance(value, list):
        raise ReplyError("wrong_type", f"'{field}' is {type(value).__name__}, not a list")
    items = dict.fromkeys(_whole(_mend_latex(item)).strip() for item in value if isinstance(item, str))
    items.pop("", None)
    if not items:
        raise ReplyError("empty_field", f"'{field}' is empty")
    return list(items)


def _pairs(found: Mapping[str, Any], field: str) -> list[dict[str, str]]:
    """Objects of a question and an answer; those that lack one of them are left out. An empty list says: none."""
    value = found.get(field)
    if value is None:
        raise ReplyError("missing_field", f"the reply has no '{field}'")
    if not isinstance(value, list):
        raise ReplyError("wrong_type", f"'{field}' is {type(value).__name__}, not a list")
    pairs = []
    for item in value:
        try:
            pairs.append({key: _text(item, key) for key in ("question", "answer")})
        except (ReplyError, TypeError):
            continue
    if value and not pairs:
        raise ReplyError("empty_field", f"'{field}' holds no question with an answer")
    return pairs


def _number(found: Mapping[str, Any], field: str) -> int:
    said = _text(found, field)
    match = re.fullmatch(r"(-?\d{1,9})(?:\.0+)?(?:\s*/\s*\d+)?", said)
    if match is None:
        raise ReplyError("wrong_type", f"'{field}' is {said[:40]!r}, not a whole number")
    return int(match[1])


_SAMPLE = {"input": "text", "output": "text", "options": "options"}
_TEXT = {"type": "string"}
_KINDS: Mapping[str, Any] = {
    "text": _TEXT,
    "list": {"type": "array", "items": _TEXT},
    "whole": {"type": "integer"},
    "pairs": {"type": "array", "items": _object({"question": _TEXT, "answer": _TEXT})},
}
_READ: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "text": _text,
    "list": _items,
    "whole": _number,
    "pairs": _pairs,
}
