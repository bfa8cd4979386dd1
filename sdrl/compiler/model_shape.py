"""The shape of a causal model: what its parameters, its KV cache and its activations follow from.

Read from ``config.json`` of a model folder, and for well-known hub models from a table. Dense decoders with a gated MLP
are counted exactly (tested against the tensors that transformers makes); of other architectures nothing is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COUNTED = ("gemma2", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3")
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class ModelShape:
    """A dense decoder: ``inner`` is the width of the MLP, ``head`` the width of one attention head."""

    kind: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    vocabulary: int
    is_tied: bool
    has_bias: bool = False
    """llama: biases at all four projections of the attention (``attention_bias``)."""
    has_mlp_bias: bool = False

    @property
    def layer_parameters(self) -> int:
        """The parameters of one layer."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        linears = sum(into * out for into, out in self.linears().values())
        bias = queries + 2 * keys if self.kind == "qwen2" or self.has_bias else 0
        bias += self.hidden if self.has_bias and self.kind != "qwen2" else 0
        bias += 2 * self.inner + self.hidden if self.has_mlp_bias else 0
        norms = (4 if self.kind == "gemma2" else 2) * self.hidden
        norms += {"qwen3": 2 * self.head, "olmo2": queries + keys}.get(self.kind, 0)
        return linears + bias + norms

    @property
    def embedding_parameters(self) -> int:
        """Embedding and output head; one matrix where they are tied."""
        return (1 if self.is_tied else 2) * self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        """All parameters; tied ones once."""
        return self.layers * self.layer_parameters + self.embedding_parameters + self.hidden

    def linears(self) -> dict[str, tuple[int, int]]:
        """The matrices of one layer: name to (inputs, outputs)."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        sizes = (
            (self.hidden, queries),
            (self.hidden, keys),
            (self.hidden, keys),
            (queries, self.hidden),
            (self.hidden, self.inner),
            (self.hidden, self.inner),
            (self.inner, self.hidden),
        )
        return dict(zip(LINEARS, sizes, strict=True))

    def adapter_parameters(self, rank: int, targets: list[str] | str) -> int:
        """Parameters of low-rank adapters on ``targets`` (``all-linear``: every matrix of every layer)."""
        chosen = self.linears()
        if not isinstance(targets, str):
            chosen = {name: size for name, size in chosen.items() if name in targets}
        return self.layers * sum(rank * (into + out) for into, out in chosen.values())

    def cache_bytes(self, width: int = 2) -> int:
        """Bytes of keys and values that one token leaves, ``width`` bytes a number."""
        return 2 * self.layers * self.kv_heads * self.head * width


def shape_of(name: str, folder: Path | None) -> ModelShape | None:
    """The shape of a model: of ``folder`` where it is at hand, else of a well-known hub name; None: not known."""
    if folder is None:
        return known_shape(name)
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    return read_shape(config) if isinstance(config, dict) else None


def read_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """The shape that a ``config.json`` declares; None where the architecture is not counted."""
    kind = config.get("model_type")
    if kind not in COUNTED:
        return None
    try:
        hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        tied_by_default = kind == "gemma2"  # transformers' own default where the key is missing
        return ModelShape(
            kind=str(kind),
            layers=int(config["num_hidden_layers"]),
            hidden=hidden,
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head=int(config.get("head_dim") or hidden // heads),
            inner=int(config["intermediate_size"]),
            vocabulary=int(config["vocab_size"]),
            is_tied=bool(config.get("tie_word_embeddings", tied_by_default)),
            has_bias=bool(config.get("attention_bias", False)),
            has_mlp_bias=bool(config.get("mlp_bias", False)),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


# family and size as in the hub's name (small letters, no owner): kind, layers, hidden, heads, KV heads, head, inner,
# vocabulary, tied. Source: config.json of each model on the Hugging Face hub.
_Row = tuple[str, int, int, int, int, int, int, int, bool]
FAMILIES: dict[str, _Row] = {
    "qwen2.5-0.5b": ("qwen2", 24, 896, 14, 2, 64, 4864, 151936, True),
    "qwen2.5-1.5b": ("qwen2", 28, 1536, 12, 2, 128, 8960, 151936, True),
    "qwen2.5-3b": ("qwen2", 36, 2048, 16, 2, 128, 11008, 151936, True),
    "qwen2.5-7b": ("qwen2", 28, 3584, 28, 4, 128, 18944, 152064, False),
    "qwen2.5-14b": ("qwen2", 48, 5120, 40, 8, 128, 13824, 152064, False),
    "qwen2.5-32b": ("qwen2", 64, 5120, 40, 8, 128, 27648, 152064, False),
    "qwen2.5-72b": ("qwen2", 80, 8192, 64, 8, 128, 29568, 152064, False),
    "qwen3-0.6b": ("qwen3", 28, 1024, 16, 8, 128, 3072, 151936, True),
    "qwen3-1.7b": ("qwen3", 28, 2048, 16, 8, 128, 6144, 151936, True),
    "qwen3-4b": ("qwen3", 36, 2560, 32, 8, 128, 9728, 151936, True),
    "qwen3-8b": ("qwen3", 36, 4096, 32, 8, 128, 12288, 151936, False),
    "qwen3-14b": ("qwen3", 40, 5120, 40, 8, 128, 17408, 151936, False),
    "qwen3-32b": ("qwen3", 64, 5120, 64, 8, 128, 25600, 151936, False),
    "llama-3.2-1b": ("llama", 16, 2048, 32, 8, 64, 8192, 128256, True),
    "llama-3.2-3b": ("llama", 28, 3072, 24, 8, 128, 8192, 128256, True),
    "llama-3.1-8b": ("llama", 32, 4096, 32, 8, 128, 14336, 128256, False),
    "llama-3.1-70b": ("llama", 80, 8192, 64, 8, 128, 28672, 128256, False),
    "llama-3.3-70b": ("llama", 80, 8192, 64, 8, 128, 28672, 128256, False),
    "mistral-7b-v0.1": ("mistral", 32, 4096, 32, 8, 128, 14336, 32000, False),
    "mistral-7b-v0.3": ("mistral", 32, 4096, 32, 8, 128, 14336, 32768, False),
    "gemma-2-2b": ("gemma2", 26, 2304, 8, 4, 256, 9216, 256000, True),
    "gemma-2-9b": ("gemma2", 42, 3584, 16, 8, 256, 14336, 256000, True),
    "smollm2-135m": ("llama", 30, 576, 9, 3, 64, 1536, 49152, True),
    "smollm2-360m": ("llama", 32, 960, 15, 5, 64, 2560, 49152, True),
    "smollm2-1.7b": ("llama", 24, 2048, 32, 32, 64, 8192, 49152, True),
}
_SAME_SHAPE = re.compile(r"^(?:meta-)?(qwen2\.5)-(?:math|coder)-(.*)$|^meta-(llama.*)$")


def known_shape(name: str) -> ModelShape | None:
    """The shape of a well-known hub model; what follows the size (``-instruct``) does not change it."""
    short = name.rsplit("/", 1)[-1].lower()
    if match := _SAME_SHAPE.match(short):
        short = match[3] or f"{match[1]}-{match[2]}"
    for key, row in FAMILIES.items():
        if short == key or short.startswith(f"{key}-"):
            return ModelShape(*row)
    return None
