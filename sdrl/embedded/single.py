"""One greedy row of the toy base model in NumPy: the Qwen2 forward pass without the cost of calling torch per step.

With a million parameters and one row, a step of torch is nearly all call overhead; evaluation asks for thousands of
such rows. Computes the same function as `decode.Qwen2Stepper` up to float noise; a test holds them together. Float32
on a CPU only. Does not read the prompt itself: torch does that once, and its keys and values are copied over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    from sdrl.embedded.decode import Qwen2Stepper

    Array = numpy.ndarray[Any, numpy.dtype[Any]]

MOST_PARAMETERS = 20_000_000
"""Beyond this the arithmetic outweighs the calls, and torch is used."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """Weights as in decode._Layer, with the norms' own weights folded into the matrices that follow them."""

    attend: Array
    bias: Array
    out: Array
    gate: Array
    up: Array
    down: Array


class SingleRow:
    """Decoding state of one row; `start`, then `step` per token."""

    def __init__(self, stepper: Qwen2Stepper) -> None:
        self._stepper = stepper
        self._groups, self._heads, self._size = stepper.groups, stepper.heads, stepper.size
        self._hidden, self._eps = stepper.hidden, stepper.eps
        self._embed: Array = stepper.embed.numpy()
        self._head = _folded(stepper.norm, stepper.head)
        self._layers = [self._layer(layer) for layer in stepper.layers]
        self._length = 0

    @staticmethod
    def _layer(layer: Any) -> _Layer:
        gate_up = _folded(layer.norm_mlp, layer.gate_up)
        middle = gate_up.shape[1] // 2
        return _Layer(
            attend=_folded(layer.norm_in, layer.attend_weight),
            bias=layer.attend_bias.numpy(),
            out=_rows(layer.out_weight),
            gate=_rows(gate_up[:, :middle]),
            up=_rows(gate_up[:, middle:]),
            down=_rows(layer.down),
        )

    def start(self, ids: Any, capacity: int) -> Array:
        """Read a prompt (tensor [1, length]); logits [vocabulary] for the first of at most `capacity` tokens."""
        import numpy as np

        logits = self._stepper.prefill(ids, 1, capacity)
        self._length = int(ids.shape[1])
        cos, sin = self._stepper.angles
        self._cos: Array = cos.numpy()
        self._sin: Array = sin.numpy()
        shape = (len(self._layers), self._groups, self._length + capacity, self._size)
        self._keys: Array = np.empty(shape, dtype=np.float32)
        self._values: Array = np.empty(shape, dtype=np.float32)
        for index, (keys, values) in enumerate(self._stepper.prompt):
            self._keys[index, :, : self._length] = keys.numpy()
            self._values[index, :, : self._length] = values.numpy()
        first: Array = logits[0].numpy()
        return first

    def step(self, token: int) -> Array:
        """Append one token; logits [vocabulary]."""
        import numpy as np

        at, turned = self._length, self._heads + self._groups
        cos, sin = self._cos[at], self._sin[at]
        x = self._embed[token]
        for index, layer in enumerate(self._layers):
            fused = (self._normed(x) @ layer.attend + layer.bias).reshape(-1, self._size)
            rotated = fused[:turned] * cos + fused[turned : 2 * turned] * sin
            keys, values = self._keys[index], self._values[index]
            keys[:, at] = rotated[self._heads :]
            values[:, at] = fused[2 * turned :]
            query = rotated[: self._heads].reshape(self._groups, -1, self._size)
            scores = query @ keys[:, : at + 1].transpose(0, 2, 1)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            x = x + (scores @ values[:, : at + 1]).reshape(-1) @ layer.out
            normed = self._normed(x)
            gate = normed @ layer.gate
            x = x + (gate / (1 + np.exp(-gate)) * (normed @ layer.up)) @ layer.down
        self._length = at + 1
        logits: Array = self._normed(x) @ self._head
        return logits

    def _normed(self, x: Array) -> Array:
        normed: Array = x * (1 / math.sqrt(float(x @ x) / self._hidden + self._eps))
        return normed


def _folded(norm: Any, weight: Any) -> Array:
    """A matrix [H, columns] with the preceding norm's weight [H] multiplied into its rows."""
    return _rows((norm[:, None] * weight).numpy())


def _rows(matrix: Any) -> Array:
    import numpy as np

    contiguous: Array = np.ascontiguousarray(matrix)
    return contiguous
