"""JSON Schema of the spec language, for editors: made from the models, described by the strings under their fields.

Reads this package's own sources (the field documentation is no run-time value, so that loading a spec does not pay for
it) and takes its examples from ``_reference.yaml``. What depends on more than one key stands in ``schema_rules``.
``specs/sdrl.schema.json`` is its output; a test holds the two together.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

from sdrl.spec.base import QUANTITY, Table
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir
from sdrl.spec.model import Spec
from sdrl.spec.shapes import Shape, fields_of

FILE_NAME = "sdrl.schema.json"


def json_schema() -> dict[str, Any]:
    """The schema as plain data (draft 2020-12)."""
    from sdrl.spec.schema_rules import add_rules

    schema = Spec.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    shown = examples()
    for table in tables():
        target = schema if table is Spec else definitions[table.__name__]
        describe(target, table)
        _fill(target, table, shown)
    _allow_shorthands(schema, {f"#/$defs/{table.__name__}": table for table in tables() if table.shorthand})
    _allow_scalars(schema)
    add_rules(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "sdrl spec, version 1"}


def schema_text() -> str:
    """The schema as it is shipped."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


@cache
def tables() -> tuple[type[Table], ...]:
    """Every table of the key tree, the root first."""
    found: dict[type[Table], None] = {}
    todo: list[type[Table]] = [Spec]
    while todo:
        table = todo.pop(0)
        if table not in found:
            found[table] = None
            todo += [below for field in fields_of(table).values() for below in _tables_in(field.shape)]
    return tuple(found)


def _tables_in(shape: Shape) -> list[type[Table]]:
    found = [shape.table] if shape.table is not None else []
    for below in (shape.item, shape.values):
        found += _tables_in(below) if below is not None else []
    return found


@cache
def descriptions(table: type[Table]) -> dict[str, str]:
    """Key → documentation of a table's fields, inherited ones included."""
    found: dict[str, str] = {}
    for owner in reversed(table.__mro__):
        if issubclass(owner, Table):
            found |= _own_strings(owner)
    aliases = {name: info.alias or name for name, info in table.model_fields.items()}
    return {aliases[name]: text for name, text in found.items() if name in aliases}


def _own_strings(table: type[Table]) -> dict[str, str]:
    found = {}
    for statement, below in pairwise(_classes(table.__module__)[table.__name__].body):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[statement.target.id] = inspect.cleandoc(str(below.value.value))
    return found


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def describe(target: dict[str, Any], table: type[Table]) -> None:
    """Put the documentation of a table and its fields into its schema."""
    target["description"] = inspect.cleandoc(table.__doc__ or "").split("\n")[0]
    target.pop("title", None)
    for key, text in descriptions(table).items():
        entry = target["properties"][key]
        entry.pop("title", None)
        entry["description"] = text


def _fill(target: dict[str, Any], table: type[Table], shown: dict[tuple[str, str], Any]) -> None:
    """Defaults that a factory makes, numbers for decimals, an example where the reference or an enum has one."""
    for name, info in table.model_fields.items():
        key = info.alias or name
        entry = target["properties"][key]
        if fields_of(table)[key].shape.real:
            entry.update(_as_numbers(entry))
        if not info.is_required():
            entry["default"] = _plain(info.get_default(call_default_factory=True))
        if not table.nullable and "anyOf" in entry:
            entry["anyOf"] = [kind for kind in entry["anyOf"] if kind != {"type": "null"}]
            del entry["default"]
        example = shown.get((table.__name__, key))
        literals = fields_of(table)[key].shape.literals
        if example is None and literals:
            example = literals[0]
        if example is not None:
            entry["examples"] = [example]


def _as_numbers(entry: dict[str, Any]) -> dict[str, Any]:
    """Without the texts that pydantic lets stand for decimals."""
    if "anyOf" not in entry:
        return entry
    kinds = [kind for kind in entry["anyOf"] if kind.get("type") != "string" or "enum" in kind or "const" in kind]
    if len(kinds) > 1:
        return {**entry, "anyOf": kinds}
    del entry["anyOf"]
    return {**kinds[0], **entry}


def _plain(value: Any) -> Any:
    """A default as JSON data; decimals are numbers."""
    if isinstance(value, Table):
        return {key: _plain(item) for key, item in value.model_dump(by_alias=True).items()}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    return value


def examples() -> dict[tuple[str, str], Any]:
    """(table, key) → what ``_reference.yaml`` writes there first."""
    written = load_spec(specs_dir() / "_reference.yaml").written
    found: dict[tuple[str, str], Any] = {}
    _collect(written, Shape(table=Spec), found)
    return found


def _collect(value: Any, shape: Shape, found: dict[tuple[str, str], Any]) -> None:
    if isinstance(value, list) and shape.item is not None:
        for item in value:
            _collect(item, shape.item, found)
    elif isinstance(value, dict) and shape.table is not None and set(value) <= set(fields_of(shape.table)):
        for key, item in value.items():
            if item is not None:
                found.setdefault((shape.table.__name__, key), item)
            _collect(item, fields_of(shape.table)[key].shape, found)
    elif isinstance(value, dict) and shape.values is not None:
        for item in value.values():
            _collect(item, shape.values, found)


def _allow_scalars(node: Any) -> None:
    """A text field takes any scalar's own text: what an editor reads as a number or a truth value may stand there."""
    if isinstance(node, list):
        for item in node:
            _allow_scalars(item)
    if not isinstance(node, dict):
        return
    if node.get("type") == "string" and not {"enum", "const"} & set(node) and node.get("pattern") != QUANTITY:
        node["type"] = ["string", "number"] if "pattern" in node else ["string", "number", "boolean"]
    for key, value in node.items():
        if key not in ("default", "examples", "propertyNames"):
            _allow_scalars(value)


def _allow_shorthands(node: Any, shorthand: dict[str, type[Table]]) -> None:
    """Where a bare value stands for a table, the editor allows it too."""
    if isinstance(node, list):
        for item in node:
            _allow_shorthands(item, shorthand)
    if not isinstance(node, dict):
        return
    table = shorthand.get(node.get("$ref", ""))
    if table is not None:
        shape = fields_of(table)[table.shorthand].shape
        node["anyOf"] = [{"$ref": node.pop("$ref")}, {"type": "number" if shape.number else "string"}]
        return
    for value in node.values():
        _allow_shorthands(value, shorthand)
