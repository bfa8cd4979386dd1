"""JSON Schema of the spec language, for editors: made from the models, described by the strings under their fields.

Reads this package's own sources (the field documentation is no run-time value, so that loading a spec does not pay for
it). ``specs/sdrl.schema.json`` is its output; a test holds the two together.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from functools import cache
from itertools import pairwise
from typing import Any

from sdrl.spec.base import Table
from sdrl.spec.model import Spec
from sdrl.spec.shapes import Shape, fields_of

FILE_NAME = "sdrl.schema.json"


def json_schema() -> dict[str, Any]:
    """The schema as plain data (draft 2020-12)."""
    schema = Spec.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    for table in tables():
        target = schema if table is Spec else definitions.get(table.__name__)
        if target is not None:
            _describe(target, table)
    _allow_shorthands(schema, {f"#/$defs/{table.__name__}": table for table in tables() if table.shorthand})
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


def _describe(target: dict[str, Any], table: type[Table]) -> None:
    target["description"] = inspect.cleandoc(table.__doc__ or "").split("\n")[0]
    target.pop("title", None)
    for key, text in descriptions(table).items():
        entry = target["properties"][key]
        entry.pop("title", None)
        entry["description"] = text


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
