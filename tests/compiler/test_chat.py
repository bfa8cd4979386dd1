"""The base model's own chat template, frozen at compile time and rendered in a sandbox."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from sdrl.compiler.chat import ChatTemplate, read_chat_template, render_chat
from sdrl.compiler.compile import compile_spec
from sdrl.compiler.prompts import Prompts
from sdrl.spec.diagnostics import SdrlError
from tests.compiler.project import SPEC, write_project

CHATML = (
    "{%- for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHAT = SPEC.replace("prompt: raw", "prompt: chat, system: Be brief.")


def test_the_answer_prompt_is_rendered_in_the_models_template(tmp_path: Path) -> None:
    spec = write_project(tmp_path, CHAT)
    config = {"chat_template": "{{ bos_token }}" + CHATML, "bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    (tmp_path / "base" / "tokenizer_config.json").write_text(json.dumps(config))
    plan = compile_spec(spec).plan
    assert plan is not None
    text = Prompts(plan).answer(plan.parts[0], "2 + {{ 2 }}?")
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n### Problem\n2 + {{ 2 }}?\n")
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert plan.base.tokens == {"bos_token": "<s>", "eos_token": "</s>"}
    assert plan.base.stop == ()


def test_worked_examples_are_earlier_turns_of_the_chat(tmp_path: Path) -> None:
    spec = write_project(tmp_path, CHAT)
    (tmp_path / "base" / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML}))
    plan = compile_spec(spec).require()
    prompts, part = Prompts(plan), plan.parts[0]
    said = prompts.answer_after(part, part.demos, "What is 4 + 4?")
    roles = [line.removeprefix("<|im_start|>") for line in said.splitlines() if line.startswith("<|im_start|>")]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    assert "assistant\n1 + 1 = 2\n#### 2<|im_end|>" in said
    assert said.endswith(prompts.answer(part, "What is 4 + 4?").split("Be brief.<|im_end|>\n")[1])
    assert prompts.answer_after(part, (), "What is 4 + 4?") == prompts.answer(part, "What is 4 + 4?")


def test_it_agrees_with_transformers(tmp_path: Path) -> None:
    transformers = importlib.import_module("transformers")
    tokenizers = importlib.import_module("tokenizers")
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a")), bos_token="<s>"
    )
    fast.chat_template = CHATML
    messages = [{"role": "system", "content": " x "}, {"role": "user", "content": "{{ y }}\n"}]
    expected = fast.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert render_chat(CHATML, messages, {"bos_token": "<s>"}) == expected


def test_the_template_file_wins_over_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "old"}))
    (tmp_path / "chat_template.jinja").write_text("new")
    assert read_chat_template(tmp_path) == ChatTemplate("new")


def test_a_model_without_a_chat_template_is_a_diagnostic(tmp_path: Path) -> None:
    compiled = compile_spec(write_project(tmp_path, CHAT))
    assert [item.code for item in compiled.diagnostics if item.is_error] == ["E548"]


def test_a_hub_model_leaves_its_template_pending(tmp_path: Path) -> None:
    compiled = compile_spec(write_project(tmp_path, CHAT.replace("./base", "owner/name")))
    assert compiled.plan is not None, compiled.diagnostics
    assert compiled.plan.pending == (
        "models.base: hub model owner/name@main",
        "models.base: chat template of owner/name",
    )


@pytest.mark.parametrize("source", ["{{ raise_exception('no system message') }}", "{{ messages.x.y }}", "{% if %}"])
def test_a_template_that_refuses_is_one_clear_error(source: str) -> None:
    with pytest.raises(SdrlError, match="E305"):
        render_chat(source, [{"role": "user", "content": "x"}], {})
