"""Caps and prices over randomised runs, and what a reply's usage is charged at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.models.bounds import Bounds
from sdrl.models.draws import token_bounds
from sdrl.models.faults import CallFault, from_status
from sdrl.models.ledger import Caps, Price
from sdrl.models.reply import read_reply
from sdrl.models.transport import Answer
from tests.models.money_runs import HOWS, many
from tests.models.parts import ask, opened


def test_no_cap_is_exceeded_by_one_micro_dollar_and_no_bill_is_missed() -> None:
    """``make money`` does the same with a thousand."""
    ends, ways, kills = many(range(120))
    assert set(ways) == set(HOWS)
    assert kills > 10
    assert {"whole", "E701", "E701, whole"} <= set(ends)


def usage_of(usage: dict[str, Any]) -> tuple[int, int, int]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "x"}}
    reply = read_reply(json.dumps({"choices": [choice], "usage": usage}).encode(), "chat")
    assert reply.usage_known
    return reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        # OpenAI: reasoning is part of the completion
        ({"completion_tokens": 50, "total_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 40}}, 50),
        # beside it: the total shows it
        ({"completion_tokens": 50, "total_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 40}}, 90),
        ({"completion_tokens": 50, "total_tokens": 100}, 90),
        # beside it, without a total: more than the whole it should be part of
        ({"completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 70}}, 120),
        ({"completion_tokens": 50, "reasoning_tokens": 70}, 120),
        ({"completion_tokens": 50, "completion_tokens_details": None, "total_tokens": None}, 50),
    ],
)
def test_reasoning_is_billed_once_wherever_it_is_reported(usage: dict[str, Any], read: int) -> None:
    assert usage_of({"prompt_tokens": 10, **usage})[2] == read


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens_details": {"cached_tokens": 7}}, {"prompt_cache_hit_tokens": 7}, {"cached_tokens": 7}]
)
def test_cached_prompt_tokens_are_read_where_providers_say_them(usage: dict[str, Any]) -> None:
    assert usage_of({"prompt_tokens": 10, "completion_tokens": 1, **usage})[1] == 7


def test_a_reservation_holds_where_cached_tokens_cost_more() -> None:
    price = Price(1_000_000, 3_000_000, 10_000_000)
    assert price.most(10, 5) == 80 == price.cost(10, 5, 10)


@pytest.mark.parametrize(("status", "charged"), [(408, True), (504, True), (524, True), (500, False), (503, False)])
def test_a_gateway_that_gave_up_waiting_is_charged(status: int, charged: bool) -> None:
    fault = from_status(status, None, {}, role="instructor", where="http://x", clean=str)
    assert isinstance(fault, CallFault)
    assert fault.charged is charged


class FakeGreedy:
    """A fake transport whose model uses twice what it was allowed."""

    async def post(self, path: str, body: bytes) -> Answer:
        choice = {"index": 0, "finish_reason": "stop", "message": {"content": "x"}}
        usage = {"prompt_tokens": 10_000, "completion_tokens": 128}
        return Answer(200, {}, json.dumps({"choices": [choice], "usage": usage}).encode())

    async def close(self) -> None:
        return None


async def test_an_endpoint_that_uses_more_than_its_bound_is_given_more_room_and_told_of(tmp_path: Path) -> None:
    price, caps = Price(1_000_000, 1_000_000, 1_000_000), Caps(microusd=10_128 * 3 + 5_000)
    async with opened(tmp_path, "http://fake", price=price, caps=caps, through=lambda endpoint: FakeGreedy()) as bench:
        for index in range(3):
            await bench.model.draw(ask(), [index])
        with pytest.raises(Exception, match="E701"):  # by its first bound a fourth would fit
            await bench.model.draw(ask(), [3])
        told = [fields["message"] for kind, fields in bench.events if kind == "warning"]
        spent = bench.ledger.total().microusd
    assert spent == 3 * 10_128
    assert len(told) == 1
    assert "10,000 prompt tokens" in told[0]
    assert "128 completion tokens where 64 were allowed" in told[0]


def test_a_bound_is_widened_to_what_was_seen_and_no_further() -> None:
    bounds, request = Bounds(), ask()
    prompt, completion = token_bounds(request, 2)
    assert bounds.learn(request, 2, prompt, completion or 0) is None
    assert bounds.of(request, 2) == (prompt, completion)
    assert bounds.learn(request, 2, prompt + 5, 3 * (completion or 0))
    assert bounds.of(request, 4) == (prompt + 5, 3 * (token_bounds(request, 4)[1] or 0))
