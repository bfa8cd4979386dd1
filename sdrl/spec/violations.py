"""A model's refusal of a value, in our words: code, message, one way to mend it."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import ErrorDetails

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_ERROR_CODE = re.compile(r"E[0-9]{3}")
_PATTERNS = {
    "^[a-z0-9]": "use small letters, digits and single hyphens, for example: word-problems",
    "^W": "a warning's code, for example: W301",
}


def describe(error: ErrorDetails, path: str) -> tuple[str, str, str | None]:
    """Code, message and help for one of pydantic's errors at a dotted path."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        found = _number(error["input"])
        help_ = f"a share, not a percentage: write {error['input'] / 100:g}" if _is_percentage(error, key) else None
        return "E206", f"{path} must be {words} {_number(context[key])}, not {found}", help_
    if kind == "string_too_short":
        return "E207", f"{path} is empty", "write a text"
    if kind == "string_too_long":
        return "E207", f"{path} is longer than {context['max_length']} characters", None
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        help_ = next(
            (text for start, text in _PATTERNS.items() if pattern.startswith(start)), f"it must match {pattern}"
        )
        message = f"{path} cannot be '{_short(error['input'])}'"
        if pattern.startswith("^W") and _ERROR_CODE.fullmatch(str(error["input"])):
            message, help_ = f"{error['input']} is an error, and errors cannot be silenced", "mend what it names"
        return "E207", message, help_
    if kind == "int_from_float":
        return "E204", f"{path} must be a whole number, not {_number(error['input'])}", None
    message = error["msg"]
    if kind == "missing":
        whole = ".".join(str(part) for part in error["loc"])
        return "E203", f"the key '{whole}' is missing", None
    return "E204", f"{path}: {message[0].lower()}{message[1:]}", None


def _is_percentage(error: ErrorDetails, bound: str) -> bool:
    value = error["input"]
    return bound == "le" and error["ctx"].get("le") == 1 and isinstance(value, int | float) and 1 < value <= 100


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _number(value: Any) -> str:
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
