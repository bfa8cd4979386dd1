"""How a stage's asking is expected to go, where it stops by what comes back: waves of attempts, votes, scoring.

Each follows the rule that the run itself follows, over what is likely instead of what came. Pure.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import lru_cache

from sdrl.compiler.adaptive import TIES, Field, State, pass_rates, wave_of
from sdrl.compiler.schedule import VOTE_WAVES, calls_for, score_wave, vote_wave, wave_size
from sdrl.spec.model import Select

FEW = 10  # expected failures below which they are counted one by one
MOST = 64  # draws of a scoring that is followed; one of more goes about the same way
NONE = 1e-5  # of the samples: so few are none


def expected_attempts(samples: int, most: int, readable: float) -> float:
    """Attempts that stage generate writes until ``samples`` are readable: all at once, then in waves."""
    return _in_waves(samples, most, samples, readable, wave_size(samples))


def expected_refills(samples: int, room: float, readable: float, stay: float, came: float) -> float:
    """Attempts beyond those of generate that stage vote takes until ``samples`` stay: waves of one size."""
    return _in_waves(samples, room, 0, readable * stay, wave_size(samples), done=came, each=stay)


def _in_waves(
    wanted: int, room: float, first: int, rate: float, size: int, *, done: float = 0.0, each: float = 1.0
) -> float:
    """Expected tries until ``wanted`` succeed, in waves, at most ``room``: each wave goes out while too few have.

    ``done`` earlier tries succeed with probability ``each``.
    """
    tried = 0.0
    average, variance = done * each, done * each * (1 - each)
    total = done
    expected = 0.0
    while room - tried > 0.5:
        waiting = 1.0 if first and not tried else _too_few(wanted, total, average, variance)
        if waiting < 1e-3:
            break
        wave = first if first and not tried else max(size, int(wanted - average))
        step = min(wave, room - tried)
        tried, total = tried + step, total + step
        expected += waiting * step
        average += step * rate
        variance += step * rate * (1 - rate)
    return expected


def _too_few(wanted: int, total: float, average: float, variance: float) -> float:
    """The probability that fewer than ``wanted`` of ``total`` tries succeeded; ``average`` are expected to.

    Few failures are taken as Poisson, many as normal.
    """
    failures, bearable = total - average, math.floor(total - wanted + 1e-9)
    if bearable < 0:
        return 1.0
    if failures < FEW:
        return 1 - sum(math.exp(-failures) * failures**count / math.factorial(count) for count in range(bearable + 1))
    return 0.5 * (1 + math.erf((wanted - 0.5 - average) / math.sqrt(2 * variance)))


def vote_course(draws: int, agreement: float, min_agreement: float = 0.0) -> tuple[float, float]:
    """Expected draws and calls of a vote that stops early, where each draw says the answer with this probability.

    All other answers are taken as one rival. Waves are those of ``stages.ballot.draws_to_settle`` and ``vote_wave``.
    """
    open_votes = {(0, 0): 1.0}  # (draws made, votes for the answer) -> probability
    expected_draws = expected_calls = 0.0
    for waves in range(VOTE_WAVES):
        after: dict[tuple[int, int], float] = {}
        for (drawn, votes), chance in open_votes.items():
            left = draws - drawn
            own = max(votes, drawn - votes)
            needed = next(
                more
                for more in range(left + 1)
                if _is_settled(own + more, drawn - own, left - more, draws, min_agreement)
            )
            if not needed:
                continue
            wave = vote_wave(waves, needed, left)
            expected_draws += chance * wave
            expected_calls += chance * calls_for(wave)
            for won in range(wave + 1):
                share = math.comb(wave, won) * agreement**won * (1 - agreement) ** (wave - won)
                state = (drawn + wave, votes + won)
                after[state] = after.get(state, 0.0) + chance * share
        open_votes = after
    return expected_draws, expected_calls


def _is_settled(own: int, other: int, left: int, draws: int, min_agreement: float) -> bool:
    judged = own / draws >= min_agreement or (own + left) / draws < min_agreement
    return left == 0 or (own > other + left and judged)


def score_course(
    samples: float, held: float, draws: int, select: Select, solved: float, spread: float
) -> tuple[float, float]:
    """Expected draws and calls a sample under adaptive scoring; the share ``held`` of them competes for no place.

    Pass rates are taken as beta distributed with mean ``solved``, their two parameters summing to ``spread``.
    """
    if draws > MOST:
        drawn, calls = score_course(samples, held, MOST, select, solved, spread)
        return drawn * draws / MOST, calls
    return _score_course(samples, held, draws, select.model_dump_json(), solved, spread)


@lru_cache(maxsize=64)
def _score_course(
    samples: float, held: float, draws: int, selection: str, solved: float, spread: float
) -> tuple[float, float]:
    """As above; kept, as an estimate is made several times with the same figures."""
    select = Select.model_validate_json(selection)
    first = score_wave(draws)
    competing = samples * (1 - held)
    if select.order == "all" or competing <= 0:
        return float(first), 1.0
    prior = _beta(solved, spread)
    kinds = [(tie, False) for tie in (range(0, TIES, TIES // 8) if select.order == "random" else range(1))]
    start = Field({(0, 0, (0, False)): competing}, draws, select, prior).further(0, 0, first)
    counts: dict[State, float] = {
        (first, right, kind): competing * chance / len(kinds) for right, chance in enumerate(start) for kind in kinds
    }
    asked, calls = competing * first, competing
    while True:
        field = Field(counts, draws, select, prior)
        going = field.unsettled()
        there = sum(counts[state] for state in going)
        wave = wave_of(there, competing, draws)
        if not there:
            return (asked + samples * held * first) / samples, (calls + samples * held) / samples
        after: dict[State, float] = defaultdict(float)
        for state, count in counts.items():
            if count < NONE * competing:
                continue
            drawn, right, kind = state
            more = min(wave, draws - drawn) if state in going else 0
            asked, calls = asked + count * more, calls + count * (more > 0)
            for won, chance in enumerate(field.further(drawn, right, more)):
                after[drawn + more, right + won, kind] += count * chance
        counts = after


def _beta(mean: float, spread: float) -> list[float]:
    """A beta distribution over the grid of pass rates (whose steps are even in the angle, not in the rate)."""
    mean = min(0.99, max(0.01, mean))
    weights = [rate ** (mean * spread - 0.5) * (1 - rate) ** ((1 - mean) * spread - 0.5) for rate in pass_rates()]
    total = sum(weights)
    return [weight / total for weight in weights]
