"""Rows of files, and field templates that never read data as a template."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from sdrl.compiler.rows import RowProblem, digest_file, expand, fill, look_up, read_rows, text_of


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{question}", "What is {answer}?"),
        ("Q: {question}\nA: {answer}", "Q: What is {answer}?\nA: {{4}}"),
        ("{{literal}} {answer}", "{literal} {{4}}"),
        ("{Correct Answer}", "red"),
        ("{choices.text.1} {choices.label.0}", "y a"),
        ("{number} {flag} {null}|{list}", '4 true |["é"]'),
    ],
)
def test_a_field_template_fills_in_fields_once(template: str, expected: str) -> None:
    row = {
        "question": "What is {answer}?",
        "answer": "{{4}}",
        "Correct Answer": "red",
        "choices": {"text": ["x", "y"], "label": ["a", "b"]},
        "number": 4,
        "flag": True,
        "null": None,
        "list": ["é"],
    }
    assert fill(template, row) == expected


def test_a_missing_field_is_named_with_the_fields_there_are() -> None:
    with pytest.raises(RowProblem) as caught:
        fill("{qestion}", {"question": "x"})
    assert "qestion" in caught.value.message
    assert "question" in (caught.value.help or "")


def test_a_field_whose_name_has_a_dot_wins_over_a_path() -> None:
    assert look_up({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert text_of(1.5) == "1.5"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", '\ufeff{"a": "1"}\n\n{"a": "2"}'),
        ("rows.json", '[{"a": "1"}, {"a": "2"}]'),
        ("rows.csv", "a\r\n1\r\n2\r\n"),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert [row["a"] for _, row in read_rows(tmp_path / name)] == ["1", "2"]
    assert len(list(read_rows(tmp_path / name, 1))) == 1


def test_parquet_rows_are_read(tmp_path: Path) -> None:
    pyarrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"a": ["1", "2"]}), tmp_path / "rows.parquet")
    assert [dict(row) for _, row in read_rows(tmp_path / "rows.parquet")] == [{"a": "1"}, {"a": "2"}]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("rows.jsonl", b'{"a": 1}\n{"a": \n', 2),
        ("rows.jsonl", b"[1]\n", 1),
        ("rows.jsonl", b'{"a": "\xff"}\n', 1),
        ("rows.jsonl", b"[" * 100_000, 1),
        ("rows.json", b'{"a": 1}', None),
        ("rows.parquet", b"no parquet", None),
        ("rows.xlsx", b"", None),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line(
    tmp_path: Path, name: str, content: bytes, line: int | None
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RowProblem) as caught:
        list(read_rows(tmp_path / name))
    assert caught.value.line == line


@pytest.mark.parametrize("content", ["", "\n", "{}", "{}\n", "{}\n{}", "{}\n\n{}\n", "\n \n{}"])
def test_rows_are_counted_as_they_are_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    assert digest_file(path)[1] == len(list(read_rows(path)))


def test_rows_are_counted_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(('{"a": "' + "x" * 300_000 + '"}\n') * 11 + "{}")
    assert digest_file(path)[1] == 12


def test_globs_are_sorted_and_a_pattern_without_a_match_is_refused(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in expand(["*.jsonl", "a.jsonl"], tmp_path)] == ["a.jsonl", "b.jsonl"]
    with pytest.raises(RowProblem, match="matches no file"):
        expand(["*.md"], tmp_path)
    with pytest.raises(RowProblem, match="does not exist"):
        expand(["d.jsonl"], tmp_path)
