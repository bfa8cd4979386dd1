"""The JSON Schema as an editor uses it: it accepts what ships, refuses what it can know, and tells what each key is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sdrl.cli.main import main
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir
from sdrl.spec.model import Spec
from sdrl.spec.nodes import parse
from sdrl.spec.reading import anything
from sdrl.spec.schema import FILE_NAME, json_schema, tables
from sdrl.spec.shapes import fields_of
from tests.spec.test_bad_specs import FIXTURES, is_text

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
SHIPPED = sorted(specs_dir().glob("*.yaml"))
KNOWABLE = ("E201", "E202", "E203", "E204", "E205", "E206", "E208", "E209", "E314", "E315", "E316", "E317", "E320")
KNOWABLE += ("E323", "E324", "E325", "E332")
BAD = [path for path in FIXTURES if path.stem[:4] in KNOWABLE and is_text(path)]


def as_editor(text: str) -> Any:
    """A text read as editors read it: YAML 1.2, without the schema's typing; keys are texts."""
    root = parse(text).root
    return None if root is None else anything(root)


def spec(**tables_: Any) -> dict[str, Any]:
    """A small valid spec with some tables replaced."""
    return {
        "sdrl": 1,
        "name": "a",
        "task": {"description": "d", "output_format": "o"},
        "answer": {"type": "number", "extract": {"marker": "####"}},
    } | tables_


def properties(table: type) -> dict[str, Any]:
    found: dict[str, Any] = (SCHEMA if table is Spec else SCHEMA["$defs"][table.__name__])["properties"]
    return found


def keys() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for table in tables():
        for key, entry in properties(table).items():
            yield table.__name__, key, entry


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_is_accepted(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(as_editor(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_spec_is_refused_where_an_editor_can_know(path: Path) -> None:
    assert not VALIDATOR.is_valid(as_editor(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [path for path in FIXTURES if path.stem[0] == "W"], ids=lambda path: path.stem)
def test_what_is_only_warned_about_is_accepted(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(as_editor(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "text",
    [
        "name: 2024",
        "params: {a: 1, b: true}",
        "corpus: [{files: [a], dataset: null}]",
        "corpus: [{dataset: a/b, config: 2024, limit: 1.5k}]",
        "filter: [{rouge_l: 0.5, duplicates: null}]",
        "answer: {type: label, extract: {tag: a}, options: [1, 2, true]}",
        "answer: {type: boolean, extract: {tag: a}, options: {true: [yes], false: [no]}}",
        "answer: {type: number, extract: {regex: '(.)', group: 1}, tolerance: 1e-3}",
        "evaluate: [{name: t, file: f, gold: answer}]",
        "gate: null",
        "models: {instructor: {model: m}, base: {model: b, serve: 'http://x', stop: [a]}}",
        "retrieve: {keywords: [a, 1]}",
        "train: {lora: null, trl: {epsilon: 0.3, lr_scheduler_kwargs: {a: [1, {a: b}]}}}",
        "models: {instructor: {model: m, extra: {anything: [1, {a: b}]}}, base: {model: b}}",
        "lint: {ignore: [W301, {code: W302}, {code: W303, reason: r}]}",
    ],
)
def test_what_the_loader_accepts_the_editor_accepts(text: str) -> None:
    base = "sdrl: 1\nname: a\ntask: {description: d, output_format: o}\nanswer: {type: math, extract: {boxed: true}}\n"
    key = text.split(":", 1)[0]
    whole = "".join(
        f"{line}\n" for line in [*base.splitlines(), text] if line is text or not line.startswith(f"{key}:")
    )
    assert load_spec("a.yaml", text=whole).require()
    assert [error.message for error in VALIDATOR.iter_errors(as_editor(whole))] == []


@pytest.mark.parametrize(
    ("tables_", "place"),
    [
        ({"answer": {"type": "number", "extract": {"marker": "#", "tag": "a"}}}, ["answer", "extract"]),
        ({"answer": {"type": "number", "extract": {}}}, ["answer", "extract"]),
        ({"answer": {"type": "choice", "extract": {"tag": "a"}}}, ["answer"]),
        ({"answer": {"type": "number", "extract": {"tag": "a"}, "options": ["A"]}}, ["answer", "options"]),
        ({"vote": {"draw": 3}}, ["vote"]),
        ({"vote": {"draws": "many"}}, ["vote", "draws"]),
        ({"vote": {"tie": "dropp"}}, ["vote", "tie"]),
        ({"corpus": [{"text": "t"}]}, ["corpus", 0]),
        ({"filter": [{"duplicates": True, "rouge_l": 0.7}]}, ["filter", 0]),
        ({"budget": {"tokens": "20m"}}, ["budget", "tokens"]),
        ({"gate": {"min_gain": 0}}, []),
    ],
)
def test_an_error_is_at_the_key_that_is_wrong(tables_: dict[str, Any], place: list[Any]) -> None:
    errors = list(VALIDATOR.iter_errors(spec(**tables_)))
    assert errors
    assert {tuple(error.absolute_path) for error in errors} == {tuple(place)}


def test_every_key_and_every_table_is_described() -> None:
    assert [f"{table}.{key}" for table, key, entry in keys() if not entry.get("description")] == []
    assert [name for name, table in SCHEMA["$defs"].items() if not table.get("description")] == []


def test_every_top_level_key_and_every_choice_has_an_example() -> None:
    assert [key for key, entry in properties(Spec).items() if not entry.get("examples")] == []
    choices = [
        (table, key, entry) for table, key, entry in keys() if "enum" in str(entry) and "propertyN" not in str(entry)
    ]
    assert len(choices) > 15
    assert [f"{table}.{key}" for table, key, entry in choices if not entry.get("examples")] == []


def test_examples_and_defaults_are_valid_themselves() -> None:
    for table, key, entry in keys():
        holder = f"#/$defs/{table}" if table != "Spec" else "#/$defs/whole"  # a root's own keys would judge too
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"{holder}/properties/{key}", "$defs": {**SCHEMA["$defs"], "whole": SCHEMA}}
        )
        for value in [*entry.get("examples", []), *([entry["default"]] if "default" in entry else [])]:
            assert [error.message for error in validator.iter_errors(value)] == [], (table, key, value)


def test_defaults_are_those_of_the_recommended_preset() -> None:
    text = "sdrl: 1\nname: a\ntask: {description: d, output_format: o}\nanswer: {type: math, extract: {boxed: true}}\n"
    loaded = load_spec("a.yaml", text=text).require().model_dump(mode="json", by_alias=True)
    shown = {key: entry["default"] for key, entry in properties(Spec).items() if "default" in entry}
    assert shown == {key: value for key, value in loaded.items() if key in shown}
    assert set(loaded) - set(shown) == {"sdrl", "name", "task", "answer"}


def test_every_table_refuses_unknown_keys_and_names_its_required_ones() -> None:
    for table in tables():
        schema = SCHEMA if table is Spec else SCHEMA["$defs"][table.__name__]
        required = {name for name, field in fields_of(table).items() if field.required}
        assert schema["additionalProperties"] is False
        assert set(schema.get("required", [])) == required


def test_a_new_spec_tells_the_editor_its_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "mine", "--from", "cqa"]) == 0
    assert (
        (tmp_path / "mine.yaml")
        .read_text(encoding="utf-8")
        .startswith(f"# yaml-language-server: $schema=./{FILE_NAME}\n")
    )
    assert (tmp_path / FILE_NAME).read_text(encoding="utf-8") == (specs_dir() / FILE_NAME).read_text(encoding="utf-8")
