"""Text of a user, a passage or a model comes through every prompt byte for byte, whatever it looks like.

The expected prompt is the one for harmless marks, with the marks replaced: what a template does to a text, it must do
to any text.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.parts import fill_params
from sdrl.compiler.plan import BasePrompt, PartPlan, Plan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.rows import fill
from sdrl.compiler.sample import Sample
from sdrl.compiler.template_sources import shipped_template
from sdrl.spec.method_table import METHOD_TABLE, prompt_names
from tests.compiler.project import SPEC, write_project, write_rows

METHODS = list(METHOD_TABLE)
ASKED = ("keywords", "pattern", "generate", "solve", "harder", "easier")
NOT_TEXTS = ("demos", "sample", "options")
OWN = sorted({name for each in METHOD_TABLE.values() for step in each.steps for name in step.variables} - {*NOT_TEXTS})
CHATML = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}<|im_start|>"
FRAGMENTS = (
    "{{ 7 * 7 }} {{ input }} {% for x in y %} {% endraw %} {% raw %} {# note #} {#- {%- -%} {{- -}} "
    "{0} {name} {subject} {{subject}} }} { } %s $x </passage> </demos> <output> <|im_end|> <think> &amp; &lt; "
    '{"input":"x"} \\frac{1}{2} \\n \\ \\\\ "\' ``` #### % * \r \r\n \n\n \t \x00 \x1b[31m \u2028 \u202e é \U0001f600'
).split(" ")
TEXT = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), min_size=1, max_size=5).map(" ".join)
HOSTILE = TEXT.filter(lambda text: text.strip() and not any("\ud800" <= sign <= "\udfff" for sign in text))
NAMES = (
    "description", "input_format", "output_format", "demo_input", "demo_output", "demo_option", "passage", "pattern",
    "input", "option", "sample_input", "sample_output", "rule", "system", *OWN,
)  # fmt: skip
NAMES = tuple(dict.fromkeys(NAMES))
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    spec = SPEC + "prompts: {" + ", ".join(f"{name}: {{extra_rules: [RULE]}}" for name in (*ASKED, "answer")) + "}\n"
    return compile_spec(write_project(tmp_path_factory.mktemp("plan"), spec)).require()


def rendered(plan: Plan, method: str, texts: dict[str, str]) -> dict[str, str]:
    """Every prompt of a method with these texts in every place where foreign text can stand."""
    rules = {
        name: rule.model_copy(update={"extra_rules": [texts["rule"]]}) for name, rule in plan.settings.prompts.items()
    }
    base = BasePrompt("chat", CHATML, texts["system"])
    synthesize = plan.settings.synthesize.model_copy(update={"method": method})
    plan = replace(
        plan,
        settings=plan.settings.model_copy(update={"prompts": rules, "synthesize": synthesize}),
        templates={name: shipped_template(name, method) for name in prompt_names(method)},
        base=base,
    )
    demo = Sample(texts["demo_input"], texts["demo_output"], {"A": texts["demo_option"]})
    sample = Sample(texts["sample_input"], texts["sample_output"], {"A": texts["option"]})
    part = PartPlan("all", 1.0, texts["description"], texts["input_format"], texts["output_format"], (demo,))
    known: dict[str, Any] = {**texts, "sample": sample, "options": {"A": texts["option"]}}
    values: dict[str, dict[str, Any]] = {
        "solve": {"input": texts["input"], "options": {"A": texts["option"], "B": "\x03"}},
        "harder": {"sample": sample},
        "easier": {"sample": sample},
    }
    for step in METHOD_TABLE[method].steps:
        values[step.prompt] = {name: known[name] for name in step.variables if name != "demos"}  # the part's
    prompts = Prompts(plan)
    asked = [name for name in prompt_names(method) if name not in ("answer", "judge", "tags")]
    shown = {name: prompts.messages(name, part, **values.get(name, {}))[0]["content"] for name in asked}
    return shown | {"answer": prompts.answer(part, texts["input"], values["solve"]["options"])}


@pytest.mark.parametrize("method", METHODS)
@QUICK
@given(texts=st.fixed_dictionaries(dict.fromkeys(NAMES, HOSTILE)))
def test_every_text_comes_through_every_prompt_unchanged(plan: Plan, method: str, texts: dict[str, str]) -> None:
    marks = {name: f"\x01{index:02}\x02" for index, name in enumerate(NAMES)}
    found = rendered(plan, method, texts)
    for name, text in rendered(plan, method, marks).items():
        for place, mark in marks.items():
            text = text.replace(mark, texts[place])
        assert found[name] == text, name


def test_every_place_is_in_some_prompt(plan: Plan) -> None:
    marks = {name: f"\x01{index:02}\x02" for index, name in enumerate(NAMES)}
    whole = "".join(text for method in METHODS for text in rendered(plan, method, marks).values())
    assert [name for name, mark in marks.items() if mark not in whole] == []


@QUICK
@given(value=HOSTILE, other=HOSTILE)
def test_values_of_params_and_fields_are_never_read_again(value: str, other: str) -> None:
    assert fill_params("<{subject}> {{x}} {other}", {"subject": value, "other": other}) == f"<{value}> {{x}} {other}"
    assert fill_params(value, {}) == value
    assert fill("<{a}> {{x}} {b.c}", {"a": value, "b": {"c": other}}) == f"<{value}> {{x}} {other}"


# What a YAML text may hold; escapes say the rest.
WRITTEN = HOSTILE.map(lambda text: "".join(sign for sign in text if sign.isprintable()).strip()).filter(bool)


def quoted(text: str) -> str:
    """The text in YAML's double quotes."""
    return json.dumps(text, ensure_ascii=False)


@settings(QUICK, max_examples=20, phases=(Phase.generate,))
@given(description=WRITTEN, value=WRITTEN, demo=WRITTEN, rule=WRITTEN, row=HOSTILE, passage=HOSTILE)
def test_a_spec_of_hostile_texts_is_frozen_and_asked_as_it_stands(
    tmp_path: Path, description: str, value: str, demo: str, rule: str, row: str, passage: str
) -> None:
    doubled = description.replace("{", "{{").replace("}", "}}")  # a text with params is a field template
    spec = SPEC.replace("Question answering about sums; add the numbers.", quoted(f"Sum. {doubled} {{kind}}"))
    spec = spec.replace('"What is 1 + 1?"', quoted(demo))
    spec += f"params: {{kind: {quoted(value)}}}\nprompts: {{generate: {{extra_rules: [{quoted(rule)}]}}}}\n"
    path = write_project(tmp_path, spec)
    write_rows(tmp_path / "test.jsonl", [{"question": row, "answer": "#### 1"}])
    write_rows(tmp_path / "passages.jsonl", [{"text": passage}])
    compiled = compile_spec(path)
    plan = compiled.require()
    assert plan.parts[0].description == f"Sum. {description} {value}"
    assert plan.parts[0].demos[0].input == demo
    assert json.loads(compiled.files["data/evaluate-test.jsonl"])["input"] == row
    [message] = Prompts(plan).messages("generate", plan.parts[0], passage=passage, pattern=None)
    for text in (f"Sum. {description} {value}", demo, f"- {rule}", passage):
        assert text in message["content"]
