"""Random numbers and token choice for the base model's server: numbered draws, inverse-CDF sampling.

A uniform is a pure function of (prompt, seed + row, step), so a row's draw needs no generator state and does not know
how many rows were asked for together with it. Source of the mixer: splitmix64 (Steele, Lea, Flood 2014).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    import torch

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def uniforms(prompt: str, seed: int, rows: int, steps: int) -> numpy.ndarray[Any, Any]:
    """Uniforms in [0, 1) as float64 [rows, steps]; row i is that of seed + i, step t that of any longer draw.

    The prompt takes part, so that equal seeds on two prompts do not give draws that rise and fall together.
    """
    import numpy as np

    salt = int.from_bytes(hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    numbers = [(seed + row) & _MASK for row in range(rows)]
    keys = _mix(_mix(np.array(numbers, dtype=np.uint64)) ^ np.uint64(salt))
    counters = np.arange(1, steps + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    bits: numpy.ndarray[Any, Any] = _mix(keys[:, None] + counters[None, :]) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _mix(x: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """The finaliser of splitmix64 on uint64, wrapping silently as arrays do."""
    import numpy as np

    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: numpy.ndarray[Any, Any] = x ^ (x >> np.uint64(31))
    return mixed


def choose(
    logits: torch.Tensor, uniform: torch.Tensor | None, temperature: float, top_k: int, top_p: float
) -> torch.Tensor:
    """Next tokens [n] int64 from logits [n, vocabulary]; uniform [n] float64, None or temperature 0 for greedy."""
    import torch

    if uniform is None or temperature == 0:
        return logits.argmax(dim=-1)
    scaled = logits.float().div(temperature)
    order = None
    if top_k or top_p < 1:
        scaled, order = scaled.sort(dim=-1, descending=True, stable=True)
        if top_k:
            scaled = scaled[:, :top_k]
    probabilities = scaled.softmax(dim=-1)
    cumulative = probabilities.cumsum(dim=-1, dtype=torch.float64)
    total = cumulative[:, -1:]
    if top_p < 1:
        # Keep each token whose predecessors sum to less than top_p: the smallest head that reaches it.
        before = cumulative - probabilities
        kept = (before < top_p).sum(dim=-1, keepdim=True).clamp(min=1)
        total = cumulative.gather(1, kept - 1)
    # right=True: a token of probability zero owns an empty interval and is never chosen.
    place = torch.searchsorted(cumulative, uniform[:, None] * total, right=True)
    place = place.clamp_(max=cumulative.shape[1] - 1)
    return (place if order is None else order.gather(1, place)).squeeze(1)
