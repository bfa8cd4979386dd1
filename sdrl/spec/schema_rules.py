"""The parts of the JSON Schema that depend on more than one key: exactly one of several, needed or idle by type.

Written with ``oneOf`` over whole keys and ``if``/``then`` on ``answer.type``, the forms that editors explain
at the key. The rules themselves are those of ``rules`` and ``answer_rules``, from whose tables they are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from sdrl.spec.answer_rules import NEEDS_OPTIONS, READ_BY, UNFIT
from sdrl.spec.stage_keys import FILTERS
from sdrl.spec.task_keys import EXTRACT_KINDS, AnswerType

_EXACTLY_ONE = {
    "Source": ("files", "dataset"),
    "DemoSource": ("files", "dataset"),
    "Evaluation": ("file", "dataset"),
    "FilterStep": FILTERS,
}
_NULL = {"type": "null"}
_LETTERS = {"type": "array", "items": {"type": ["string", "number"], "pattern": "^[A-Za-z0-9]{1,2}$"}, "minItems": 2}
_TRUTHS = {"type": "object", "required": ["true", "false"], "maxProperties": 2}


def add_rules(schema: dict[str, Any]) -> None:
    """Add them to the schema, in place."""
    tables = schema["$defs"]
    for name, keys in _EXACTLY_ONE.items():
        tables[name]["oneOf"] = [_only(key, keys) for key in keys]
    tables["Extract"]["oneOf"] = [{"required": [kind]} for kind in EXTRACT_KINDS]
    tables["Extract"]["allOf"] = [{"if": {"required": ["group"]}, "then": {"required": ["regex"]}}]
    tables["PromptFile"]["anyOf"] = [
        {"required": ["file"]},
        {"required": ["extra_rules"], "properties": {"extra_rules": {"minItems": 1}}},
    ]
    tables["Answer"]["allOf"] = list(_by_type())
    has_gate = {"properties": {"gate": {"type": "object"}}, "required": ["gate"]}
    measured = {"required": ["evaluate"], "properties": {"evaluate": {"minItems": 1}}}
    schema["allOf"] = [{"if": has_gate, "then": measured}]


def _only(key: str, keys: Sequence[str]) -> dict[str, Any]:
    """One key is there, and the others are left out or null."""
    others = {other: _NULL for other in keys if other != key}
    return {"required": [key], "properties": {key: {"not": _NULL}, **others}}


def _by_type() -> Sequence[dict[str, Any]]:
    """What each answer type needs, and which keys it does not read."""
    types = get_args(AnswerType)
    rules = [
        _when(NEEDS_OPTIONS, {"required": ["options"]}),
        _when(("choice",), {"properties": {"options": _LETTERS}}),
        _when(("boolean",), {"properties": {"options": {"anyOf": [_TRUTHS, _NULL]}}}),
        _when(("json",), {"anyOf": [{"required": ["fields"]}, {"required": ["schema"]}]}),
        _when(("program",), {"required": ["entry_point"]}),
    ]
    for key, readers in READ_BY.items():
        rules.append(_when([name for name in types if name not in readers], {"properties": {key: _NULL}}))
    for kind, unfit in UNFIT.items():
        rules.append(_when(unfit, {"properties": {"extract": {"not": {"required": [kind]}}}}))
    return rules


def _when(types: Sequence[str], then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"type": {"enum": list(types)}}, "required": ["type"]}, "then": then}
