"""A small part of JSON Schema, enough to say what an answer looks like; anything else is refused when compiling.

Keywords: type, enum, const, properties, required, additionalProperties (boolean), items, minItems, maxItems. Titles and
descriptions are ignored. Numbers arrive as their text (``literal.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sdrl.verifier.literal import Number
from sdrl.verifier.program import ProgramError

Check = Callable[[Any], bool]
_IGNORED: Final = frozenset(("title", "description", "$schema", "default", "examples", "$comment"))
_KNOWN: Final = frozenset(
    ("type", "enum", "const", "properties", "required", "additionalProperties", "items", "minItems", "maxItems")
)


def compile_schema(schema: Mapping[str, Any] | None, at: str = "schema") -> Check:
    """The check of a schema; None checks nothing. Raises ProgramError for keywords that are not supported."""
    if schema is None:
        return lambda value: True
    if not isinstance(schema, Mapping):
        raise ProgramError(f"{at}: no object")
    for key in schema:
        if key not in _KNOWN and key not in _IGNORED:
            raise ProgramError(f"{at}.{key}: not supported, supported are {', '.join(sorted(_KNOWN))}")
    checks = [*_plain_checks(schema, at), *_object_checks(schema, at), *_array_checks(schema, at)]
    return lambda value: all(check(value) for check in checks)


def _plain_checks(schema: Mapping[str, Any], at: str) -> list[Check]:
    checks: list[Check] = []
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
        for name in names:
            if name not in _TYPES:
                raise ProgramError(f"{at}.type: {name!r} is not one of {', '.join(_TYPES)}")
        checks.append(lambda value: any(_TYPES[name](value) for name in names))
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None:
        texts = {json.dumps(item) for item in allowed}
        checks.append(lambda value: (str(value) if _is_number(value) else json.dumps(value)) in texts)
    return checks


def _object_checks(schema: Mapping[str, Any], at: str) -> list[Check]:
    checks: list[Check] = []
    properties = {
        name: compile_schema(inner, f"{at}.properties.{name}") for name, inner in schema.get("properties", {}).items()
    }
    if properties:
        checks.append(
            lambda value: (
                not isinstance(value, dict)
                or all(check(value[name]) for name, check in properties.items() if name in value)
            )
        )
    required = list(schema.get("required", ()))
    if required:
        checks.append(lambda value: not isinstance(value, dict) or all(name in value for name in required))
    additional = schema.get("additionalProperties", True)
    if not isinstance(additional, bool):
        raise ProgramError(f"{at}.additionalProperties: only true and false are supported")
    if not additional:
        checks.append(lambda value: not isinstance(value, dict) or set(value) <= set(properties))
    return checks


def _array_checks(schema: Mapping[str, Any], at: str) -> list[Check]:
    checks: list[Check] = []
    if "items" in schema:
        item = compile_schema(schema["items"], f"{at}.items")
        checks.append(lambda value: not isinstance(value, list) or all(item(entry) for entry in value))
    for key, fits in (("minItems", lambda n, bound: n >= bound), ("maxItems", lambda n, bound: n <= bound)):
        if key in schema:
            bound = schema[key]
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise ProgramError(f"{at}.{key}: {bound!r} is no whole number")
            checks.append(_size_check(fits, bound))
    return checks


def _size_check(fits: Callable[[int, int], bool], bound: int) -> Check:
    return lambda value: not isinstance(value, list) or fits(len(value), bound)


def _is_number(value: Any) -> bool:
    return isinstance(value, Number)


_TYPES: Final[dict[str, Check]] = {
    "string": lambda value: type(value) is str,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value.lstrip("-").isdigit(),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
