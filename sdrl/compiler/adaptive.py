"""Adaptive scoring: which samples need further draws before the M that train can be named. Pure: asks nobody.

Two full scorings of the same samples do not choose the same M, as pass rates are estimates. What counts is the
**overlap** with the choice that a full scoring of its own would make; drawing stops when going on is expected to win
less than ``LOSS`` of the places.

1. **Pass rates.** The distribution of pass rates over all samples is estimated from all draws so far, by maximum
   likelihood on a grid (Kiefer and Wolfowitz 1956, by EM); a sample's own posterior follows from its draws. When to
   stop depends on draws alone, so that the likelihood is what it would be without stopping.
2. **Predicted threshold.** Every sample's count over all L draws is predicted, and with it how many samples stand
   before each place (``compiler.places``), hence where place M falls and how sure that is. So each pass rate has a
   chance to be chosen by a full scoring, and each sample a mean q of it.
3. **What going on is worth.** A place given to a sample is worth its q less what the place is worth otherwise (the M-th
   best q, or that of the last that would be chosen now). Today's choice is by pass rates over own draws, where a sample
   counts as solvable only once its own draws show it; after all L draws a sample is chosen when its q then is worth it.
   The difference of the two, in expectation over the draws to come, is what is lost by stopping at the sample.
4. **Stopping.** Samples stop from the smallest loss a draw on, while their losses sum to at most ``LOSS`` times M; the
   others get ``score_wave`` further draws each (more where few are left, so that no round is nearly empty), and all is
   judged anew: a sample may go on that had stopped.

No paper is followed. Related: optimal computing budget allocation for subset selection (Chen et al. 2008) and the
knowledge gradient (Frazier et al. 2008), which spend a given budget; here the loss is given and the budget follows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import add, mul
from typing import NamedTuple

from sdrl.compiler.places import Place, place
from sdrl.compiler.schedule import SCORE_FEW, score_wave
from sdrl.spec.model import Select

LOSS = 0.0055  # of the places: with two full scorings as the measure, within one point on every shape tried
GRID = 40  # pass rates, denser towards 0 and 1
STEPS = 100  # of EM; more would sharpen what the draws do not show
LAST = 0.1  # of the places: those whose worth is that of a place that becomes free
FEW_TIES = (0.125, 0.375, 0.625, 0.875)  # where they hardly count
TIES = 128  # kinds of places among equals, where the order is decided by them


class Standing(NamedTuple):
    """One sample so far. ``tie``: its place among equals, in [0, 1)."""

    drawn: int
    correct: int
    tie: float = 0.5
    is_doubted: bool = False


Kind = tuple[int, bool]  # kind of tie, whether the label is doubted (where that matters)
State = tuple[int, int, Kind]  # drawn, correct, kind


def further_draws(standings: Sequence[Standing], draws: int, select: Select) -> list[int]:
    """How many further draws each sample gets now, of ``draws`` in all; nothing for any when all is settled.

    ``standings`` are all samples that compete for a place, with the same first draws behind each. Deterministic.
    """
    if select.order == "all" or not standings:  # everything trains: there is no place to settle
        return [0] * len(standings)
    states = [_state(each, select) for each in standings]
    counts: dict[State, float] = defaultdict(float)
    for state in states:
        counts[state] += 1
    going = Field(counts, draws, select).unsettled()
    wave = wave_of(sum(counts[state] for state in going), len(states), draws)
    return [min(wave, draws - state[0]) if state in going else 0 for state in states]


def wave_of(going: float, samples: float, draws: int) -> int:
    """Further draws for each of those that go on: where few do, more at once."""
    return score_wave(draws) * max(1, math.ceil(samples / SCORE_FEW / going)) if going else 0


def _state(standing: Standing, select: Select) -> State:
    tie = min(TIES - 1, int(standing.tie * TIES)) if select.order == "random" else 0
    return standing.drawn, standing.correct, (tie, standing.is_doubted and select.doubted != "keep")


class Field:
    """All samples at one moment, as counts (or expected counts) by state.

    ``prior``: the distribution over ``pass_rates()`` where it is known; None: estimated from the counts.
    """

    def __init__(
        self, counts: Mapping[State, float], draws: int, select: Select, prior: Sequence[float] | None = None
    ) -> None:
        self._counts, self._draws, self._select = counts, draws, select
        self._places = float(select.samples)
        by_draws: dict[tuple[int, int], float] = defaultdict(float)
        for (drawn, correct, _), count in counts.items():
            by_draws[drawn, correct] += count
        doubts = sorted({kind[1] for _, _, kind in counts})
        self._places_by_count = {
            doubt: [self._at(right, draws, doubt) for right in range(draws + 1)] for doubt in doubts
        }
        self._prior = list(prior) if prior is not None else _estimated(by_draws)
        self._posteriors: dict[tuple[int, int], list[float]] = {}
        self._finals = {each: self.further(*each, draws - each[0]) for each in by_draws}
        self._chances = self._chances_of_rates()
        self._worth = {state: self._chance(state) for state in counts}
        self._gains: dict[Kind, list[float]] = {}

    def unsettled(self) -> set[State]:
        """The states whose samples go on."""
        chosen = self._chosen_now()
        otherwise = self._worth_of_a_place(chosen)
        losses = {
            state: self._loss(state, chosen.get(state, 0.0), otherwise)
            for state in self._counts
            if state[0] < self._draws
        }
        going = set(losses)
        allowed = LOSS * self._places
        for state in sorted(losses, key=lambda state: (losses[state] / (self._draws - state[0]), state)):
            allowed -= losses[state] * self._counts[state]
            if allowed < 0:
                break
            going.discard(state)
        return going

    def further(self, drawn: int, correct: int, more: int) -> list[float]:
        """The chance of each number of right draws among ``more`` further ones, 0 to ``more``."""
        posterior = self._posterior(drawn, correct)
        return [sum(map(mul, posterior, column)) for column in _chances_of_counts(more)]

    def _posterior(self, drawn: int, correct: int) -> list[float]:
        """Over the pass rates of the grid."""
        found = self._posteriors.get((drawn, correct))
        if found is None:
            weights = list(map(mul, _likelihood(drawn, correct), self._prior))
            total = sum(weights)
            found = self._posteriors[drawn, correct] = [weight / total for weight in weights]
        return found

    def _at(self, correct: int, drawn: int, is_doubted: bool) -> Place | None:
        """A doubt stays while the right answers are no majority."""
        return place(correct, drawn, self._select, is_doubted=is_doubted and 2 * correct <= drawn)

    def _chances_of_rates(self) -> dict[Kind, list[float]]:
        """By kind: the chance of each pass rate of the grid to be chosen by a full scoring."""
        places = self._places_by_count
        sizes: dict[Place, float] = dict.fromkeys(
            sorted({each for by_count in places.values() for each in by_count if each is not None}), 0.0
        )
        for (drawn, correct, (_, doubt)), count in self._counts.items():
            for right, chance in enumerate(self._finals[drawn, correct], start=correct):
                if (at := places[doubt][right]) is not None:
                    sizes[at] += count * chance
        before: dict[Place, float] = {}
        total = 0.0
        for at, size in sizes.items():
            before[at], total = total, total + size
        columns = _chances_of_counts(self._draws)
        reach = {doubt: _chances_of_places(by_count, columns) for doubt, by_count in places.items()}

        def chances(doubt: bool, spread: float, ties: Sequence[float]) -> list[float]:
            """Of each pass rate, where place M is known to within ``spread``; over all of ``ties``."""
            by_rate = [0.0] * GRID
            for at, column in reach[doubt].items():
                weight = sum(_normal((self._places - before[at] - tie * sizes[at]) / spread) for tie in ties) / len(
                    ties
                )
                by_rate = [so_far + weight * chance for so_far, chance in zip(by_rate, column, strict=True)]
            return by_rate

        sharp = chances(min(reach), 0.5, FEW_TIES)
        samples = sum(self._counts.values())
        open_ = samples * sum(share * chance * (1 - chance) for share, chance in zip(self._prior, sharp, strict=True))
        spread = max(0.5, math.sqrt(max(0.0, open_)))
        if self._select.order == "random":
            return {
                (tie, doubt): chances(doubt, spread, [(tie + 0.5) / TIES]) for tie in range(TIES) for doubt in reach
            }
        return {(0, doubt): chances(doubt, spread, FEW_TIES) for doubt in reach}

    def _chance(self, state: State) -> float:
        return float(sum(map(mul, self._posterior(state[0], state[1]), self._chances[state[2]])))

    def _chosen_now(self) -> dict[State, float]:
        """The share of each state's samples that today's draws choose, in the order of their places."""
        placed = []
        for state in self._counts:
            at = self._at(state[1], state[0], state[2][1])
            if at is not None:
                placed.append((at, state[2], state))
        chosen: dict[State, float] = {}
        free = self._places
        for _, _, state in sorted(placed):
            taken = min(free, self._counts[state])
            chosen[state] = taken / self._counts[state]
            free -= taken
        return chosen

    def _worth_of_a_place(self, chosen: Mapping[State, float]) -> float:
        """What a place is worth otherwise: the M-th best q, or the mean q of the last that are chosen now.

        Places that nobody takes are worth nothing.
        """
        best, free = 0.0, self._places
        for state in sorted(self._counts, key=lambda state: (-self._worth[state], state)):
            best, free = self._worth[state], free - self._counts[state]
            if free <= 0:
                break
        taken = {state: share * self._counts[state] for state, share in chosen.items()}
        wanted = LAST * self._places
        found, worth = max(0.0, self._places - sum(taken.values())), 0.0
        for state in reversed(taken):
            if found >= wanted:
                break
            step = min(taken[state], wanted - found)
            found, worth = found + step, worth + step * self._worth[state]
        return min(best if free <= 0 else 0.0, worth / wanted)

    def _loss(self, state: State, chosen: float, otherwise: float) -> float:
        """What is lost, in places, by stopping at one sample of this state."""
        drawn, correct, kind = state
        if kind not in self._gains:
            full = [(self._draws, right, kind) for right in range(self._draws + 1)]
            self._gains[kind] = [max(0.0, self._chance(each) - otherwise) for each in full]
        later = float(sum(map(mul, self._finals[drawn, correct], self._gains[kind][correct:])))
        return max(0.0, later - chosen * (self._worth[state] - otherwise))


@lru_cache(maxsize=1)
def pass_rates() -> tuple[float, ...]:
    """The grid: squared sines of even steps, so that a binomial share is about as exact everywhere."""
    return tuple(math.sin(math.pi / 2 * (at + 0.5) / GRID) ** 2 for at in range(GRID))


@lru_cache(maxsize=256)
def _chances_of_counts(draws: int) -> tuple[tuple[float, ...], ...]:
    """By number of right draws, 0 to ``draws``: the chance of it at each pass rate of the grid."""
    ways = [math.lgamma(draws + 1) - math.lgamma(n + 1) - math.lgamma(draws - n + 1) for n in range(draws + 1)]
    return tuple(tuple(math.exp(ways[n] + each) for each in _logarithms(draws, n)) for n in range(draws + 1))


def _chances_of_places(places: Sequence[Place | None], columns: Sequence[Sequence[float]]) -> dict[Place, list[float]]:
    """By place: the chance of it at each pass rate of the grid."""
    reach: dict[Place, list[float]] = {}
    for at, column in zip(places, columns, strict=True):
        if at is not None:
            reach[at] = list(map(add, reach.get(at, [0.0] * GRID), column))
    return reach


@lru_cache(maxsize=8192)
def _likelihood(drawn: int, correct: int) -> tuple[float, ...]:
    """Of each pass rate of the grid, the largest being 1."""
    logarithms = _logarithms(drawn, correct)
    most = max(logarithms)
    return tuple(math.exp(each - most) for each in logarithms)


def _logarithms(drawn: int, correct: int) -> list[float]:
    wrong = drawn - correct
    return [correct * right_log + wrong * wrong_log for right_log, wrong_log in _log_rates()]


@lru_cache(maxsize=1)
def _log_rates() -> tuple[tuple[float, float], ...]:
    return tuple((math.log(rate), math.log1p(-rate)) for rate in pass_rates())


def _estimated(by_draws: Mapping[tuple[int, int], float]) -> list[float]:
    """The distribution of pass rates over the grid that makes the draws likeliest, by EM from an even one."""
    counts = list(by_draws.values())
    rows = [_likelihood(*each) for each in by_draws]
    columns = list(zip(*rows, strict=True))
    total = sum(counts)
    prior = [1 / GRID] * GRID
    for _ in range(STEPS):
        weights = [count / sum(map(mul, row, prior)) for count, row in zip(counts, rows, strict=True)]
        # half a sample is spread evenly: no pass rate is ruled out
        prior = [
            (share * sum(map(mul, column, weights)) + 0.5 / GRID) / (total + 0.5)
            for share, column in zip(prior, columns, strict=True)
        ]
    return prior


def _normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))
