"""The circuit breaker: an endpoint that fails is left in peace, tried by one call at a time, and taken up again."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from sdrl.models.breaker import Breaker, RetryPolicy
from sdrl.models.faults import CallFault
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models.fake_endpoint import Call, FakeEndpoint
from tests.models.parts import ask, opened
from tests.models.virtual_time import run_virtually

FAULT = CallFault("server", "HTTP 500: oops")
POLICY = RetryPolicy(first_delay=0.001, most_delay=0.02, silent=30.0, open_after=6)


async def test_an_outage_costs_a_few_calls_and_no_row(tmp_path: Path) -> None:
    down: list[int] = []

    def outage(call: Call) -> str | None:
        if 20 <= call.number < 60:
            down.append(call.number)
            return "500"
        return None

    async with FakeEndpoint(outage) as fake, opened(tmp_path, fake.url, policy=POLICY, concurrency=16) as bench:
        draws = await asyncio.gather(*(bench.model.draw(ask(f"question {i}"), [0]) for i in range(100)))
        states = [fields["state"] for type_, fields in bench.events if type_ == "breaker"]
    assert [draw[0].status for draw in draws] == ["ok"] * 100
    assert states[:2] == ["open", "half_open"] and states[-1] == "closed"
    assert len(down) == 40 and fake.most_in_flight <= 16


def test_an_open_circuit_lets_one_call_try_at_a_time_and_waits_longer_each_time() -> None:
    async def story() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        told: list[tuple[float, str]] = []
        policy = RetryPolicy(silent=1000.0)
        breaker = Breaker(
            "instructor", "http://x", policy, loop.time, lambda state, reason: told.append((loop.time(), state))
        )
        for row in range(12):
            breaker.failure(FAULT, str(row))

        tried: list[int] = []

        async def one(number: int) -> None:
            if await breaker.admit():
                tried.append(number)
                await asyncio.sleep(0.01)
                if len(tried) < 6:
                    breaker.failure(FAULT, str(number), was_trial=True)
                else:
                    breaker.success()

        await asyncio.gather(*(one(number) for number in range(10)))
        return told

    told = run_virtually(story())
    assert [state for _, state in told] == ["open", "half_open"] * 6 + ["closed"]
    pauses = [after - before for (before, a), (after, b) in itertools.pairwise(told) if a == "open"]
    assert pauses == sorted(pauses) and pauses[-1] > 4


def test_a_few_bad_rows_never_open_the_circuit() -> None:
    breaker = Breaker("instructor", "http://x", RetryPolicy())
    for _ in range(8):
        for row in ("a", "b", "c"):
            breaker.failure(FAULT, row)
    assert breaker.state == "closed"


def test_refusals_for_load_are_the_limiters_and_not_the_breakers() -> None:
    breaker = Breaker("instructor", "http://x", RetryPolicy())
    for row in range(100):
        breaker.failure(CallFault("refused", "HTTP 429"), str(row))
    assert breaker.state == "closed"


def test_a_silence_that_lasts_ends_the_run_resumable() -> None:
    now = [0.0]
    breaker = Breaker("instructor", "http://x", RetryPolicy(silent=60.0), lambda: now[0])
    for row in range(12):
        breaker.failure(FAULT, str(row))
    now[0] = 59.0
    breaker.failure(FAULT, "still patient", was_trial=True)
    now[0] = 61.0
    with pytest.raises(SdrlError, match="no usable reply for 61 s") as failure:
        breaker.failure(FAULT, "one more", was_trial=True)
    assert failure.value.exit == Exit.STOPPED


async def test_a_trying_call_that_is_cancelled_leaves_the_next_one_to_try() -> None:
    breaker = Breaker("instructor", "http://x", RetryPolicy(first_delay=0.0))
    for row in range(12):
        breaker.failure(FAULT, str(row))
    assert await breaker.admit()
    breaker.trial_ended()
    assert await breaker.admit()


def test_the_first_tries_are_not_doubled_where_the_endpoint_answers_the_others_well() -> None:
    policy, fault = RetryPolicy(first_delay=1.0), CallFault("server", "500")
    assert max(policy.delay(3, fault, is_healthy=True) for _ in range(500)) <= 1.0
    assert 1.0 < max(policy.delay(5, fault, is_healthy=True) for _ in range(500)) <= 4.0
    assert 3.0 < max(policy.delay(3, fault) for _ in range(500)) <= 4.0
    refusal = CallFault("refused", "429")  # a sign of load: it is doubled whoever else is answered
    assert 3.0 < max(policy.delay(3, refusal, is_healthy=True) for _ in range(500)) <= 4.0


def test_an_endpoint_is_healthy_once_it_has_answered_many_and_no_longer_when_it_fails_half() -> None:
    breaker = Breaker("instructor", "http://x", RetryPolicy())
    assert not breaker.is_healthy
    for _ in range(100):
        breaker.success()
    assert breaker.is_healthy
    for number in range(100):
        breaker.failure(CallFault("server", "500"), f"row {number}")
        breaker.success()
    assert not breaker.is_healthy
