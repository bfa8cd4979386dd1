"""Evaluation sets frozen from files: golds, label maps, options from columns, and bad rows named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import Compiled, compile_spec
from tests.compiler.project import SPEC, write_project, write_rows

CHOICE = """\
answer:
  type: choice
  extract: {tag: answer}
  options: [A, B, C, D]
"""


def compiled_with(folder: Path, rows: list[dict[str, object]], evaluate: str, answer: str | None = None) -> Compiled:
    spec = SPEC[: SPEC.index("evaluate:")] + evaluate
    if answer is not None:
        before, after = spec.index("answer:"), spec.index("corpus:")
        spec = spec[:before] + answer + spec[after:]
        spec = spec.replace("write the number after ####", "write it between <answer> and </answer>")
    path = write_project(folder, spec)
    write_rows(folder / "rows.jsonl", rows)
    return compile_spec(path)


def frozen(compiled: Compiled, name: str = "test") -> list[dict[str, Any]]:
    assert compiled.plan is not None, compiled.diagnostics
    return [json.loads(line) for line in compiled.files[f"data/evaluate-{name}.jsonl"].split(b"\n") if line]


def test_rows_have_id_input_and_gold(tmp_path: Path) -> None:
    rows = frozen(compile_spec(write_project(tmp_path)))
    assert rows[0] == {"id": "test-0", "input": "What is 2 + 1?", "gold": "3"}
    assert len(rows) == 6


GPQA = """\
evaluate:
  - name: test
    file: rows.jsonl
    input: "{Question}"
    gold: {field: Correct Answer}
    options: {correct: Correct Answer, wrong: [Wrong 1, Wrong 2, Wrong 3], shuffle: SHUFFLE}
"""


def science(count: int) -> list[dict[str, object]]:
    return [
        {"Question": f"q{n}", "Correct Answer": f"right {n}", "Wrong 1": "x", "Wrong 2": "y", "Wrong 3": "{Question}"}
        for n in range(count)
    ]


def test_options_from_columns_are_dealt_evenly_and_the_same_each_time(tmp_path: Path) -> None:
    compiled = compiled_with(tmp_path / "a", science(400), GPQA.replace("SHUFFLE", "true"), CHOICE)
    rows = frozen(compiled)
    assert all(row["options"][row["gold"]] == f"right {n}" for n, row in enumerate(rows))
    assert all(sorted(row["options"]) == ["A", "B", "C", "D"] for row in rows)
    counts = Counter(row["gold"] for row in rows)
    assert all(70 < counts[letter] < 130 for letter in "ABCD")
    assert frozen(compiled_with(tmp_path / "b", science(400), GPQA.replace("SHUFFLE", "true"), CHOICE)) == rows
    assert "{Question}" in rows[0]["options"].values()


def test_without_shuffling_the_right_option_is_the_first(tmp_path: Path) -> None:
    rows = frozen(compiled_with(tmp_path, science(3), GPQA.replace("SHUFFLE", "false"), CHOICE))
    assert [row["gold"] for row in rows] == ["A", "A", "A"]
    assert rows[0]["options"] == {"A": "right 0", "B": "x", "C": "y", "D": "{Question}"}


LABELS = """\
answer:
  type: label
  extract: {tag: answer}
  options: [entailment, neutral, contradiction]
"""
MEDNLI = """\
evaluate:
  - name: test
    file: rows.jsonl
    input: "{premise} {hypothesis}"
    gold: {field: label, map: {0: entailment, 1: neutral, 2: contradiction}}
"""


def test_a_label_map_turns_numbers_into_words(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"premise": "p", "hypothesis": "h", "label": n % 3} for n in range(4)]
    golds = [row["gold"] for row in frozen(compiled_with(tmp_path, rows, MEDNLI, LABELS))]
    assert golds == ["entailment", "neutral", "contradiction", "entailment"]


def test_a_label_outside_the_map_is_named_with_file_and_row(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"premise": "p", "hypothesis": "h", "label": n} for n in (0, 7)]
    compiled = compiled_with(tmp_path, rows, MEDNLI, LABELS)
    assert compiled.plan is None
    (error,) = [item for item in compiled.diagnostics if item.is_error]
    assert error.code == "E544"
    assert "rows.jsonl:2" in error.message and "'7'" in error.message
    assert error.line is not None and error.path == "evaluate.0.gold"


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ("options: choices", {"choices": ["w", "x", "y", "z"]}),
        ("options: choices", {"choices": {"A": "w", "B": "x", "C": "y", "D": "z"}}),
        ("options: choices", {"choices": {"label": ["A", "B", "C", "D"], "text": ["w", "x", "y", "z"]}}),
        ("options: {A: a, B: b, C: c, D: d}", {"a": "w", "b": "x", "c": "y", "d": "z"}),
    ],
)
def test_options_come_from_lists_maps_and_columns(tmp_path: Path, options: str, row: dict[str, object]) -> None:
    text = 'evaluate: [{name: test, file: rows.jsonl, input: "{q}", gold: {field: key}, ' + options + "}]\n"
    rows = frozen(compiled_with(tmp_path, [{"q": "?", "key": "C", **row}], text, CHOICE))
    assert rows == [{"id": "test-0", "input": "?", "gold": "C", "options": {"A": "w", "B": "x", "C": "y", "D": "z"}}]


PLAIN = 'evaluate: [{name: test, file: rows.jsonl, input: "{q}", gold: {field: a}}]\n'


def test_at_most_three_unreadable_golds_are_reported(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"q": "?", "a": f"no number {'n' * n}"} for n in range(9)]
    compiled = compiled_with(tmp_path, rows, PLAIN)
    errors = [item for item in compiled.diagnostics if item.is_error]
    assert [item.code for item in errors] == ["E544", "E544", "E544"]
    assert "no number" in errors[0].message


def test_one_mistake_in_many_rows_is_reported_once(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"question": "?", "a": "1"} for _ in range(9)]
    [error] = [item for item in compiled_with(tmp_path, rows, PLAIN).diagnostics if item.is_error]
    assert error.path == "evaluate.0.input" and "rows.jsonl:1" in error.message


def test_a_gold_inside_a_worked_solution_is_shown_how_to_be_read(tmp_path: Path) -> None:
    compiled = compiled_with(tmp_path, [{"q": "?", "a": "1 and 1 is 2\n#### 2"}], PLAIN)
    [error] = [item for item in compiled.diagnostics if item.is_error]
    assert error.help is not None
    mended = PLAIN.replace("gold: {field: a}", error.help.split("inside it: ")[1])
    assert frozen(compiled_with(tmp_path, [{"q": "?", "a": "1 and 1 is 2\n#### 2"}], mended))[0]["gold"] == "2"


def test_a_missing_field_an_empty_file_and_a_missing_file_are_clear(tmp_path: Path) -> None:
    compiled = compiled_with(tmp_path / "a", [{"question": "?", "a": "1"}], PLAIN)
    assert "'q'" in next(item.message for item in compiled.diagnostics if item.code == "E544")
    compiled = compiled_with(tmp_path / "b", [], PLAIN)
    assert "E543" in [item.code for item in compiled.diagnostics]
    compiled = compiled_with(tmp_path / "c", [], PLAIN.replace("rows.jsonl", "none.jsonl"))
    assert "E542" in [item.code for item in compiled.diagnostics]


def test_data_that_looks_like_templates_or_odd_line_ends_is_frozen_unchanged(tmp_path: Path) -> None:
    question = "{{ 7 * 7 }} {% raw %} {a} {question} \u2028 \u0085 </problem>"
    compiled = compiled_with(tmp_path, [{"q": question, "a": "1"}], PLAIN)
    assert frozen(compiled)[0]["input"] == question
    assert len(compiled.files["data/evaluate-test.jsonl"].decode().splitlines()) == 1


def test_a_hub_data_set_is_pending_and_named(tmp_path: Path) -> None:
    text = 'evaluate: [{name: test, dataset: owner/name, input: "{q}", gold: {field: a}}]\n'
    compiled = compiled_with(tmp_path, [], text)
    assert compiled.plan is not None
    assert compiled.plan.pending == ("evaluate.test: data set owner/name:test@main",)
    assert compiled.plan.evaluations[0].sha256 == ""
    assert [item.code for item in compiled.diagnostics if item.code == "W501"] == ["W501"]


@pytest.mark.slow
def test_a_data_set_folder_beside_the_spec_is_streamed_like_the_hub(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    write_rows(tmp_path / "local" / "test.jsonl", [{"q": f"{n}?", "a": str(n)} for n in range(5)])
    text = 'evaluate: [{name: test, dataset: local, limit: 3, input: "{q}", gold: {field: a}}]\n'
    rows = frozen(compiled_with(tmp_path, [], text))
    assert [row["input"] for row in rows] == ["0?", "1?", "2?"]
