"""The specs that ship: valid, short, complete; the reference and the JSON Schema follow the key tree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir
from sdrl.spec.schema import FILE_NAME, descriptions, json_schema, schema_text, tables
from sdrl.spec.shapes import fields_of

SHIPPED = sorted(specs_dir().glob("*.yaml"))
PAPERS = ("gsm8k", "math", "gpqa", "logiqa", "medqa", "mednli", "cqa", "cfa")
MODELINE = f"# yaml-language-server: $schema=./{FILE_NAME}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_spec_has_no_problem_and_no_warning(path: Path) -> None:
    assert load_spec(path).diagnostics == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_spec_tells_the_editor_its_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(MODELINE + "\n# ")


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.stem != "_reference"], ids=lambda path: path.stem)
def test_a_shipped_spec_can_be_read_at_a_glance(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 60
    assert max(map(len, text.split("\n"))) <= 120
    assert load_spec(path).require().name == path.stem


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_specs_use_its_models_and_measure_something(name: str) -> None:
    spec = load_spec(specs_dir() / f"{name}.yaml").require()
    assert spec.models is not None
    assert spec.models.instructor.model.startswith("gpt-4o")
    assert spec.models.base.model == "Qwen/Qwen2.5-7B"
    assert [evaluation.name for evaluation in spec.evaluate] == ["test"]


def test_math_has_its_seven_subjects() -> None:
    spec = load_spec(specs_dir() / "math.yaml").require()
    assert [part.params["subject"] for part in spec.parts] == [
        "Algebra",
        "Counting & Probability",
        "Geometry",
        "Intermediate Algebra",
        "Number Theory",
        "Prealgebra",
        "Precalculus",
    ]
    assert "{subject}" in spec.task.description


def test_the_files_of_the_demo_ship_with_it() -> None:
    spec = load_spec(specs_dir() / "word-problems.yaml").require()
    named = [file for source in spec.corpus for file in source.files or ()]
    named += [evaluation.file for evaluation in spec.evaluate if evaluation.file]
    named += [prompt.file for prompt in spec.prompts.values() if prompt.file]
    assert len(named) == 4
    assert all((specs_dir() / name).is_file() for name in named)


def test_the_reference_names_every_key_of_the_language() -> None:
    text = (specs_dir() / "_reference.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"([a-z_]+):(?=\s|$)", text))
    missing = {f"{table.__name__}.{key}" for table in tables() for key in fields_of(table) if key not in named}
    assert missing == set()


def test_the_reference_shows_defaults_where_it_does_not_choose() -> None:
    from sdrl.spec.model import Spec

    spec = load_spec(specs_dir() / "_reference.yaml").require()
    chosen = {"sdrl", "name", "task", "params", "parts", "answer", "prompts", "demos", "corpus", "models", "evaluate"}
    chosen |= {"gate", "budget", "lint"}
    bare = Spec.model_validate({"sdrl": 1, "name": "a", "task": spec.task, "answer": spec.answer})
    for name in type(spec).model_fields:
        if name.rstrip("_") not in chosen:
            assert getattr(spec, name) == getattr(bare, name), name


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.__name__)
def test_every_key_is_documented(table: type) -> None:
    documented = descriptions(table)
    assert set(documented) == set(fields_of(table))
    assert all(text.endswith((".", "}")) for text in documented.values())


def test_the_shipped_schema_is_made_from_the_models() -> None:
    assert (specs_dir() / FILE_NAME).read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_valid_and_accepts_what_ships() -> None:
    import jsonschema

    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    spec = {
        "sdrl": 1,
        "name": "a",
        "task": {"description": "d", "output_format": "o"},
        "answer": {"type": "number", "extract": {"marker": "####"}, "tolerance": 0.1},
        "evaluate": [{"name": "t", "file": "t.jsonl", "gold": "answer"}],
        "budget": {"tokens": "20M"},
    }
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(spec)) == []
    assert list(validator.iter_errors({**spec, "vots": {}})) != []
    assert json.loads(schema_text())["properties"]["vote"]["description"]
