"""Money: what a call costs, and that no cap is ever exceeded."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from sdrl.models.cache import Cache, CallRecord
from sdrl.models.draws import token_bounds
from sdrl.models.ledger import Caps, Ledger, Price, Usage, micro
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.model import Price as SpecPrice
from tests.models.fake_endpoint import FakeEndpoint
from tests.models.parts import ask, opened

PRICE = Price.of(SpecPrice(input=2.5, cached_input=1.25, output=10.0))


def test_prices_are_integers_and_a_call_is_rounded_up() -> None:
    assert PRICE == Price(2_500_000, 1_250_000, 10_000_000)
    assert PRICE.cost(1, 0) == 3  # 2.5 micro-dollars
    assert PRICE.cost(1000, 100, 400) == 600 * 25 // 10 + 400 * 125 // 100 + 1000
    assert micro(0.1) + micro(0.2) == micro(0.3)


async def test_usage_is_kept_by_stage_and_role_and_outlives_the_process(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake:
        async with opened(tmp_path, fake.url, price=PRICE) as bench:
            await bench.model.draw(ask(), range(2))
            with bench.ledger.charging("generate"):
                await bench.model.draw(ask("other"), [0])
        async with opened(tmp_path, fake.url, price=PRICE) as bench:
            vote, generate = bench.ledger.total(stage="vote"), bench.ledger.total(stage="generate")
    assert (vote.requests, vote.tokens, vote.microusd) == (1, 11 + 14, PRICE.cost(11, 14))
    assert (generate.requests, generate.microusd) == (1, PRICE.cost(11, 7))


async def test_a_reply_without_usage_is_charged_at_its_reservation(tmp_path: Path) -> None:
    async with FakeEndpoint(usage=False) as fake, opened(tmp_path, fake.url, price=PRICE) as bench:
        await bench.model.draw(ask(), [0])
        spent = bench.ledger.total().microusd
    prompt, completion = token_bounds(ask(), 1)
    assert spent == PRICE.cost(prompt, completion or 0)


@pytest.mark.parametrize("seed", range(6))
async def test_no_cap_is_exceeded_however_many_ask_at_once(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    worst = PRICE.cost(*[bound or 0 for bound in token_bounds(ask("question 10"), 1)])
    caps = Caps(microusd=worst * rng.randint(1, 6) + rng.randint(0, worst), requests=rng.choice([None, 25]))
    faults = ["drop", "500", "half", None, None, None]
    async with FakeEndpoint(lambda call: rng.choice(faults), latency=0.002) as fake:
        async with opened(tmp_path, fake.url, price=PRICE, caps=caps, concurrency=16) as bench:
            jobs = [bench.model.draw(ask(f"question {10 + i}"), [0]) for i in range(80)]
            results = await asyncio.gather(*jobs, return_exceptions=True)
            stored = bench.cache.query("SELECT sum(microusd), count(*) FROM calls")[0]
            spent = bench.ledger.total()
    errors = [result for result in results if isinstance(result, BaseException)]
    assert errors and {(e.code, e.exit) for e in errors if isinstance(e, SdrlError)} == {("E701", Exit.BUDGET)}
    assert stored == (spent.microusd, spent.requests)
    assert caps.microusd is not None and spent.microusd <= caps.microusd
    assert spent.requests == len(fake.calls) <= (caps.requests or 1000)
    assert "budget reached" in str(errors[0])


async def test_a_raised_cap_goes_on_where_the_budget_ended(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake:
        async with opened(tmp_path, fake.url, caps=Caps(requests=3)) as bench:
            with pytest.raises(SdrlError, match="requests 3 of 3"):
                for index in range(9):
                    await bench.model.draw(ask(f"question {index}"), [0])
        async with opened(tmp_path, fake.url, caps=Caps(requests=9)) as bench:
            for index in range(9):
                await bench.model.draw(ask(f"question {index}"), [0])
    assert len(fake.calls) == 9


async def test_a_call_that_was_open_at_a_kill_counts_in_full(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    await cache.open_call(CallRecord("run", "vote", "instructor", "k", 0, 1, 1, "open", microusd=70, prompt_tokens=9))
    cache.close()
    cache = Cache(tmp_path)
    ledger = Ledger(cache, "run", Caps(microusd=100))
    with pytest.raises(SdrlError):
        await ledger.reserve("instructor", 31, 0)
    await ledger.settle(await ledger.reserve("instructor", 30, 0), Usage(requests=1))
    assert Ledger(cache, "another run").total().microusd == 0
    cache.close()


async def test_under_a_cap_a_request_without_max_tokens_is_refused(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, caps=Caps.of(usd=1.0)) as bench:
        with pytest.raises(SdrlError, match="max_tokens") as failure:
            await bench.model.draw(ask(sampling={"temperature": 1.0}), [0])
    assert (failure.value.code, fake.calls) == ("E702", [])


async def test_a_free_model_runs_under_a_budget_of_zero_dollars(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, caps=Caps.of(usd=0.0, requests=5)) as bench:
        assert (await bench.model.draw(ask(), [0]))[0].status == "ok"
