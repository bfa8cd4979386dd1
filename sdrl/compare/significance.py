"""What a difference between two arms is worth: problems and training seeds both count as drawn by chance. Pure.

With a_ij the share of right answers of arm A's seed j to problem i, and d_i the difference of the two arms' means over
seeds, the difference is D = mean(d). Its variance has a part from problems and one from trainings,

    V_p = var(d) / n        V_a = var_j(mean_i a_ij) / k_a        V_b likewise

and the test is t = D / sqrt(V_p + V_a + V_b) with Satterthwaite's degrees of freedom (Welch 1947; problems and seeds
as crossed random effects: Clark 1973). Our departure: V_p holds some of the noise between trainings as well, which is
counted twice, so that the test errs on the side of undecided. An arm with a single seed is taken to vary between
trainings as much as the arm it is held against; where both have one, the test is over problems alone and speaks of
these two models, not of the recipes.

Equivalence: two one-sided tests against the margin (Schuirmann 1987). Many questions: Holm 1979, for differences and
for equivalences each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance
from typing import NamedTuple

Scores = Mapping[str, float]  # problem -> share of right answers, in [0, 1]


class Spread(NamedTuple):
    """Mean and sample standard deviation over training seeds; the deviation is None of a single one."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Difference:
    """Arm minus other, as shares: estimate, interval, p, and p of being at least ``margin`` apart."""

    value: float
    low: float
    high: float
    p: float
    p_apart: float
    degrees: float
    n_problems: int
    seeds: tuple[int, int]


def spread(values: Sequence[float]) -> Spread:
    """Mean and spread of at least one value."""
    return Spread(fmean(values), math.sqrt(variance(values)) if len(values) > 1 else None)


def difference(arm: Sequence[Scores], other: Sequence[Scores], margin: float, alpha: float = 0.05) -> Difference | None:
    """Arm against other, one mapping a training seed; None when they share fewer than two problems."""
    shared = sorted(set.intersection(*(set(seed) for seed in (*arm, *other))))
    if len(shared) < 2:
        return None
    deltas = [fmean(seed[name] for seed in arm) - fmean(seed[name] for seed in other) for name in shared]
    parts = [(variance(deltas) / len(shared), len(shared) - 1)]
    several = [side for side in (arm, other) if len(side) > 1]
    for side in several:
        means = [fmean(seed[name] for name in shared) for seed in side]
        borrowed = 1 if len(several) == 1 else 0
        parts.append((variance(means) * (1 / len(side) + borrowed), len(side) - 1))
    value = fmean(deltas)
    error = math.sqrt(sum(part for part, _ in parts))
    counts = (len(shared), (len(arm), len(other)))
    if error == 0:
        return _without_spread(value, margin, alpha, counts)
    degrees = error**4 / sum(part**2 / free for part, free in parts)
    reach = t_quantile(1 - alpha / 2, degrees) * error
    p_apart = max(t_above((value + margin) / error, degrees), t_above((margin - value) / error, degrees))
    p = 2 * t_above(abs(value) / error, degrees)
    return Difference(value, value - reach, value + reach, min(1.0, p), p_apart, degrees, *counts)


def _without_spread(value: float, margin: float, alpha: float, counts: tuple[int, tuple[int, int]]) -> Difference:
    """Every problem differs by the same. That none differs would come by chance too where few do: (1 - share)^n."""
    if value:
        return Difference(value, value, value, 0.0, 0.0 if abs(value) < margin else 1.0, math.inf, *counts)
    reach = 1 - alpha ** (1 / counts[0])
    return Difference(0.0, -reach, reach, 1.0, (1 - margin) ** counts[0], math.inf, *counts)


def holm(values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given: each at most alpha is a find at a family-wise error of alpha."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    adjusted, least = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = least
    return adjusted


def decided(p: float, p_apart: float, alpha: float) -> str:
    """``different``, ``equivalent``, both (a difference smaller than the margin) or ``undecided``."""
    if p <= alpha:
        return "different, within the margin" if p_apart <= alpha else "different"
    return "equivalent" if p_apart <= alpha else "undecided"


def t_above(t: float, degrees: float) -> float:
    """P(T > t) of Student's distribution. Source: Abramowitz and Stegun 26.7.1."""
    import mpmath  # 60 ms, and only a table with figures needs it

    tail = 0.5 * float(mpmath.betainc(degrees / 2, 0.5, 0, degrees / (degrees + t * t), regularized=True))
    return tail if t >= 0 else 1 - tail


def t_quantile(share: float, degrees: float) -> float:
    """The t with P(T <= t) = share, for a share of at least a half; by bisection."""
    low, high = 0.0, 1.0
    while t_above(high, degrees) > 1 - share:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_above(middle, degrees) > 1 - share else (low, middle)
    return (low + high) / 2
