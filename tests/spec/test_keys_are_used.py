"""Each key of the language is consumed by some layer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import sdrl
from sdrl.spec.base import Table
from sdrl.spec.schema import tables
from sdrl.spec.shapes import fields_of

PACKAGE = Path(sdrl.__file__).parent
# read by no code and meant for people (and for the model card): consumed by the plan as it stands
FOR_PEOPLE = {"Task.license", "Task.language", "Source.license", "Instructor.terms", "Silenced.reason"}


def keys() -> Iterator[tuple[type[Table], str]]:
    for table in tables():
        for key in fields_of(table):
            yield table, key


def consumers() -> str:
    """The source of every layer below and above the language, but not the language's own."""
    files = [path for path in PACKAGE.rglob("*.py") if path.parent.name not in ("spec",)]
    rules = [PACKAGE / "spec" / name for name in ("lint.py", "loader.py", "rules.py", "answer_rules.py", "base.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*files, *rules])


def test_every_key_is_consumed() -> None:
    source = consumers()
    lost = []
    for table, key in keys():
        name = f"{table.__name__}.{key}"
        attribute = {"validate": "validate_", "json": "json_", "schema": "schema_"}.get(key, key)
        if name in FOR_PEOPLE:
            continue
        if not re.search(rf"""(\.{attribute}\b|["'.]{key}\b)""", source):
            lost.append(name)
    assert lost == []
