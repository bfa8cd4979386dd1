"""Memory by part: against the tensors that torch holds on this CPU, and against published figures of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdrl.compiler.memory import GB, Load, activations, memory, serving
from sdrl.compiler.model_shape import ModelShape, known_shape, read_shape

# The first Qwen models, whose training is measured in their repository.
QWEN = {
    "1.8B": ModelShape("qwen2", 24, 2048, 16, 16, 128, 5504, 151936, is_tied=False),
    "7B": ModelShape("qwen2", 32, 4096, 32, 32, 128, 11008, 151936, is_tied=False),
    "14B": ModelShape("qwen2", 40, 5120, 40, 40, 128, 13696, 152064, is_tied=False),
    "72B": ModelShape("qwen2", 80, 8192, 64, 64, 128, 24576, 152064, is_tied=False),
}
LENGTHS = (256, 512, 1024, 2048, 4096, 8192)
# GB over all GPUs by length. Source: github.com/QwenLM/Qwen, recipes/finetune/deepspeed/readme.md ("Profiling of Memory
# and Speed"): A100 80 GB, one row a batch, flash attention, checkpointing; adapters of rank 64.
ADAPTERS = {
    "1.8B": (6.7, 7.4, 8.4, 11.0, 16.2, 21.8),
    "7B": (20.1, 20.4, 21.5, 23.8, 29.7, 36.6),
    "14B": (34.6, 35.1, 35.3, 37.4, 42.5, 55.2),
}
SHARDED_ADAPTERS = (215.4, 217.7, 222.6, 228.8, 249.0, 289.2)  # 72B, ZeRO-3 on four GPUs
ALL_WEIGHTS = {"1.8B": (1, (43.5, 43.5, 43.5, 43.5, 47.1, 48.3)), "7B": (2, (139.2, 148.0, 162.0))}  # GPUs, GB
GIVEN = Load(1, 1, 256, 0, is_online=False, has_reference=False, checkpointing=True)
DRAWN = Load(1, 8, 512, 2048, is_online=True, has_reference=True, checkpointing=True)


def of(name: str) -> ModelShape:
    shape = known_shape(name)
    assert shape is not None
    return shape


def adapted(shape: ModelShape, length: int) -> Load:
    return replace(GIVEN, prompt_tokens=length, trainable=shape.adapter_parameters(64, "all-linear"), frozen_bytes=2.0)


@pytest.mark.parametrize("size", ADAPTERS)
def test_adapters_on_one_gpu_take_what_was_published(size: str) -> None:
    """Within -5 % and +20 %: an upper estimate that is not far above."""
    for length, measured in zip(LENGTHS, ADAPTERS[size], strict=True):
        found = memory(QWEN[size], "single", 1, adapted(QWEN[size], length)).peak / GB
        assert 0.95 * measured <= found <= 1.20 * measured, (length, measured, found)


def test_sharded_adapters_of_72b_take_what_was_published() -> None:
    """Within -5 % and +35 %, the most at 8,192 tokens."""
    for length, measured in zip(LENGTHS, SHARDED_ADAPTERS, strict=True):
        found = 4 * memory(QWEN["72B"], "zero3", 4, adapted(QWEN["72B"], length)).peak / GB
        assert 0.95 * measured <= found <= 1.35 * measured, (length, measured, found)


@pytest.mark.parametrize("size", ALL_WEIGHTS)
def test_all_weights_take_what_was_published(size: str) -> None:
    """Within -10 % and +25 %."""
    gpus, row = ALL_WEIGHTS[size]
    for length, measured in zip(LENGTHS, row, strict=False):
        found = gpus * memory(QWEN[size], "zero3", gpus, replace(GIVEN, prompt_tokens=length)).peak / GB
        assert 0.90 * measured <= found <= 1.25 * measured, (length, measured, found)


@pytest.mark.parametrize(("gpus", "gigabytes"), [(1, 120.0), (4, 30.0), (16, 7.5), (64, 1.9)])
def test_sharded_states_are_those_of_the_zero_paper(gpus: int, gigabytes: float) -> None:
    """arXiv 1910.02054, table 1: 7.5 B parameters, Pos+g+p; 16 bytes a parameter, as fp32 weights with Adam."""
    shape = replace(QWEN["7B"], vocabulary=1)
    held = memory(shape, "fsdp2", gpus, GIVEN).held
    assert sum(held.values()) * 7.5e9 / shape.parameters / GB == pytest.approx(gigabytes, abs=0.06)


# The fewest GPUs on which others publish a whole GRPO or PPO training. Source: verl, docs/perf/device_tuning.rst
# (7B: 2 x H800, 14B: 4 x H800, 32B: 8 x H20; weights offloaded to the host between their turns); TinyZero, issue 5
# (1.5B, PPO: 2 x A4500 of 20 GB).
FEWEST = {
    "Qwen/Qwen2.5-1.5B": (2, 20.0),
    "Qwen/Qwen2.5-7B": (2, 80.0),
    "Qwen/Qwen2.5-14B": (4, 80.0),
    "Qwen/Qwen2.5-32B": (8, 96.0),
}


@pytest.mark.parametrize("name", FEWEST)
def test_grpo_of_all_weights_takes_at_most_half_as_much_again_as_the_fewest_gpus_published(name: str) -> None:
    """Ours keeps weights, optimizer and reference on the GPU all the time, in fp32: above what offloading needs."""
    gpus, each = FEWEST[name]
    found = memory(of(name), "fsdp2", gpus, DRAWN).peak / GB
    assert 0.8 * each <= found <= 1.5 * each, found


# GB of weights, and of keys and values of 2,049 tokens. Source: github.com/QwenLM/Qwen2.5, docs/source/benchmark/
# speed_benchmark.rst (Qwen2 models of the same shapes, BF16, transformers).
@pytest.mark.parametrize(("name", "measured"), [("Qwen/Qwen2.5-1.5B", 3.44), ("Qwen/Qwen2.5-7B", 14.92)])
def test_weights_and_cache_in_half_precision_take_what_was_published(name: str, measured: float) -> None:
    shape = of(name)
    assert (2 * shape.parameters + 2049 * shape.cache_bytes()) / GB == pytest.approx(measured, rel=0.10)


def test_a_server_of_32b_on_one_h100_holds_about_as_many_tokens_as_was_published() -> None:
    """17,000 tokens beside Qwen3-32B in BF16 (aimultiple.com/llm-quantization); 85.0 GB is what the card has."""
    assert 0.5 * 17_000 <= serving(of("Qwen/Qwen3-32B"), 1, 85.0 * GB).cache_tokens <= 1.5 * 17_000


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, ModelShape]:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=64,
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=False,
    )
    shape = read_shape(config.to_dict())
    assert shape is not None
    return Qwen2ForCausalLM(config), shape


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_weights_gradients_and_optimizer_are_the_bytes_that_torch_holds(tiny: tuple[Any, ModelShape]) -> None:
    import torch

    model, shape = tiny
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    ids = torch.randint(0, 64, (1, 8))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    held = memory(shape, "single", 1, GIVEN).held
    states = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    assert held["weights"] == sum(p.nbytes for p in model.parameters())
    assert held["gradients"] == sum(p.grad.nbytes for p in model.parameters())
    assert held["optimizer"] == sum(state.nbytes for state in states)
    optimizer.zero_grad()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_cache_of_keys_and_values_has_the_bytes_that_torch_holds(tiny: tuple[Any, ModelShape]) -> None:
    import torch

    model, shape = tiny
    with torch.no_grad():
        cache = model(input_ids=torch.randint(0, 64, (3, 7)), use_cache=True).past_key_values
    held = sum(tensor.nbytes for layer in cache.layers for tensor in (layer.keys, layer.values))
    assert held == 3 * 7 * shape.cache_bytes(width=4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("checkpointing", [False, True])
def test_activations_are_what_torch_keeps_for_the_backward_pass(
    tiny: tuple[Any, ModelShape], checkpointing: bool
) -> None:
    """Within 5 % where all layers keep theirs; with checkpointing what is kept between the passes stays below."""
    import torch

    model, shape = tiny
    if checkpointing:
        model.gradient_checkpointing_enable()
    model.train()
    own = {each.untyped_storage().data_ptr() for each in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        if tensor.numel() and tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # alive, so that no other tensor gets its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), torch.autocast("cpu", dtype=torch.bfloat16):
        model(torch.randint(0, 64, (2, 256)), use_cache=False)
    measured = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    estimated = activations(shape, 512, checkpointing=checkpointing)
    model.gradient_checkpointing_disable()
    if checkpointing:
        assert 4 * shape.hidden * shape.layers * 512 <= measured <= estimated
    else:
        copies = 2 * shape.parameters  # autocast's bf16 weights are a part of their own
        assert measured - copies == pytest.approx(estimated, rel=0.05)
