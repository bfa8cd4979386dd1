"""Scalars mean what the schema asks for: texts keep their own text, numbers follow YAML 1.2."""

from __future__ import annotations

from typing import Any

import pytest

from sdrl.spec.loader import load_spec
from sdrl.spec.model import Spec

HEAD = 'sdrl: 1\nname: a\ntask: {description: d, output_format: "write it after ####"}\n'
ANSWER = 'answer: {type: number, extract: {marker: "####"}}\n'


def load(text: str) -> Spec:
    return load_spec("a.yaml", text=text).require()


def setting(text: str, path: str) -> Any:
    value: Any = load(HEAD + ANSWER + text)
    for step in path.split("."):
        value = getattr(value, step)
    return value


def test_a_text_field_takes_the_scalars_own_text() -> None:
    spec = load(
        "sdrl: 1\nname: 2024\ntask: {description: 007, output_format: 1e3, language: no}\n"
        "answer: {type: label, extract: {marker: ~}, options: [yes, no, on, 1.0]}\n"
    )
    assert spec.name == "2024"
    assert (spec.task.description, spec.task.output_format, spec.task.language) == ("007", "1e3", "no")
    assert spec.answer.extract.marker == "~"
    assert spec.answer.options == ["yes", "no", "on", "1.0"]


def test_the_keys_of_a_boolean_are_texts_too() -> None:
    spec = load(HEAD + "answer: {type: boolean, extract: {tag: answer}, options: {true: [yes, 1], false: [no, 0]}}")
    assert spec.answer.options == {"true": ["yes", "1"], "false": ["no", "0"]}


@pytest.mark.parametrize(
    ("text", "value"), [("null", None), ("~", None), ("", None), ("'null'", "null"), ("None", "None")]
)
def test_null_is_null_only_where_it_may_be_and_without_quotes(text: str, value: str | None) -> None:
    spec = load(f"sdrl: 1\nname: a\ntask:\n  description: d\n  output_format: o\n  input_format: {text}\n" + ANSWER)
    assert spec.task.input_format == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-6", 1e-6), ("1E-6", 1e-6), ("0.000001", 1e-6), (".5", 0.5), ("+.5", 0.5), ("5e-1", 0.5), ("1", 1.0)],
)
def test_a_number_field_reads_yaml_1_2(text: str, value: float) -> None:
    assert setting(f"train: {{learning_rate: {text}}}", "train.learning_rate") == value


@pytest.mark.parametrize(("text", "value"), [("012", 12), ("0x10", 16), ("0o10", 8), ("1e2", 100), ("7.0", 7)])
def test_a_whole_number_is_never_octal_by_accident(text: str, value: int) -> None:
    found = setting(f"vote: {{draws: {text}}}", "vote.draws")
    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize("text", ["12:30", "1_000x", ".inf", ".nan", "1e999", "nan", "0b1", "--1", "1.5"])
def test_what_is_no_whole_number_is_an_error(text: str) -> None:
    loaded = load_spec("a.yaml", text=HEAD + ANSWER + f"vote: {{draws: {text}}}")
    assert [item.code for item in loaded.diagnostics] == ["E204"]


@pytest.mark.parametrize(("text", "value"), [("20M", 20_000_000), ("1.5k", 1500), ("2G", 2 * 10**9), ("300", 300)])
def test_a_quantity_has_a_suffix(text: str, value: int) -> None:
    assert setting(f"budget: {{tokens: {text}}}", "budget.tokens") == value


@pytest.mark.parametrize("text", ["20m", "M", "1.0001k", "-5k", "5 k"])
def test_what_is_no_quantity_is_an_error(text: str) -> None:
    loaded = load_spec("a.yaml", text=HEAD + ANSWER + f"budget: {{tokens: {text}}}")
    assert {item.code for item in loaded.diagnostics} <= {"E204", "E206"}
    assert loaded.spec is None


def test_a_bare_tolerance_is_the_absolute_one() -> None:
    spec = load(HEAD + 'answer: {type: number, extract: {marker: "####"}, tolerance: 1e-3}')
    assert (str(spec.answer.tolerance.abs), str(spec.answer.tolerance.rel)) == ("0.001", "0")


def test_a_bare_gold_is_the_field() -> None:
    assert setting("evaluate: [{name: t, file: t.jsonl, gold: answer}]", "evaluate")[0].gold.field == "answer"


EXTRA = "models.instructor.extra"


def test_free_values_follow_yaml_1_2() -> None:
    extras = "{a: 1e-3, b: no, c: '1', d: [true, null], e: {f: 0.5}}"
    extra = setting(f"models: {{instructor: {{model: m, extra: {extras}}}, base: {{model: b}}}}", EXTRA)
    assert extra == {"a": 1e-3, "b": "no", "c": "1", "d": [True, None], "e": {"f": 0.5}}


def test_block_texts_keep_their_lines() -> None:
    spec = load(
        "sdrl: 1\nname: a\ntask:\n  description: |\n    one\n    two\n  output_format: >-\n    a\n    b\n" + ANSWER
    )
    assert (spec.task.description, spec.task.output_format) == ("one\ntwo\n", "a b")


def test_part_of_a_sampling_block_keeps_the_rest() -> None:
    sampling = setting("vote: {sampling: {temperature: 1}}", "vote.sampling")
    assert sampling.resolved() == {"temperature": 1.0, "top_p": 1.0, "top_k": None, "max_tokens": 2048, "stop": []}


def test_null_switches_a_sampling_key_off() -> None:
    assert setting("vote: {sampling: {temperature: null}}", "vote.sampling").resolved()["temperature"] is None
