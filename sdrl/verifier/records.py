"""JSON answers: reads a slot as one JSON value, checks it, and compares field by field with each field's own type.

Without declared fields two values are the same when they are equal as JSON, numbers by value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sdrl.verifier.literal import Number, read_json, slot_text
from sdrl.verifier.number import read_number
from sdrl.verifier.program import Program
from sdrl.verifier.result import TOO_LONG, UNREADABLE, AnswerType, Options, Reading
from sdrl.verifier.schema import compile_schema

MAX_SLOT: Final = 100_000
NO_JSON: Final = "the slot holds no JSON value"
OFF_SCHEMA: Final = "the JSON does not match the schema"
_FENCE: Final = re.compile(r"```[A-Za-z]*\s*\n?(.*?)```", re.DOTALL)


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
            value = read_json(fenced.group(1).strip() if fenced else slot)
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
            given = value.get(name)
            text = "" if isinstance(given, dict) else slot_text(given)
            if not text:
                return Reading(None, f"field {name}: missing, empty or an object")
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
