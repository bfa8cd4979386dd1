"""How much memory a training takes on each GPU, part by part. Pure arithmetic; 1 GB is 10^9 bytes.

What lies there throughout (weights, gradients, optimizer, reference) is exact for the way ``sdrl.training`` trains;
what comes and goes (activations, logits, keys and values) is an upper estimate; the margin is a rule of thumb. Sources:
sharded states, arXiv 1910.02054 sections 3 and 5; activations, arXiv 2205.05198 eq. 1 and 2 (fused kernels keep no
attention matrix), here for a gated MLP. Our departures: (1) weights are fp32 under bf16 autocast, so there is no master
copy, but a bf16 copy while a batch is computed; (2) adapters stand on frozen weights of the same precision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdrl.compiler.model_shape import ModelShape

GB = 1e9
Layout = Literal["single", "ddp", "fsdp2", "zero3"]

CONTEXT_BYTES = 1.2e9  # CUDA context, NCCL's buffers, cuBLAS workspaces
FRAGMENTED = 0.06  # of what torch's allocator holds
# A logit: bf16, its fp32 copy, a gradient of each; for rollouts also the one scaled by the temperature.
GIVEN_LOGIT_BYTES, DRAWN_LOGIT_BYTES = 12, 16
SERVER_BYTES = 5e9  # vLLM beside weights and cache: its context, CUDA graphs, one batch of prompts read at once


@dataclass(frozen=True)
class Recipe:
    """Bytes a parameter of each state. ``bf16_copy``: the copy that autocast keeps while a batch is computed."""

    weights: float
    master: float
    gradients: float
    optimizer: float
    bf16_copy: float
    buckets: float
    """What data-parallel processes hold beside the gradients, to reduce them in."""
    is_sharded: bool


# accelerate and torch as sdrl uses them. DeepSpeed computes in bf16 on an fp32 master copy and adds gradients in fp32.
RECIPES: Mapping[Layout, Recipe] = {
    "single": Recipe(weights=4, master=0, gradients=4, optimizer=8, bf16_copy=2, buckets=0, is_sharded=False),
    "ddp": Recipe(weights=4, master=0, gradients=4, optimizer=8, bf16_copy=2, buckets=4, is_sharded=False),
    "fsdp2": Recipe(weights=4, master=0, gradients=4, optimizer=8, bf16_copy=0, buckets=0, is_sharded=True),
    "zero3": Recipe(weights=2, master=4, gradients=4, optimizer=8, bf16_copy=0, buckets=0, is_sharded=True),
}
EIGHT_BIT = 2 + 2 * 4 / 256  # two states of one byte, and a scale for each block of 256


@dataclass(frozen=True)
class Load:
    """What one process trains: completions in a forward pass, all completions of an update, their longest lengths."""

    micro_batch: int
    share: int
    prompt_tokens: int
    completion_tokens: int
    is_online: bool
    """Rollouts are drawn in training (grpo, rloo); otherwise completions are given (sft, rft)."""
    has_reference: bool
    """A frozen copy for the KL term; adapters need none, they are switched off instead."""
    checkpointing: bool
    trainable: int | None = None
    """Parameters of the adapters; None: all weights are trained."""
    frozen_bytes: float = 4
    """Bytes of a weight below adapters."""
    is_eight_bit: bool = False
    server_tokens: int = 0
    """Tokens of keys and values that a colocated vLLM is to hold at once; 0: transformers draws the rollouts."""


@dataclass(frozen=True)
class Memory:
    """Bytes on each GPU by part. ``peak`` is what has to fit."""

    held: Mapping[str, float]
    """There throughout."""
    learning: Mapping[str, float]
    """There while a batch is computed."""
    drawing: Mapping[str, float]
    """There while rollouts are drawn; never at the same time as ``learning``."""

    @property
    def peak(self) -> float:
        """The larger of learning and drawing on top of what is held, with margin."""
        held = sum(self.held.values())
        return _with_margin(held + max(sum(self.learning.values()), sum(self.drawing.values())))

    def parts(self) -> dict[str, float]:
        """Every part, the margin last; the parts of whichever of learning and drawing needs less are left out."""
        more = max((self.learning, self.drawing), key=lambda part: sum(part.values()))
        parts = {name: size for name, size in {**self.held, **more}.items() if size}
        return parts | {"margin": self.peak - sum(parts.values())}


def _with_margin(size: float) -> float:
    return size * (1 + FRAGMENTED) + CONTEXT_BYTES


def memory(shape: ModelShape, layout: Layout, processes: int, load: Load) -> Memory:
    """The memory of one of ``processes`` GPUs."""
    recipe = RECIPES[layout]
    shards = processes if recipe.is_sharded else 1
    everything = shape.parameters
    learned = everything if load.trainable is None else load.trainable
    frozen = 0 if load.trainable is None else everything
    optimizer = EIGHT_BIT if load.is_eight_bit else recipe.optimizer
    held = {
        "weights": (recipe.weights * learned + min(load.frozen_bytes, recipe.weights) * frozen) / shards,
        "master weights": recipe.master * learned / shards,
        "gradients": recipe.gradients * learned / shards,
        "gradient buckets": recipe.buckets * learned,
        "optimizer": optimizer * learned / shards,
        "reference": (recipe.weights * everything / shards) if load.has_reference else 0.0,
    }
    tokens = load.micro_batch * (load.prompt_tokens + load.completion_tokens)
    learning = {
        "bf16 copy": recipe.bf16_copy * learned,
        "gathered layers": _gathered(shape, learns=not frozen) if recipe.is_sharded else 0.0,
        "activations": activations(shape, tokens, checkpointing=load.checkpointing),
        "logits": _logits(shape, load),
    }
    return Memory(held, learning, _drawing(shape, recipe, load, learned) if load.is_online else {})


def _logits(shape: ModelShape, load: Load) -> float:
    """Bytes of a forward pass's logits: of completions, and where these are given of prompts too."""
    each = load.completion_tokens + 1 if load.is_online else load.prompt_tokens + load.completion_tokens
    width = DRAWN_LOGIT_BYTES if load.is_online else GIVEN_LOGIT_BYTES
    return float(width * shape.vocabulary * load.micro_batch * each)


def _gathered(shape: ModelShape, *, learns: bool) -> float:
    """Whole layers in bf16 (this one, the next, embedding and head) and fp32 gradients on their way."""
    largest = max(shape.layer_parameters, shape.embedding_parameters)
    return 2.0 * (2 * shape.layer_parameters + shape.embedding_parameters) + 4.0 * largest * learns


def _drawing(shape: ModelShape, recipe: Recipe, load: Load, learned: int) -> dict[str, float]:
    """What drawing the rollouts takes: transformers' cache of all of a process's completions, or vLLM's share."""
    if load.server_tokens:
        return {
            "vllm weights": 2.0 * shape.parameters,
            "vllm keys and values": float(load.server_tokens * shape.cache_bytes()),
            "vllm itself": SERVER_BYTES,
        }
    length = load.prompt_tokens + load.completion_tokens
    return {
        "bf16 copy": recipe.bf16_copy * learned,
        "gathered layers": _gathered(shape, learns=False) if recipe.is_sharded else 0.0,
        "keys and values": float(load.share * length * shape.cache_bytes()),
        # the logits of one step in bf16 and fp32, scaled, and their probabilities
        "logits": float(14 * load.share * shape.vocabulary),
    }


def layer_activation_bytes(shape: ModelShape) -> float:
    """Bytes that one layer keeps of one token for its backward pass, in bf16 with an fp32 residual stream."""
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    residual = 6 * 4 * shape.hidden  # two sums, each with its norm's input and output
    attention = 2 * (3 * queries + 4 * keys)  # projections, rotated ones, the result
    return residual + attention + 2 * 4 * shape.inner


def activations(shape: ModelShape, tokens: int, *, checkpointing: bool) -> float:
    """Bytes of activations of one forward pass over ``tokens`` tokens.

    With checkpointing each layer keeps its input, and one layer at a time all of its own.
    """
    one = layer_activation_bytes(shape) * tokens
    return 4.0 * shape.hidden * shape.layers * tokens + one if checkpointing else one * shape.layers


@dataclass(frozen=True)
class Serving:
    """A vLLM server beside no training: bytes on each GPU of its weights, and tokens of cache that fit beside them."""

    weights: float
    cache_tokens: int


def serving(shape: ModelShape, tensor_parallel: int, memory_bytes: float, share: float = 0.9) -> Serving:
    """What vLLM can hold where it takes ``share`` of each GPU's memory; negative tokens do not fit at all."""
    weights = 2.0 * shape.parameters / tensor_parallel
    room = memory_bytes * share - weights - SERVER_BYTES
    return Serving(weights, math.floor(room / (shape.cache_bytes() / tensor_parallel)))
