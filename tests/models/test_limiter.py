"""The limiter against imitations of servers with a hidden capacity, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from sdrl.models.limiter import Limiter
from tests.models.imitation_capacity import Capacity, InFlight, Never, Outcome, TokenBucket, ask_all
from tests.models.virtual_time import run_virtually

LATENCY = 0.2


def asked(capacity: Capacity, rows: int = 4000, latency: Callable[[], float] = lambda: LATENCY) -> Outcome:
    rng = random.Random(1)
    return run_virtually(ask_all(capacity, rows=rows, latency=latency, retry_delay=lambda: rng.uniform(0.05, 0.15)))


@pytest.mark.parametrize("places", [1, 3, 8, 40, 64, 200, 255])
def test_a_server_with_a_number_of_places_is_filled_and_seldom_refuses(places: int) -> None:
    outcome = asked(InFlight(lambda now: places))
    assert outcome.refused_share < 0.02
    assert outcome.rate() > 0.9 * places / (LATENCY + 0.001)


@pytest.mark.parametrize(("rate", "burst"), [(50, 5), (100, 20), (100, 50), (200, 20), (500, 20), (1000, 50)])
def test_a_server_with_a_rate_is_used_up_and_seldom_refuses(rate: int, burst: int) -> None:
    outcome = asked(TokenBucket(lambda now: rate, burst), rows=8000)
    assert outcome.refused_share < 0.02
    assert outcome.rate() > 0.9 * rate


@pytest.mark.parametrize("spread", [0.3, 0.6])
def test_replies_that_take_differently_long_do_not_mislead_it(spread: float) -> None:
    rng = random.Random(2)
    mean = LATENCY * 2.718281828 ** (spread**2 / 2)
    latency = lambda: LATENCY * rng.lognormvariate(0, spread)  # noqa: E731
    outcome = asked(InFlight(lambda now: 64), latency=latency)
    assert outcome.refused_share < 0.02
    assert outcome.rate() > 0.9 * 64 / mean
    outcome = asked(TokenBucket(lambda now: 200, 20), rows=8000, latency=latency)
    assert outcome.refused_share < 0.02
    assert outcome.rate() > 0.9 * 200


def test_a_slow_model_behind_a_quick_gate_is_filled() -> None:
    outcome = asked(InFlight(lambda now: 32), rows=2000, latency=lambda: 8.0)
    assert outcome.refused_share < 0.02
    assert outcome.rate() > 0.9 * 32 / 8.0


def test_a_capacity_that_falls_is_followed_down_and_one_that_rises_up() -> None:
    outcome = asked(InFlight(lambda now: 40 if 5 < now < 15 else 120), rows=16000)
    between = sum(10 < at < 15 for at in outcome.answered_at) / 5
    afterwards = sum(30 < at < 35 for at in outcome.answered_at) / 5
    assert between > 0.9 * 40 / (LATENCY + 0.001)
    assert afterwards > 0.9 * 120 / (LATENCY + 0.001)
    assert outcome.refused_share < 0.02


def test_wider_is_not_tried_again_and_again_where_a_bucket_of_tokens_refuses_it() -> None:
    outcome = asked(TokenBucket(lambda now: 200, 20), rows=8000)
    late = [at for at, _, reason in outcome.widths if at > 10 and reason.endswith("calls refused")]
    assert len(late) <= 5  # each time for twice as many calls, not every few seconds
    assert outcome.refused_share < 0.01


def test_an_endpoint_that_refuses_nothing_is_asked_at_full_width_and_never_paced() -> None:
    outcome = asked(InFlight(lambda now: 1000))
    assert outcome.widths == []
    assert outcome.rate(after=0.5) > 0.98 * 256 / (LATENCY + 0.001)  # the start is spread over a fifth of a second


def test_single_refusals_that_have_nothing_to_do_with_load_narrow_nothing() -> None:
    outcome = asked(Never(0.02, random.Random(3)), rows=20000)
    assert outcome.rate() > 0.9 * 256 / (LATENCY + 0.001)


def test_many_refusals_at_any_width_are_not_taken_for_load() -> None:
    outcome = asked(Never(0.2, random.Random(4)), rows=20000)
    assert any("at any width" in reason for _, _, reason in outcome.widths)
    assert outcome.rate() > 0.3 * 256 / (LATENCY + 0.001)


def test_every_turn_of_the_width_is_told_with_its_reason() -> None:
    told = asked(InFlight(lambda now: 64)).widths
    assert told[0][2].endswith("calls refused") and "wider" in {reason for _, _, reason in told}
    assert 55 < told[-1][1] <= 70


async def test_a_cancelled_wait_for_a_place_passes_the_place_on() -> None:
    limiter = Limiter(1)
    await limiter.acquire()
    waiters = [asyncio.create_task(limiter.acquire()) for _ in range(2)]
    await asyncio.sleep(0)
    limiter.release()
    waiters[0].cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert waiters[1].done() and limiter.in_flight == 1
