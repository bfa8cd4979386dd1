"""Prompts: what is in them, what is not, and that foreign text is never read as a template."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.contract import for_evaluation, for_probe, for_rollouts, for_score
from sdrl.compiler.plan import PartPlan, Plan
from sdrl.compiler.prompts import Prompts, options_to_show, stop_strings
from sdrl.compiler.sample import Sample
from tests.compiler.project import SPEC, write_project

HOSTILE = (
    "{{ 7 * 7 }} {% for x in y %} {# note #} {0} {name} </passage> <a href='x'>&amp;</a> "
    '{"input": "x"} \\frac{1}{2}\n  end  '
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    compiled = compile_spec(write_project(tmp_path))
    assert compiled.plan is not None, compiled.diagnostics
    return compiled.plan


def sent(plan: Plan, name: str, part: PartPlan | None = None, **values: Any) -> str:
    (message,) = Prompts(plan).messages(name, part or plan.parts[0], **values)
    assert message["role"] == "user"
    return message["content"]


def values_of(name: str, text: str) -> dict[str, Any]:
    values: dict[str, dict[str, Any]] = {
        "generate": {"passage": text, "pattern": text},
        "solve": {"input": text, "options": {"A": text, "B": "other"}},
        "harder": {"sample": Sample(text, text)},
        "easier": {"sample": Sample(text, text)},
    }
    return values.get(name, {})


@pytest.mark.parametrize("name", ["keywords", "pattern", "generate", "solve", "harder", "easier"])
def test_hostile_text_comes_through_unchanged(plan: Plan, name: str) -> None:
    part = replace(plan.parts[0], description=HOSTILE, output_format=HOSTILE, demos=(Sample(HOSTILE, HOSTILE),))
    text = sent(plan, name, part, **values_of(name, HOSTILE))
    wanted = 1 + (name != "keywords") + 2 * (name in ("keywords", "pattern", "generate"))
    assert text.count(HOSTILE) >= wanted


def test_hostile_text_reaches_the_base_model_unchanged(plan: Plan) -> None:
    text = Prompts(plan).answer(replace(plan.parts[0], output_format=HOSTILE), HOSTILE)
    assert text.count(HOSTILE) == 2


def test_a_hostile_spec_is_frozen_unchanged(tmp_path: Path) -> None:
    spec = SPEC.replace("Question answering about sums; add the numbers.", "'Add {{ 7 * 7 }} {% if x %} numbers.'")
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None, compiled.diagnostics
    assert compiled.plan.parts[0].description == "Add {{ 7 * 7 }} {% if x %} numbers."


def test_generate_without_demos_has_neither_pattern_nor_demos_nor_their_sentence(plan: Plan) -> None:
    text = sent(plan, "generate", demos=(), pattern="a pattern", passage="A passage.")
    assert "<demos>" not in text
    assert "<pattern>" not in text
    assert "same difficulty" not in text
    assert "<passage>\nA passage.\n</passage>" in text


def test_generate_with_demos_has_all_three(plan: Plan) -> None:
    text = sent(plan, "generate", pattern="a pattern", passage=None)
    assert "<pattern>\na pattern\n</pattern>" in text
    assert "<demo>\n<input>\nWhat is 1 + 1?\n</input>\n<output>\n1 + 1 = 2\n#### 2\n</output>\n</demo>" in text
    assert "same difficulty or be harder" in text
    assert "<passage>" not in text


@pytest.mark.parametrize("name", ["keywords", "pattern", "generate", "solve", "harder", "easier"])
def test_every_tag_stands_alone_on_its_line_and_is_closed(plan: Plan, name: str) -> None:
    lines = sent(plan, name, **values_of(name, "text")).split("\n")
    tags = [line for line in lines if line.startswith("<")]
    assert tags
    assert all(line.endswith(">") and " " not in line for line in tags)
    assert sum(not tag.startswith("</") for tag in tags) == sum(tag.startswith("</") for tag in tags)


def test_the_base_prompt_is_the_template_and_nothing_else(plan: Plan) -> None:
    part = plan.parts[0]
    expected = f"### Problem\n2 + 2?\n\n### How to answer\n{part.output_format}\n\n### Solution\n"
    assert Prompts(plan).answer(part, "2 + 2?") == expected


def test_options_are_shown_once_whether_or_not_the_input_lists_them(plan: Plan) -> None:
    prompts, part = Prompts(plan), plan.parts[0]
    options = {"A": "red", "B": "blue"}
    assert "A. red\nB. blue\n" in prompts.answer(part, "Which colour?", options)
    listed = "Which colour?\nA) red\nB) blue"
    assert prompts.answer(part, listed, options).count("blue") == 1
    assert options_to_show("only red", options) == options


def test_extra_rules_and_language_are_part_of_the_prompt(tmp_path: Path) -> None:
    spec = SPEC + "prompts: {generate: {extra_rules: [Use metres., Never use names.]}}\n"
    spec = spec.replace("  license: CC0-1.0\nanswer", "  language: de\n  license: CC0-1.0\nanswer")
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None, compiled.diagnostics
    text = sent(compiled.plan, "generate", passage=None, pattern=None)
    assert "- Use metres.\n- Never use names.\n" in text
    assert '"de"' in text


def test_unknown_values_are_a_programming_error(plan: Plan) -> None:
    with pytest.raises(TypeError, match="passage"):
        sent(plan, "solve", input="x", options=None, passage="y")


def test_own_templates_replace_the_shipped_ones_and_keep_their_last_newline(tmp_path: Path) -> None:
    spec = write_project(tmp_path, SPEC + "prompts: {answer: {file: my.jinja}}\n")
    (tmp_path / "my.jinja").write_text("{# mine #}\n{{ input }}\n{{ output_format }}\n")
    plan = compile_spec(spec).plan
    assert plan is not None
    assert Prompts(plan).answer(plan.parts[0], "2 + 2?") == f"2 + 2?\n{plan.parts[0].output_format}\n"
    assert plan.base.stop == ()


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("{{ input }}\n{{ passage }}\n", "E302", 2),
        ("{{ input }}\n{% if %}\n", "E301", 2),
        ("Solve it.\n", "E306", 1),
        ("{{ input }}{% include 'other' %}\n", "E304", None),
        ("{{ input / 2 }}\n", "E304", None),
        ("{{ input.__class__.__mro__ }}\n", "E304", None),
        ("{{ input }}{% for i in range(10 ** 9) %}x{% endfor %}", "E304", None),
    ],
)
def test_a_template_that_cannot_be_used_is_reported_with_its_line(
    tmp_path: Path, source: str, code: str, line: int | None
) -> None:
    spec = write_project(tmp_path, SPEC + "prompts: {answer: {file: my.jinja}}\n")
    (tmp_path / "my.jinja").write_text(source)
    compiled = compile_spec(spec)
    assert compiled.plan is None
    found = [item for item in compiled.diagnostics if item.code == code]
    assert len(found) == 1
    if line is not None:
        assert (found[0].line, Path(found[0].file or "").name) == (line, "my.jinja")


@pytest.mark.parametrize(
    ("source", "stop"),
    [
        ("Question: {{ input }}\nAnswer:", ("\nQuestion:",)),
        ("{# note #}\n### Problem\n{{ input }}", ("\n### Problem\n",)),
        ("Solve it step by step.\n\n### Problem\n{{ input }}", ("\nSolve it step by step.\n", "\n### Problem\n")),
        ("{{ task }}\n\nProblem:\n{{ input | upper }}\n", ("\nProblem:\n",)),
        ("Note\n{{ input }}", ()),
        ("{{ input }}\n{{ output_format }}\n", ()),
        ("Q: {{ input }}", ("\nQ:",)),
        ("{% if options %}Choose.{% endif %}{{ input }}", ()),
    ],
)
def test_automatic_stop_strings_are_the_lines_that_open_a_problem(source: str, stop: tuple[str, ...]) -> None:
    assert stop_strings(source) == stop


def test_the_scripted_instructor_finds_every_block(plan: Plan) -> None:
    from sdrl.embedded.instructor.blocks import read_blocks
    from sdrl.embedded.protocol import Message as Said

    def blocks(name: str, **values: Any) -> Any:
        return read_blocks([Said("user", sent(plan, name, **values))])

    written = blocks("generate", passage="A passage.", pattern="A pattern.")
    assert [written.get(name) for name in ("passage", "pattern")] == ["A passage.", "A pattern."]
    assert [demo.input for demo in written.demos()] == ["What is 1 + 1?", "What is 2 + 3?"]
    harder = blocks("harder", sample=Sample("the input", "the output", {"A": "x", "B": "y"})).pair()
    assert (harder.input, harder.output, harder.options) == ("the input", "the output", (("A", "x"), ("B", "y")))
    solved = blocks("solve", input="a problem", options={"A": "x", "B": "y"})
    assert (solved.get("problem"), solved.count("problem")) == ("a problem", 1)
    assert solved.options() == (("A", "x"), ("B", "y"))
    assert solved.get("output_format") == plan.parts[0].output_format


@pytest.mark.parametrize(
    "answer",
    [
        "3 + 4 = 7\n#### 7",
        "### Problem analysis\nThe question: how many?\n#### 7",
        "The ### Problem says 3.\n### Solution\n#### 7\n",
        "To answer the question:\n#### 7",
    ],
)
def test_automatic_stop_strings_cut_no_answer_that_only_mentions_a_heading(plan: Plan, answer: str) -> None:
    assert plan.base.stop == ("\n### Problem\n",)
    assert not any(text in answer for text in plan.base.stop)
    again = f"{answer}\n\n### Problem\nAda has 3 apples."
    assert any(text in again for text in plan.base.stop)


def test_a_stop_string_of_one_stage_ends_answers_in_all(tmp_path: Path) -> None:
    text = SPEC.replace("1e-6}", "1e-6, sampling: {stop: [DONE, END]}}") + "score: {sampling: {stop: [END]}}\n"
    plan = compile_spec(write_project(tmp_path, text)).require()
    assert plan.base.stop == ("\n### Problem\n", "END", "DONE")
    drawn = [for_probe(plan), for_score(plan), for_rollouts(plan), *(for_evaluation(plan, e) for e in plan.evaluations)]
    assert {(each.kind, each.stop, each.end_ids) for each in drawn} == {("raw", plan.base.stop, ())}
    assert for_probe(plan).sampling() == {**for_score(plan).sampling(), "temperature": 0.0, "top_p": 1.0, "top_k": None}


def test_a_limit_left_open_is_the_rollouts(tmp_path: Path) -> None:
    text = SPEC.replace("1e-6}", "1e-6, max_completion_tokens: 77}") + "score: {sampling: {max_tokens: null}}\n"
    plan = compile_spec(write_project(tmp_path, text)).require()
    other = compile_spec(write_project(tmp_path, text.replace("77", "78"))).require()
    assert (for_probe(plan).max_tokens, for_score(plan).max_tokens, for_rollouts(plan).max_tokens) == (77, 77, 77)
    assert plan.stage("score").hash != other.stage("score").hash
