"""One spelling of a value: decimals, sorted keys, lines that no reader splits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrl.compiler.canonical import canonical_json, decimal_text, digest, flatten, json_line, text_line

texts = st.text(st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-06, "0.000001"), (1.0, "1"), (2.50, "2.5"), (-0.0, "0"), (1e22, "1" + 22 * "0"), (100.0, "100")],
)
def test_floats_become_plain_decimals(value: float, text: str) -> None:
    assert decimal_text(value) == text
    assert canonical_json({"x": value}) == f'{{"x":"{text}"}}'.encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_reads_back_as_the_same_float(value: float) -> None:
    assert float(decimal_text(value)) == value


def test_what_has_no_place_in_a_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        digest({"x": float("nan")})
    with pytest.raises(TypeError, match="set"):
        digest({"x": {1}})


def test_key_order_does_not_matter_and_types_do() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest({"a": True}) != digest({"a": 1})


@given(st.fixed_dictionaries({"gold": texts, "input": texts, "options": st.dictionaries(texts, texts)}))
def test_the_fast_line_is_the_canonical_line(row: dict[str, object]) -> None:
    line = text_line(dict(sorted(row.items())))  # type: ignore[arg-type]  # hypothesis knows no typed dictionaries
    assert line == json_line(row)
    assert json.loads(line) == row
    assert len(line.decode().splitlines()) == 1


def test_leaves_are_named_by_dotted_paths() -> None:
    assert flatten({"a": {"b": [1, {"c": None}]}, "d": {}}) == {"a.b.0": 1, "a.b.1.c": None, "d": {}}
