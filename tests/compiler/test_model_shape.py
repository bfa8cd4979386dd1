"""Shapes of models: counted exactly against transformers' own tensors and against the counts that hubs publish."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdrl.compiler.model_shape import COUNTED, known_shape, read_shape, shape_of

SMALL = {
    "vocab_size": 100,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# Parameters as the hub's safetensors index of each model states them.
PUBLISHED = {
    "Qwen/Qwen2.5-0.5B": 494_032_768,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B": 3_085_938_688,
    "Qwen/Qwen2.5-7B": 7_615_616_512,
    "Qwen/Qwen2.5-Math-7B": 7_615_616_512,
    "Qwen/Qwen2.5-14B": 14_770_033_664,
    "Qwen/Qwen2.5-Coder-32B": 32_763_876_352,
    "Qwen/Qwen3-8B": 8_190_735_360,
    "meta-llama/Meta-Llama-3.1-8B": 8_030_261_248,
    "meta-llama/Llama-3.2-1B": 1_235_814_400,
    "mistralai/Mistral-7B-v0.3": 7_248_023_552,
    "google/gemma-2-2b": 2_614_341_888,
    "HuggingFaceTB/SmolLM2-135M": 134_515_008,
}


CASES: list[tuple[str, dict[str, bool]]] = [
    *((kind, changes) for kind in COUNTED for changes in ({}, {"tie_word_embeddings": True})),
    ("llama", {"attention_bias": True, "mlp_bias": True}),  # only llama has biases to switch on
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "changes"), CASES)
def test_every_tensor_that_transformers_makes_is_counted(kind: str, changes: dict[str, bool]) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **SMALL, **changes)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shape = read_shape(config.to_dict())
    assert shape is not None
    assert shape.parameters == sum(each.numel() for each in model.parameters())


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_well_known_models_have_their_published_counts(name: str, parameters: int) -> None:
    shape = known_shape(name)
    assert shape is not None
    assert shape.parameters == parameters


@pytest.mark.parametrize("name", ["gpt-4o", "Qwen/Qwen2.5-70", "deepseek-ai/DeepSeek-V3", "Qwen/Qwen2.5-7Bx", ""])
def test_a_name_that_only_resembles_one_is_not_known(name: str) -> None:
    assert known_shape(name) is None


@pytest.mark.parametrize(
    "config",
    [
        "{",
        "[]",
        "{}",
        '{"model_type": "mamba"}',
        '{"model_type": "qwen2", "hidden_size": "wide"}',
        '{"model_type": []}',
    ],
)
def test_a_config_that_says_too_little_has_no_shape(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    assert shape_of("Qwen/Qwen2.5-7B", tmp_path) is None


def test_a_folder_says_more_than_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "tie_word_embeddings": False, **SMALL}))
    shape = shape_of("Qwen/Qwen2.5-7B", tmp_path)
    assert shape is not None
    assert (shape.kind, shape.layers, shape.cache_bytes()) == ("llama", 3, 2 * 3 * 2 * 16 * 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "down_proj"]])
def test_adapters_have_the_parameters_that_peft_gives_them(targets: str | list[str]) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model("qwen2", **SMALL, tie_word_embeddings=True)
    model = get_peft_model(
        AutoModelForCausalLM.from_config(config), LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM")
    )
    shape = read_shape(config.to_dict())
    assert shape is not None
    assert shape.adapter_parameters(4, targets) == sum(p.numel() for p in model.parameters() if p.requires_grad)
