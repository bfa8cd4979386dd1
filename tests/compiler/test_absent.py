"""What ``sdrl validate`` says of files: the same codes and places as a compilation, beside the spec's own errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.compiler.absent import absences
from sdrl.compiler.compile import compile_spec
from sdrl.spec.loader import load_spec

HEAD = """\
sdrl: 1
name: sums
task: {description: Add two whole numbers and give their sum., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
"""
NAMED = """\
corpus: [{files: [here.jsonl, gone/*.jsonl, lost.txt]}]
evaluate: [{name: test, file: test.jsonl, input: "{q}", gold: {field: a}}]
demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}
parts: [{name: one, demos: {files: [one.jsonl], input: "{q}", output: "{a}"}}]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "here.jsonl").write_text('{"text": "a passage"}\n', encoding="utf-8")
    (tmp_path / "bad.jinja").write_text("{{ input }\n", encoding="utf-8")
    path = tmp_path / "sums.yaml"
    path.write_text(HEAD + NAMED, encoding="utf-8")
    return path


def places(spec: Path) -> list[tuple[str, str, int | None]]:
    return [(item.code, item.path, item.line) for item in absences(load_spec(spec))]


def test_every_file_that_is_not_there_is_told_at_its_place(spec: Path) -> None:
    assert places(spec) == [
        ("E542", "corpus.0.files.1", 5),
        ("E542", "corpus.0.files.2", 5),
        ("E542", "evaluate.0.file", 6),
        ("E545", "demos.files.0", 7),
        ("E545", "parts.0.demos.files.0", 8),
    ]
    assert all(item.help for item in absences(load_spec(spec)))


def test_errors_of_the_spec_hide_no_missing_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = spec.read_text(encoding="utf-8").replace("type: number", "type: nummer") + "trian: {}\n"
    spec.write_text(text, encoding="utf-8")
    assert main(["validate", str(spec)]) == 1
    said = capsys.readouterr().out
    assert [said.count(code) for code in ("E205", "E202", "E542", "E545")] == [1, 1, 3, 2]


def test_a_compilation_calls_them_the_same(spec: Path) -> None:
    said = {(item.code, item.line) for item in compile_spec(spec).diagnostics if item.is_error}
    assert said == {(item.code, item.line) for item in absences(load_spec(spec))}


def test_a_name_that_is_refused_is_told_once(spec: Path) -> None:
    spec.write_text(HEAD + 'corpus: [{files: [""]}]\n', encoding="utf-8")
    assert [item.code for item in load_spec(spec).diagnostics if item.is_error] == ["E207"]
    assert places(spec) == []


def test_an_own_template_is_read(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(HEAD + "prompts: {answer: {file: bad.jinja}}\n", encoding="utf-8")
    assert main(["validate", str(spec)]) == 1
    said = capsys.readouterr().out
    assert "bad.jinja:1:1: E301 the template is no valid Jinja" in said and "{% raw %}" in said


@pytest.mark.parametrize(
    ("pattern", "meant"), [("data/**.jsonl", "data/**/*.jsonl"), ("**text*.md", "**/*text*.md"), ("a**/b", "**/a*/b")]
)
def test_a_pattern_that_no_glob_takes_is_an_error_and_no_crash(
    pattern: str, meant: str, spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(HEAD + f'corpus: [{{files: ["{pattern}"]}}]\n', encoding="utf-8")
    monkeypatch.chdir(spec.parent)
    for words in (["validate", spec.name], ["compile", spec.name], ["index", pattern, "-o", "ix"]):
        assert main(words) == 1
        said = capsys.readouterr()
        assert f"help: write '{meant}'" in said.out + said.err, words
