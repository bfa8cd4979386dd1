"""Five well-known chat templates, byte for byte: what the base model would be sent.

The templates are read from the installed trl (Apache-2.0), which keeps the originals of the model repositories.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.chat import read_chat_template, render_chat
from sdrl.compiler.compile import compile_spec
from sdrl.compiler.prompts import Prompts
from sdrl.spec.diagnostics import SdrlError
from tests.compiler.project import SPEC, write_project

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "What is 2 + {{ 2 }}?\nWrite the number after ####."}
QUESTION = "What is 2 + {{ 2 }}?\nWrite the number after ####."
BOS = {"llama3_1": "<|begin_of_text|>", "gemma": "<bos>"}
OPTIONS: dict[str, dict[str, Any]] = {"off": {"enable_thinking": False}, "on": {"enable_thinking": True}, "": {}}

# (template, system message, options) -> the text, without the begin token that these tokenizers add
GOLDEN = {
    ("qwen2_5", True, ""): (
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    ),
    ("qwen2_5", False, ""): (
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
        f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    ),
    ("qwen3", True, ""): (
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"
    ),
    ("qwen3", False, "on"): f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n",
    ("qwen3", False, "off"): (
        f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    ),
    ("llama3_1", True, ""): (
        "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
        f"{QUESTION}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    ("llama3_1", False, ""): (
        "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
        f"{QUESTION}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    ("gemma", False, ""): f"<start_of_turn>user\n{QUESTION}<end_of_turn>\n<start_of_turn>model\n",
    ("phi3", True, ""): f"<|system|>\nBe brief.<|end|>\n<|user|>\n{QUESTION}<|end|>\n<|assistant|>\n",
    ("phi3", False, ""): f"<|user|>\n{QUESTION}<|end|>\n<|assistant|>\n",
}


def source(name: str) -> str:
    spec = importlib.util.find_spec("trl")
    assert spec is not None and spec.submodule_search_locations is not None
    return (Path(spec.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def tokens(name: str) -> dict[str, str]:
    return {"bos_token": BOS[name]} if name in BOS else {}


@pytest.mark.parametrize(("name", "has_system", "thinking"), GOLDEN)
def test_a_well_known_template_gives_these_bytes(name: str, has_system: bool, thinking: str) -> None:
    messages = [SYSTEM, USER] if has_system else [USER]
    text = render_chat(source(name), messages, tokens(name), OPTIONS[thinking])
    assert text == GOLDEN[name, has_system, thinking]


@pytest.mark.parametrize(("name", "has_system", "thinking"), GOLDEN)
def test_transformers_renders_the_same(name: str, has_system: bool, thinking: str) -> None:
    fast = tokenizer(["a"], tokens(name).get("bos_token"))
    fast.chat_template = source(name)
    messages = [SYSTEM, USER] if has_system else [USER]
    theirs = fast.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **OPTIONS[thinking])
    assert theirs == tokens(name).get("bos_token", "") + GOLDEN[name, has_system, thinking]


def test_a_template_that_allows_no_system_message_says_so() -> None:
    with pytest.raises(SdrlError, match="System role not supported"):
        render_chat(source("gemma"), [SYSTEM, USER], tokens("gemma"))


def tokenizer(words: list[str], bos: str | None, *, adds_bos: bool = False) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(dict.fromkeys([*words, *([bos] if bos else []), "<eos>"]))}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token=words[0]))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if adds_bos:
        raw.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, vocabulary[bos])])
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token=bos, eos_token="<eos>")


@pytest.mark.parametrize("adds_bos", [True, False])
def test_the_model_reads_one_begin_token_whoever_adds_it(tmp_path: Path, adds_bos: bool) -> None:
    made = tokenizer(["a", "b"], "<bos>", adds_bos=adds_bos)
    made.chat_template = source("gemma")
    made.save_pretrained(tmp_path)
    found = read_chat_template(tmp_path)
    assert found is not None and found.keeps_bos is not adds_bos
    ours = render_chat(found.source, [USER], found.tokens, keeps_bos=found.keeps_bos)
    theirs = made.apply_chat_template([USER], add_generation_prompt=True, tokenize=True)["input_ids"]
    assert made(ours)["input_ids"] == theirs
    assert theirs.count(made.bos_token_id) == 1


def test_the_token_that_ends_a_turn_is_found_where_the_folder_does_not_name_it(tmp_path: Path) -> None:
    made = tokenizer(["a", "b"], None)
    made.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|end|>"]})
    made.chat_template = source("phi3")
    made.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": made.eos_token_id}))
    end = made.convert_tokens_to_ids("<|end|>")
    found = read_chat_template(tmp_path)
    assert found is not None and found.end_ids == (end,)
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": [made.eos_token_id, end]}))
    named = read_chat_template(tmp_path)
    assert named is not None and named.end_ids == ()


def test_template_options_are_a_value_of_the_prompt_key_and_reach_the_prompt(tmp_path: Path) -> None:
    text = SPEC.replace("prompt: raw", "prompt: {kind: chat, options: {enable_thinking: false}}")
    spec = write_project(tmp_path, text)
    (tmp_path / "base" / "chat_template.jinja").write_text(source("qwen3"))
    plan = compile_spec(spec).require()
    answer = Prompts(plan).answer(plan.parts[0], "2 + 2?")
    assert answer.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    thinking = compile_spec(write_project(tmp_path, text.replace("false", "true"))).require()
    assert Prompts(thinking).answer(plan.parts[0], "2 + 2?").endswith("<|im_start|>assistant\n")
    assert plan.stage("probe").hash != thinking.stage("probe").hash
    plain = compile_spec(write_project(tmp_path, SPEC.replace("prompt: raw", "prompt: chat"))).require()
    assert plain.settings.models is not None and plain.settings.models.base.prompt.options == {}
