"""JSON whose numbers keep the text they were written in, so that no digit is lost on the way to a comparison."""

from __future__ import annotations

import json
from typing import Any, Final


class Number(str):
    """A JSON number as its own text."""

    __slots__ = ()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, or RecursionError for absurd nesting."""
    return _DECODER.decode(text)


def read_json_at(text: str, at: int) -> tuple[Any, int]:
    """(value, end) of the JSON value that starts at ``at``. Raises as ``read_json``."""
    return _DECODER.raw_decode(text, at)


def write_json(value: Any) -> str:
    """JSON text with the numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(write_json(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {write_json(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def slot_text(value: Any) -> str:
    """A JSON value as the text of a slot: a text as it is, null as nothing, anything else as JSON."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else write_json(value)
