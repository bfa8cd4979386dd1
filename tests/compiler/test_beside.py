"""What ``sdrl validate`` says beyond a spec's own text: of own templates and of patterns, and not of data."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.compiler.beside import beside
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
    return [(item.code, item.path, item.line) for item in beside(load_spec(spec))]


def test_no_data_is_looked_for(spec: Path) -> None:
    """A clone that is validated in CI seldom has it."""
    assert places(spec) == []
    assert main(["validate", str(spec)]) == 0
    assert main(["compile", str(spec)]) == 1


def test_a_template_that_is_not_there_is_told_once(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(HEAD + "prompts: {answer: {file: gone.jinja}}\n", encoding="utf-8")
    assert main(["validate", str(spec)]) == 1
    assert capsys.readouterr().out.count("E303") == 1


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
