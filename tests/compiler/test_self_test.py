"""The self-test: findings point at the demo or the instruction that is wrong, before anything is paid for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.compiler.self_test import MOST_S, TRIES, self_test
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.loader import load_spec
from sdrl.spec.render import render_text
from sdrl.verifier import Extraction, Judgement
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
    assert plan.self_test == {"demos": 2, "mutants": 16, "instructions": 4}


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


def said(compiled: Compiled) -> str:
    """The errors as a user reads them, without the folder."""
    errors = [item for item in compiled.diagnostics if item.is_error]
    return render_text(errors).replace(f"{compiled.base_dir}/", "")


DEMOS = SPEC[SPEC.index("demos:") : SPEC.index("corpus:")]
ANSWER = SPEC[SPEC.index("answer:") : SPEC.index("demos:")]
EVALUATE = SPEC[SPEC.index("evaluate:") : SPEC.index("budget:")]
CHOICE = "answer: {type: choice, extract: {tag: answer}, options: [A, B]}\n"


def test_the_slot_of_a_demo_is_underlined_in_a_literal_block(tmp_path: Path) -> None:
    block = """\
demos:
  - input: What is 1 + 1?
    output: |
      We add.

      #### a few
"""
    assert (
        said(compiled_with(tmp_path, (DEMOS, block)))
        == """\
sums.yaml:15:12: E410 the demo's output 'We add. #### a few' has no answer that the verifier can read: the slot holds \
no value of this type
  15 |       #### a few
     |            ^^^^^
  help: write it as task.output_format says, or change answer.extract to what the outputs look like
"""
    )


def test_the_slot_of_a_demo_is_underlined_in_a_folded_block_and_in_quotes(tmp_path: Path) -> None:
    folded = "demos:\n  - input: q\n    output: >-\n      We add\n      and find\n\n      #### nothing\n"
    text = said(compiled_with(tmp_path, (DEMOS, folded)))
    assert "sums.yaml:16:12: E410" in text and "  16 |       #### nothing\n     |            ^^^^^^^\n" in text
    quoted = """demos: [{input: "q", output: 'It''s this: \n\n    #### nothing'}]\n"""
    text = said(compiled_with(tmp_path, (DEMOS, quoted)))
    assert "  12 |     #### nothing'}]\n     |          ^^^^^^^\n" in text


def test_the_value_in_an_instruction_that_would_be_rewarded_is_underlined(tmp_path: Path) -> None:
    change = (
        '"Work it out and write the number after ####."',
        "|\n    Work it out and write\n    the number as #### 5\n",
    )
    assert (
        said(compiled_with(tmp_path, change))
        == """\
sums.yaml:7:24: E412 repeating the instruction alone counts as the right answer '5'
  7 |     the number as #### 5
    |                        ^
  help: say the form without an example value in it, such as '<answer> the letter </answer>'
"""
    )


def test_an_example_value_beside_a_parameter_is_underlined_too(tmp_path: Path) -> None:
    compiled = compiled_with(
        tmp_path,
        ("write the number after ####.", "write the {{kind}} of {kind} after ####, say #### 5"),
        ("answer:\n", "params: {kind: number}\nanswer:\n"),
    )
    (error,) = [item for item in compiled.diagnostics if item.is_error]
    line = error.source_line or ""
    assert error.code == "E412" and line[(error.column or 0) - 1 : (error.end_column or 0) - 1] == "5"


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("Question answering about sums; add the numbers.", '"Add, and write #### 5"', "task.description"),
        (
            "  license: CC0-1.0\nanswer",
            '  license: CC0-1.0\n  input_format: "One sum. #### 5"\nanswer',
            "task.input_format",
        ),
        ("What is 2 + 3?", "What is 2 + 3? Not #### 5", "demos.1.input"),
    ],
)
def test_no_text_of_the_task_may_hold_a_right_answer(tmp_path: Path, before: str, after: str, path: str) -> None:
    (error,) = [item for item in compiled_with(tmp_path, (before, after)).diagnostics if item.is_error]
    assert (error.code, error.path) == ("E412", path)
    assert (error.source_line or "")[(error.column or 0) - 1] == "5"


def test_a_row_of_a_file_of_demos_is_shown_in_its_file(tmp_path: Path) -> None:
    source = 'demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}\n'
    spec = write_project(tmp_path, SPEC.replace(DEMOS, source))
    rows = [{"q": "1+1?", "a": "1 + 1 = 2\n#### 2"}, {"q": "1+2?", "a": "it is\n#### three é"}]
    write_rows(tmp_path / "demos.jsonl", rows)
    assert (
        said(compile_spec(spec))
        == """\
demos.jsonl:2:33: E410 the demo's output 'it is #### three é' has no answer that the verifier can read: the slot holds \
no value of this type
  2 | {"q": "1+2?", "a": "it is\\n#### three \\u00e9"}
    |                                 ^^^^^^^^^^^^
  help: write it as task.output_format says, or change answer.extract to what the outputs look like
"""
    )


def test_a_row_of_a_list_in_json_is_named_by_its_number(tmp_path: Path) -> None:
    source = 'demos: {files: [demos.json], input: "{q}", output: "{a}"}\n'
    spec = write_project(tmp_path, SPEC.replace(DEMOS, source))
    (tmp_path / "demos.json").write_text('[{"q": "1", "a": "#### 1"}, {"q": "2", "a": "two"}]')
    text = said(compile_spec(spec))
    assert text.startswith("sums.yaml:10:1: E410 demos.json row 2: ")


class FakeClock:
    """A clock that stands still but when somebody turns it."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class LooseVerifier:
    """A fake verifier that calls everything correct, and is slow the first ``slow`` times it reads a long text."""

    def __init__(self, clock: FakeClock | None = None, slow: int = 0) -> None:
        self.clock, self.slow = clock, slow

    def extract(self, text: str, options: object = None) -> Extraction:
        if len(text) > 1000 and self.slow:
            assert self.clock is not None
            self.slow -= 1
            self.clock.now += 2 * MOST_S
        at = text.find("####")
        return Extraction(None) if at < 0 else Extraction(text[at + 4 :].strip(), (at + 4, len(text)))

    def judge(self, text: str, gold: str, options: object = None) -> Judgement:
        return Judgement(prediction=gold, verdict="correct", reason="")

    def same(self, one: str, other: str) -> bool:
        return one == other


def loosely_tested(folder: Path, verifier: LooseVerifier, kind: str = "number") -> list[Diagnostic]:
    loaded = load_spec(write_project(folder))
    findings = Findings(loaded)
    program = {"type": kind, "extract": {"kind": "marker", "marker": "####"}, "options": None}
    demos = tuple(Sample(demo.input, demo.output) for demo in loaded.require().demos)  # type: ignore[union-attr]
    parts = [PartPlan("all", 1.0, "Add.", None, "Say it.", demos)]
    self_test(loaded.require(), parts, {}, program, verifier, findings)  # type: ignore[arg-type]
    return [item for item in findings.items if item.is_error]


def test_a_verifier_that_rewards_another_answer_or_none_is_found_out(tmp_path: Path) -> None:
    found = {(item.code, item.path): item.message for item in loosely_tested(tmp_path, LooseVerifier())}
    assert "with an empty slot" in found["E414", "demos.0.output"]
    assert {code for code, _ in found} == {"E412", "E414"}


@pytest.mark.parametrize(("kind", "slow", "found"), [
    ("program", 1000, True),
    ("program", TRIES, True),
    ("program", TRIES - 1, False),  # the machine stood still, and then went on
    ("number", 1000, False),  # bounded already
])  # fmt: skip
def test_a_verifier_of_ones_own_that_can_be_held_up_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, slow: int, found: bool
) -> None:
    clock = FakeClock()
    monkeypatch.setattr("sdrl.compiler.self_test.time", clock)
    slows = [item for item in loosely_tested(tmp_path, LooseVerifier(clock, slow), kind) if item.code == "E413"]
    assert bool(slows) is found
    for each in slows:
        assert each.path == "answer" and "20,000 characters like '99999999'" in each.message


@pytest.mark.parametrize("extract", ["{marker: '####'}", "{tag: answer}", "{boxed: true}"])
def test_what_the_shipped_verifiers_read_passes_every_mutant(tmp_path: Path, extract: str) -> None:
    forms = {"{marker: '####'}": "#### {}", "{tag: answer}": "<answer>{}</answer>", "{boxed: true}": "\\\\boxed{{{}}}"}
    outputs = [forms[extract].format(letter) for letter in "AB"]
    demos = "demos:\n" + "".join(f'  - {{input: "q{o[-2:-1]}", output: "so {o}"}}\n' for o in outputs)
    answer = CHOICE.replace("{tag: answer}", extract)
    says = {
        "{marker: '####'}": "after ####",
        "{tag: answer}": "between <answer> and </answer>",
        "{boxed: true}": "boxed",
    }
    instruction = f"Write the letter {says[extract]}"
    compiled = compiled_with(
        tmp_path,
        (DEMOS, demos),
        (ANSWER, answer),
        (EVALUATE, ""),
        ("Work it out and write the number after ####", instruction),
    )
    assert [item.code for item in compiled.diagnostics if item.is_error] == []
    assert compiled.plan is not None
    assert compiled.plan.self_test["mutants"] == 18  # of two demos: five forms, and four that are wrong
