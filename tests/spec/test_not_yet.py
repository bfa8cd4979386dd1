"""Each key is consumed by some layer, or stands in the table of keys whose work comes later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sdrl
from sdrl.spec.base import Table
from sdrl.spec.loader import load_spec
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.model import Spec
from sdrl.spec.not_yet import NOT_YET_USED, not_yet_used
from sdrl.spec.schema import tables
from sdrl.spec.shapes import fields_of

PACKAGE = Path(sdrl.__file__).parent
# read by no code and meant for people (and for the model card): consumed by the plan as it stands
FOR_PEOPLE = {"Task.license", "Task.language", "Source.license", "Instructor.terms", "Silenced.reason"}
HEAD = (
    'sdrl: 1\nname: a\ntask: {description: d, output_format: "####"}\n'
    'answer: {type: number, extract: {marker: "####"}}\n'
)
WAITING = [name for name, method in METHOD_TABLE.items() if not method.built]


def owner(path: str) -> tuple[type[Table], str, type[Table] | None]:
    """Of a dotted path: the table that holds the key, the key, and the table below it."""
    table: type[Table] = Spec
    *above, key = path.split(".")
    for step in above:
        below = fields_of(table)[step].shape.table
        assert below is not None
        table = below
    return table, key, fields_of(table)[key].shape.table


def keys() -> Iterator[tuple[type[Table], str]]:
    for table in tables():
        for key in fields_of(table):
            yield table, key


def consumers() -> str:
    """The source of every layer below and above the language, but not the language's own."""
    files = [path for path in PACKAGE.rglob("*.py") if path.parent.name not in ("spec",)]
    rules = [PACKAGE / "spec" / name for name in ("lint.py", "loader.py", "rules.py", "answer_rules.py", "base.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*files, *rules])


def test_every_key_is_consumed_or_said_to_be_unused() -> None:
    source = consumers()
    later = {owner(path)[:2] for path in NOT_YET_USED}
    below = {owner(path)[2] for path in NOT_YET_USED}
    lost = []
    for table, key in keys():
        name = f"{table.__name__}.{key}"
        attribute = {"validate": "validate_", "json": "json_", "schema": "schema_"}.get(key, key)
        if (table, key) in later or table in below or name in FOR_PEOPLE:
            continue
        if not re.search(rf"""(\.{attribute}\b|["'.]{key}\b)""", source):
            lost.append(name)
    assert lost == []


def test_the_table_names_keys_that_exist() -> None:
    for path in NOT_YET_USED:
        table, key, _ = owner(path)
        assert key in fields_of(table)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        *((f"synthesize: {{method: {name}}}", "synthesize.method") for name in WAITING),
    ],
)
def test_a_key_whose_work_comes_later_is_named(text: str, path: str) -> None:
    assert path in NOT_YET_USED, "its work is done: take the row out"
    assert path in not_yet_used(load_spec("a.yaml", text=HEAD + text).require())


def test_a_value_that_asks_for_nothing_more_is_not_named() -> None:
    spec = load_spec("a.yaml", text=HEAD + "extends: paper\nrounds: 1\nreview: {samples: 0}").require()
    assert not_yet_used(spec) == ()
