"""JSON answers: reads a slot as one JSON value, checks it, and compares field by field with each field's own type.

Without declared fields two values are the same when they are equal as JSON, numbers by value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sdrl.verifier.number import read_number
from sdrl.verifier.program import Program
from sdrl.verifier.result import TOO_LONG, UNREADABLE, AnswerType, Options, Reading
from sdrl.verifier.schema import compile_schema

MAX_SLOT: Final = 100_000
NO_JSON: Final = "the slot holds no JSON value"
OFF_SCHEMA: Final = "the JSON does not match the schema"
_FENCE: Final = re.compile(r"```[A-Za-z]*\s*\n?(.*?)```", re.DOTALL)


class Number(str):
    """A JSON number, kept as the text it was written in."""


class RecordType:
    """Answer type ``json``. Canonical text: canonical JSON, of the declared fields where there are any."""

    def __init__(self, program: Program, make: Callable[[Program], AnswerType]) -> None:
        self._fields = [(name, make(inner)) for name, inner in program.fields]
        self._matches = compile_schema(program.schema)

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the JSON value; a missing or unreadable field makes it unreadable, several values a conflict."""
        if len(slot) > MAX_SLOT:
            return Reading(None, TOO_LONG)
        fenced = _FENCE.search(slot)
        try:
            value = json.loads(fenced.group(1) if fenced else slot, **_NUMBERS)
        except (ValueError, RecursionError):
            return Reading(None, NO_JSON)
        if not self._matches(value):
            return Reading(None, OFF_SCHEMA)
        if not self._fields:
            return Reading(_canonical(value))
        if not isinstance(value, dict):
            return UNREADABLE
        read: dict[str, str] = {}
        for name, inner in self._fields:
            text = slot_text(value.get(name))
            if not text:
                return Reading(None, f"field {name}: missing or empty")
            reading = inner.read(text, None)
            if reading.text is None:
                return Reading(None, f"field {name}: {reading.reason}", reading.conflict)
            read[name] = reading.text
        return Reading(json.dumps(read, ensure_ascii=False, sort_keys=True))

    def same(self, a: str, b: str) -> bool:
        """Whether all fields are the same by their types."""
        if a == b:
            return True
        if not self._fields:
            return False
        left, right = json.loads(a), json.loads(b)
        return all(inner.same(left[name], right[name]) for name, inner in self._fields)


def slot_text(value: Any) -> str:
    """A JSON value as the text of a slot: a text as it is, a number as written, a list as JSON, null as nothing."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_NUMBERS: Final[dict[str, Any]] = {"parse_int": Number, "parse_float": Number, "parse_constant": _no_constant}


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Number):
        # Numbers become {"": text}: apart from the same digits as a string, exact, and without binary floats.
        return {"": read_number(value).text or str(Decimal(value))}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
