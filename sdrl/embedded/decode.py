"""One prompt, many rows: the forward passes of a causal model with a key-value cache, behind one small interface.

`TransformersStepper` runs any model through transformers. `Qwen2Stepper` computes the same function for the Qwen2
architecture with fused weights and without per-layer Python of a general library, because a model of a million
parameters spends most of its time there; a test holds the two together. Neither picks tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


_FIRST_ROOM = 64


class Stepper(Protocol):
    """Forward passes for the rows of one prompt; state belongs to the request in progress."""

    def prefill(self, ids: torch.Tensor, rows: int, capacity: int) -> torch.Tensor:
        """Read the prompt [1, length] for `rows` rows of up to `capacity` more tokens; logits [rows, vocabulary]."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token per row [n]; logits [n, vocabulary]."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Drop all rows but these (indices into the present rows, int64)."""
        ...


class TransformersStepper:
    """Any causal model of transformers, with its own cache classes."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache: Any = None

    def prefill(self, ids: torch.Tensor, rows: int, capacity: int) -> torch.Tensor:
        """See Stepper."""
        out = self._model(input_ids=ids, use_cache=True, logits_to_keep=1)
        self._cache = out.past_key_values
        if rows > 1:
            self._cache.batch_repeat_interleave(rows)
        logits: torch.Tensor = out.logits[:, -1].expand(rows, -1)
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Stepper."""
        out = self._model(input_ids=tokens[:, None], past_key_values=self._cache, use_cache=True)
        self._cache = out.past_key_values
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def keep(self, rows: torch.Tensor) -> None:
        """See Stepper."""
        self._cache.batch_select_indices(rows)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Fused weights: `attend` yields [q | k | rotated q | rotated k | v], with 1/sqrt(head) folded into q."""

    norm_in: torch.Tensor
    attend_weight: torch.Tensor
    attend_bias: torch.Tensor
    out_weight: torch.Tensor
    norm_mlp: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


def fits_qwen2(config: Mapping[str, Any]) -> bool:
    """Whether Qwen2Stepper computes the model of this config.json: plain, full attention, default rotary angles."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    return bool(
        config.get("model_type") == "qwen2"
        and config.get("hidden_act") == "silu"
        and rope.get("rope_type", rope.get("type", "default")) == "default"
        and not config.get("use_sliding_window")
        and not config.get("quantization_config")
        and all(kind == "full_attention" for kind in config.get("layer_types") or ())
        and {"num_key_value_heads", "num_attention_heads", "hidden_size", "rms_norm_eps"} <= config.keys()
    )


class Qwen2Stepper:
    """The Qwen2 forward pass on fused weights; the prompt's keys and values are shared by all rows, never copied.

    Shapes: H hidden, G key-value heads, g query heads per key-value head, D head size, n rows, P prompt, T suffix.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
        """Take the settings of config.json and the tensors of the weights file. Raises KeyError for a missing one."""
        import torch

        self.groups = int(config["num_key_value_heads"])
        self.heads = int(config["num_attention_heads"])
        self._per_group = self.heads // self.groups
        self.hidden = int(config["hidden_size"])
        self.size = int(config.get("head_dim") or self.hidden // self.heads)
        self.eps = float(config["rms_norm_eps"])
        self.embed = weights["model.embed_tokens.weight"]
        self.norm = weights["model.norm.weight"]
        self.head = (self.embed if config.get("tie_word_embeddings") else weights["lm_head.weight"]).t()
        base = float((config.get("rope_parameters") or config).get("rope_theta") or 10_000.0)
        powers = torch.arange(0, self.size, 2, dtype=torch.float32, device=self.embed.device) / self.size
        self._inverse_frequencies = 1.0 / base**powers
        self.layers = [self._fuse(weights, f"model.layers.{n}.") for n in range(int(config["num_hidden_layers"]))]
        self.prompt: list[tuple[torch.Tensor, torch.Tensor]] = []  # keys and values [G, P, D] by layer
        self.angles: tuple[torch.Tensor, torch.Tensor] = (self.embed.new_empty(0), self.embed.new_empty(0))
        self._suffix: torch.Tensor = self.embed.new_empty(0)
        self._rows = 0
        self._read = 0
        self._written = 0

    def _fuse(self, weights: Mapping[str, torch.Tensor], layer: str) -> _Layer:
        import torch

        query, key, value = (f"{layer}self_attn.{letter}_proj." for letter in "qkv")
        scale = self.size**-0.5
        parts_w = [weights[query + "weight"] * scale, weights[key + "weight"]]
        parts_b = [weights[query + "bias"] * scale, weights[key + "bias"]]
        weight = torch.cat([*parts_w, *(self._rotated(w) for w in parts_w), weights[value + "weight"]])
        bias = torch.cat([*parts_b, *(self._rotated(b[:, None])[:, 0] for b in parts_b), weights[value + "bias"]])
        return _Layer(
            norm_in=weights[layer + "input_layernorm.weight"],
            attend_weight=weight.t(),
            attend_bias=bias,
            out_weight=weights[layer + "self_attn.o_proj.weight"].t(),
            norm_mlp=weights[layer + "post_attention_layernorm.weight"],
            gate_up=torch.cat([weights[layer + "mlp.gate_proj.weight"], weights[layer + "mlp.up_proj.weight"]]).t(),
            down=weights[layer + "mlp.down_proj.weight"].t(),
        )

    def _rotated(self, weight: torch.Tensor) -> torch.Tensor:
        """Rows of a projection after rotate_half, which is linear and so can be done once, in the weights."""
        import torch

        per_head = weight.view(-1, self.size, weight.shape[1])
        first, second = per_head.chunk(2, dim=1)
        return torch.cat([-second, first], dim=1).reshape(weight.shape)

    def _reach(self, length: int) -> None:
        """Make `angles`, the cosines and sines [positions, D] of the rotary embedding, cover this many positions."""
        import torch

        if self.angles[0].shape[0] < length:
            positions = torch.arange(length, device=self.embed.device, dtype=torch.float32)
            half = positions[:, None] * self._inverse_frequencies[None, :].float()
            both = torch.cat([half, half], dim=-1)
            self.angles = (both.cos().to(self.embed.dtype), both.sin().to(self.embed.dtype))

    def prefill(self, ids: torch.Tensor, rows: int, capacity: int) -> torch.Tensor:
        """See Stepper."""
        import torch
        from torch.nn import functional

        length = ids.shape[1]
        turned = self.heads + self.groups
        self._reach(length + capacity)
        cos, sin = self.angles[0][:length, None], self.angles[1][:length, None]
        x = self.embed[ids[0]]
        self.prompt = []
        for layer in self.layers:
            fused = torch.addmm(layer.attend_bias, self._normed(x, layer.norm_in), layer.attend_weight)
            fused = fused.view(length, 2 * turned + self.groups, self.size)
            rotated = fused[:, :turned] * cos + fused[:, turned : 2 * turned] * sin
            query = rotated[:, : self.heads].transpose(0, 1)
            key = rotated[:, self.heads :].transpose(0, 1).contiguous()
            value = fused[:, 2 * turned :].transpose(0, 1).contiguous()
            self.prompt.append((key, value))
            mixed = functional.scaled_dot_product_attention(
                query[None], key[None], value[None], is_causal=True, scale=1.0, enable_gqa=self._per_group > 1
            )
            x = self._rest(layer, x, mixed[0].transpose(0, 1).reshape(length, -1))
        self._rows, self._read, self._written = rows, length, 0
        self._suffix = self._room(rows, min(capacity, _FIRST_ROOM))
        logits: torch.Tensor = (self._normed(x[-1:], self.norm) @ self.head).expand(rows, -1)
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Stepper."""
        import torch

        n, now = self._rows, self._written
        if now == self._suffix.shape[4]:
            wider = self._room(n, 2 * now)
            wider[:, :, :, :, :now] = self._suffix
            self._suffix = wider
        turned = self.heads + self.groups
        position = self._read + now
        cos, sin = self.angles[0][position], self.angles[1][position]
        x = self.embed[tokens]
        for index, layer in enumerate(self.layers):
            fused = torch.addmm(layer.attend_bias, self._normed(x, layer.norm_in), layer.attend_weight)
            fused = fused.view(n, 2 * turned + self.groups, self.size)
            rotated = torch.addcmul(fused[:, :turned] * cos, fused[:, turned : 2 * turned], sin)
            suffix = self._suffix[index]
            suffix[0, :, :, now] = rotated[:, self.heads :].transpose(0, 1)
            suffix[1, :, :, now] = fused[:, 2 * turned :].transpose(0, 1)
            mixed = self._attend(rotated[:, : self.heads], self.prompt[index], suffix, now + 1)
            x = self._rest(layer, x, mixed)
        self._written = now + 1
        logits: torch.Tensor = self._normed(x, self.norm) @ self.head
        return logits

    def _room(self, rows: int, steps: int) -> torch.Tensor:
        """Uninitialised keys and values of the rows' own tokens: [layers, 2, G, rows, steps, D]."""
        return self.embed.new_empty((len(self.layers), 2, self.groups, rows, steps, self.size))

    def _attend(
        self, query: torch.Tensor, prompt: tuple[torch.Tensor, torch.Tensor], suffix: torch.Tensor, length: int
    ) -> torch.Tensor:
        """Attention of [n, heads, D] over the shared prompt [G, P, D] and the rows' own suffix; [n, heads * D]."""
        import torch

        n, groups, each, size = self._rows, self.groups, self._per_group, self.size
        keys, values = prompt
        read = keys.shape[1]
        own = suffix[:, :, :, :length].flatten(1, 2)
        grouped = query.view(n, groups, each, size).transpose(0, 1).reshape(groups, n * each, size)
        shared_scores = torch.bmm(grouped, keys.transpose(1, 2)).view(groups * n, each, read)
        own_scores = torch.bmm(grouped.reshape(groups * n, each, size), own[0].transpose(1, 2))
        weights = torch.cat([shared_scores, own_scores], dim=-1).softmax(dim=-1)
        of_prompt = torch.bmm(weights[:, :, :read].reshape(groups, n * each, read), values)
        mixed = torch.baddbmm(of_prompt.reshape(groups * n, each, size), weights[:, :, read:], own[1])
        return mixed.reshape(groups, n, each * size).transpose(0, 1).reshape(n, -1)

    def _rest(self, layer: _Layer, x: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        """Output projection and feed-forward with their residuals, [n, H]."""
        import torch
        from torch.nn import functional

        x = torch.addmm(x, mixed, layer.out_weight)
        gate, up = (self._normed(x, layer.norm_mlp) @ layer.gate_up).chunk(2, dim=-1)
        return torch.addmm(x, functional.silu(gate) * up, layer.down)

    def _normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional

        return functional.rms_norm(x, (self.hidden,), weight, self.eps)

    def keep(self, rows: torch.Tensor) -> None:
        """See Stepper."""
        room = self._room(int(rows.shape[0]), int(self._suffix.shape[4]))
        room[:, :, :, :, : self._written] = self._suffix[:, :, :, :, : self._written].index_select(3, rows)
        self._suffix = room
        self._rows = int(rows.shape[0])
