"""``python -m tests.bench.adaptive [REPETITIONS]``: what adaptive scoring saves, over made-up pass rates.

Each sample's pass rate is drawn from a beta distribution, each draw is right with that chance; the decisions are the
real ones. The overlap is with full scorings of their own, beside what two full scorings have with each other. Prints a
Markdown table and the time that the decisions take; exit 1 when an overlap is more than a point below, or one of the
first three shapes took more than 40 % of the draws.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

from sdrl.compiler.adaptive import Standing, further_draws
from sdrl.compiler.schedule import score_wave
from sdrl.spec.model import Select
from sdrl.stages.ranking import choose

SAMPLES, PLACES, DRAWS = 1500, 500, 64
FULL = 6  # full scorings that an overlap is with
Shape = Callable[[random.Random], float]
SHAPES: dict[str, Shape] = {
    "uniform": lambda luck: luck.random(),
    "mostly easy, beta(3, 1)": lambda luck: luck.betavariate(3, 1),
    "U-shaped, beta(1/2, 1/2)": lambda luck: luck.betavariate(0.5, 0.5),
    "mostly hard, beta(1, 4)": lambda luck: luck.betavariate(1, 4),
    "nearly all hard, beta(1/2, 5)": lambda luck: luck.betavariate(0.5, 5),
    "all near 0.4, beta(20, 30)": lambda luck: luck.betavariate(20, 30),
    "all 0.3": lambda luck: 0.3,
    "0.1 or 0.5": lambda luck: luck.choice([0.1, 0.5]),
}
CHEAP = tuple(SHAPES)[:3]


@dataclass(frozen=True)
class Outcome:
    """Of one set of samples: shares in [0, 1], requests a sample, rounds, seconds spent deciding."""

    share: float
    overlap: float
    full: float
    requests: float
    rounds: int
    seconds: float


def scored_adaptively(
    rates: list[float], luck: random.Random, draws: int, select: Select
) -> tuple[list[Standing], int, int, float]:
    """The samples' standings at the end, with requests, rounds and seconds."""
    standings = [Standing(0, 0, luck.random()) for _ in rates]
    further = [score_wave(draws)] * len(rates)
    requests = rounds = 0
    seconds = 0.0
    while any(further):
        standings = [
            Standing(at.drawn + more, at.correct + sum(luck.random() < rate for _ in range(more)), at.tie)
            for at, more, rate in zip(standings, further, rates, strict=True)
        ]
        requests, rounds = requests + sum(more > 0 for more in further), rounds + 1
        began = time.process_time()
        further = further_draws(standings, draws, select)
        seconds += time.process_time() - began
    return standings, requests, rounds, seconds


def chosen(standings: list[Standing], select: Select) -> set[str]:
    """The ids of the samples that train."""
    rows = [{"id": str(n), "correct": at.correct, "draws": at.drawn} for n, at in enumerate(standings)]
    ties = {str(n): int(at.tie * 2**31) for n, at in enumerate(standings)}
    return {row["id"] for row in choose(rows, select, ties.__getitem__)}


def overlap(one: set[str], other: set[str]) -> float:
    """The share of the chosen that both have."""
    return len(one & other) / max(1, min(len(one), len(other)))


def once(shape: Shape, luck: random.Random, samples: int, draws: int, select: Select) -> Outcome:
    """One set of samples, scored adaptively once and in full ``FULL`` times."""
    rates = [shape(luck) for _ in range(samples)]
    standings, requests, rounds, seconds = scored_adaptively(rates, luck, draws, select)
    own = chosen(standings, select)
    full = [
        chosen(
            [
                Standing(draws, sum(luck.random() < rate for _ in range(draws)), at.tie)
                for rate, at in zip(rates, standings, strict=True)
            ],
            select,
        )
        for _ in range(FULL)
    ]
    return Outcome(
        sum(at.drawn for at in standings) / (samples * draws),
        fmean(overlap(own, each) for each in full),
        fmean(overlap(one, other) for one, other in combinations(full, 2)),
        requests / samples,
        rounds,
        seconds,
    )


def main(repetitions: int) -> int:
    """Print the table; whether all held."""
    select = Select(samples=PLACES, min_solved=2)
    print(f"{SAMPLES} samples, {PLACES} places, {DRAWS} draws, {repetitions} repetitions\n")
    print(
        "| pass rates | draws | overlap | two full scorings | difference, points | requests a sample | rounds | CPU |"
    )
    print("|---|---|---|---|---|---|---|---|")
    held = True
    for name, shape in SHAPES.items():
        luck = random.Random(name)
        found = [once(shape, luck, SAMPLES, DRAWS, select) for _ in range(repetitions)]
        share, off = fmean(one.share for one in found), [100 * (one.overlap - one.full) for one in found]
        error = 1.96 * stdev(off) / len(off) ** 0.5
        held = held and fmean(off) >= -1 and (name not in CHEAP or share <= 0.4)
        print(
            f"| {name} | {share:.1%} | {fmean(one.overlap for one in found):.3f} "
            f"| {fmean(one.full for one in found):.3f} | {fmean(off):+.2f} ± {error:.2f} "
            f"| {fmean(one.requests for one in found):.1f} | {fmean(one.rounds for one in found):.1f} "
            f"| {fmean(one.seconds for one in found):.2f} s |",
            flush=True,
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
