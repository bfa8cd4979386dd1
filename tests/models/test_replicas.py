"""Two servers behind one model name: the load is shared, and one that dies costs nothing. Fakes over real HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sdrl.models.client import Endpoint
from sdrl.models.reach import reach
from sdrl.models.replicas import LEFT_OUT_S, Replicas
from sdrl.models.transport import Answer
from sdrl.spec.loader import load_spec
from tests.models.fake_endpoint import FakeEndpoint
from tests.models.parts import Bench, ask, opened


async def replies(bench: Bench, count: int = 40) -> list[str]:
    """What the model says to ``count`` questions, all asked at once."""
    drawn = await asyncio.gather(*(bench.model.draw(ask(f"question {number}"), [0]) for number in range(count)))
    return [draws[0].text for draws in drawn]


async def test_each_takes_half_and_one_cache_holds_all(tmp_path: Path) -> None:
    async with FakeEndpoint(latency=0.02) as one, FakeEndpoint(latency=0.02) as two:
        async with opened(tmp_path, f"{one.url} {two.url}") as bench:
            first, again = await replies(bench), await replies(bench)
    assert (len(one.calls), len(two.calls)) == (20, 20)
    assert again == first


@pytest.mark.parametrize("how", ["drop", "half", "refused"])
async def test_one_that_dies_costs_nothing(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server drops all from its sixth call on, or was never there: no try fails, nothing is lost."""
    monkeypatch.setattr("sdrl.models.replicas.LEFT_OUT_S", 600.0)
    async with FakeEndpoint() as calm, opened(tmp_path / "calm", calm.url) as bench:
        expected = await replies(bench)

    def dies(call: object) -> str | None:
        return how if len(one.calls) > 5 else None

    one = FakeEndpoint(latency=0.01, fault=dies)
    async with one, FakeEndpoint(latency=0.01) as two:
        if how == "refused":
            await one.stop()
        async with opened(tmp_path / "rough", f"{one.url} {two.url}", concurrency=8) as bench:
            found = await replies(bench)
            usage = bench.ledger.total()
    assert found == expected
    assert {name for name, _ in bench.events} == {"requests"}  # no retry, no pause
    assert usage.requests == 40
    assert len(two.calls) >= 35
    assert len(one.calls) <= 5 + 8  # those under way when it died, and no more


async def test_when_all_are_gone_the_fault_is_seen(tmp_path: Path) -> None:
    async with FakeEndpoint(fault=lambda call: "drop") as one, FakeEndpoint(fault=lambda call: "drop") as two:
        async with opened(tmp_path, f"{one.url} {two.url}") as bench:
            drawn = await bench.model.draw(ask(), [0])
    assert drawn[0].status == "failed"
    assert "connection" in drawn[0].reason
    assert min(len(one.calls), len(two.calls)) >= 1


class Fake:
    """A transport that answers with a status, or raises."""

    def __init__(self, *statuses: int | Exception) -> None:
        self.statuses = list(statuses)
        self.calls = 0

    async def post(self, path: str, body: bytes) -> Answer:
        self.calls += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return Answer(status, {}, b"")

    async def close(self) -> None:
        self.statuses.append(0)


async def test_a_server_that_came_back_is_asked_again_after_a_while() -> None:
    now = [0.0]
    one, two = Fake(503, 200), Fake(200)
    both = Replicas([one, two], lambda: now[0])
    for _ in range(3):
        assert (await both.post("/completions", b"")).status == 200
    assert (one.calls, two.calls) == (1, 3)
    now[0] = LEFT_OUT_S + 0.1
    for _ in range(2):
        assert (await both.post("/completions", b"")).status == 200
    assert (one.calls, two.calls) == (3, 3)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_what_a_server_says_itself_is_its_answer(status: int) -> None:
    one, two = Fake(status), Fake(200)
    assert (await Replicas([one, two]).post("/completions", b"")).status == status
    assert two.calls == 0


@pytest.mark.parametrize("error", [TimeoutError("slow"), ValueError("a bug of ours")])
async def test_a_slow_call_and_a_bug_are_not_sent_elsewhere(error: Exception) -> None:
    two = Fake(200)
    with pytest.raises(type(error)):
        await Replicas([Fake(error), two]).post("/completions", b"")
    assert two.calls == 0


async def test_the_doctor_asks_each(tmp_path: Path) -> None:
    async with FakeEndpoint() as one, FakeEndpoint() as two:
        place = Endpoint("base", f"{one.url} {two.url}", "fake-model")
        found = await reach(place)
        await two.stop()
        lost = await reach(place)
    assert found.is_ok and one.url in found.found and two.url in found.found
    assert not lost.is_ok and two.url in lost.found


HEAD = 'sdrl: 1\nname: a\ntask: {description: d, output_format: o}\nanswer: {type: number, extract: {marker: "####"}}\n'


@pytest.mark.parametrize(
    ("models", "path"),
    [
        ("{instructor: {model: m}, base: {model: b, serve: 'http://a:1/v1 http://b:1/v1'}}", None),
        ("{instructor: {model: m}, base: {model: b, serve: 'http://a:1/v1 b:1'}}", "models.base.serve"),
        (
            "{instructor: {model: m, endpoint: 'http://a:1/v1 http://b:1/v1'}, base: {model: b}}",
            "models.instructor.endpoint",
        ),
    ],
)
def test_several_addresses_are_the_base_models_alone(models: str, path: str | None) -> None:
    found = [item.path for item in load_spec("a.yaml", text=f"{HEAD}models: {models}\n").diagnostics if item.is_error]
    assert found == ([] if path is None else [path])


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://127.0.0.1:1/v1 http://localhost:2/v1", True), ("http://127.0.0.1:1/v1 http://gpu-2:2/v1", False)],
)
def test_they_are_here_only_where_each_is(url: str, here: bool) -> None:
    assert Endpoint("base", url, "m").is_loopback is here
