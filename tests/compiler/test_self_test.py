"""The self-test: findings point at the demo or the instruction that is wrong, before anything is paid for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import Compiled, compile_spec
from tests.compiler.project import SPEC, write_project, write_rows


def compiled_with(folder: Path, *changes: tuple[str, str]) -> Compiled:
    spec = SPEC
    for before, after in changes:
        assert before in spec, before
        spec = spec.replace(before, after)
    return compile_spec(write_project(folder, spec))


def test_a_sound_spec_says_what_was_tested(tmp_path: Path) -> None:
    plan = compiled_with(tmp_path).plan
    assert plan is not None
    assert plan.self_test == {"demos": 2, "mutants": 10, "instructions": 1}


def test_a_demo_without_a_readable_answer_is_underlined(tmp_path: Path) -> None:
    compiled = compiled_with(tmp_path, ("2 + 3 = 5\\n#### 5", "2 + 3 = 5\\nAnswer: 5"))
    (error,) = [item for item in compiled.diagnostics if item.is_error]
    assert (error.code, error.path, error.line) == ("E410", "demos.1.output", 12)
    assert "Answer: 5" in (error.source_line or "")


def test_an_instruction_that_is_an_answer_by_itself_is_refused(tmp_path: Path) -> None:
    compiled = compiled_with(
        tmp_path,
        ("Work it out and write the number after ####.", "Work it out and write it as in #### 5"),
    )
    assert [(item.code, item.path) for item in compiled.diagnostics if item.is_error] == [
        ("E412", "task.output_format")
    ]


def test_an_instruction_that_names_one_option_in_the_slot_is_refused(tmp_path: Path) -> None:
    before = SPEC[SPEC.index("answer:") : SPEC.index("corpus:")]
    answer = "answer: {type: choice, extract: {tag: answer}, options: [A, B]}\n"
    compiled = compiled_with(
        tmp_path,
        (before, answer),
        ("write the number after ####.", "write it as in <answer>B</answer>."),
        (SPEC[SPEC.index("evaluate:") : SPEC.index("budget:")], ""),
    )
    assert "E412" in [item.code for item in compiled.diagnostics]


def test_demos_from_a_file_are_tested_and_named_by_their_source(tmp_path: Path) -> None:
    demos = SPEC[SPEC.index("demos:") : SPEC.index("corpus:")]
    source = 'demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}\n'
    spec = write_project(tmp_path, SPEC.replace(demos, source))
    write_rows(tmp_path / "demos.jsonl", [{"q": "1+1?", "a": "#### 2"}, {"q": "1+2?", "a": "three"}])
    compiled = compile_spec(spec)
    (error,) = [item for item in compiled.diagnostics if item.is_error]
    assert (error.code, error.path) == ("E410", "demos")
    assert "three" in error.message
    write_rows(tmp_path / "demos.jsonl", [{"q": "1+1? {a}", "a": "#### 2"}])
    plan = compile_spec(spec).plan
    assert plan is not None and plan.parts[0].demos[0].input == "1+1? {a}"


@pytest.mark.parametrize(
    ("text", "code"),
    [('{"q": "x"}\n', "E545"), ("not json\n", "E545"), ("", "E543")],
)
def test_demo_rows_that_cannot_be_used_are_reported(tmp_path: Path, text: str, code: str) -> None:
    demos = SPEC[SPEC.index("demos:") : SPEC.index("corpus:")]
    source = 'demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}\n'
    spec = write_project(tmp_path, SPEC.replace(demos, source))
    (tmp_path / "demos.jsonl").write_text(text)
    assert [item.code for item in compile_spec(spec).diagnostics if item.is_error] == [code]
