"""Every fault an endpoint can show: rows arrive and none is lost, or the run stops at once with one clear error."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from sdrl.models.breaker import RetryPolicy
from sdrl.models.request import Draw
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models import parts
from tests.models.fake_endpoint import Call, FakeEndpoint, reply_text
from tests.models.openai_transport import OpenAITransport
from tests.models.parts import HASTY, Bench, ask, opened

PASSING = ["429", "429_after", "500", "503", "html", "json_no_choices", "empty_choices", "drop", "half"]
KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True, params=[None, OpenAITransport], ids=["ours", "openai"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault means the same through our transport and through openai's client."""
    monkeypatch.setattr(parts, "THROUGH", request.param)


async def all_rows(bench: Bench, rows: int = 40) -> list[Draw]:
    draws = await asyncio.gather(*(bench.model.draw(ask(f"question {i}"), [0]) for i in range(rows)))
    return [draw for one in draws for draw in one]


@pytest.mark.parametrize("fault", PASSING)
async def test_a_passing_fault_costs_a_retry_and_no_row(tmp_path: Path, fault: str) -> None:
    def every_third_first_try(call: Call) -> str | None:
        return fault if call.repeat == 0 and call.number % 3 == 0 else None

    async with FakeEndpoint(every_third_first_try) as fake, opened(tmp_path, fake.url) as bench:
        draws = await all_rows(bench)
        tries = bench.cache.query("SELECT status, count(*) FROM calls GROUP BY status")
    assert [draw.status for draw in draws] == ["ok"] * 40
    assert len({draw.text for draw in draws}) == 40
    assert dict(tries)["ok"] == 40 and sum(count for _, count in tries) == len(fake.calls) > 40
    assert any(type_ == "retry" for type_, _ in bench.events)


async def test_half_of_all_calls_failing_in_every_way_loses_no_row(tmp_path: Path) -> None:
    faulty = lambda call: PASSING[call.number // 2 % len(PASSING)] if call.number % 2 else None  # noqa: E731
    async with FakeEndpoint(faulty) as fake, opened(tmp_path, fake.url, concurrency=32) as bench:
        draws = await all_rows(bench, 200)
    assert [draw.status for draw in draws].count("ok") == 200


async def test_retry_after_delays_its_own_row_only(tmp_path: Path) -> None:
    slow = lambda call: "429_after" if call.body["messages"][1]["content"] == "question 0" and not call.repeat else None  # noqa: E731
    async with FakeEndpoint(slow) as fake, opened(tmp_path, fake.url) as bench:
        done: list[int] = []

        async def one(index: int) -> None:
            await bench.model.draw(ask(f"question {index}"), [0])
            done.append(index)

        await asyncio.gather(*(one(i) for i in range(20)))
    assert done[-1] == 0 and len(fake.calls) == 21


@pytest.mark.parametrize("fault", ["one_choice", "too_many"])
async def test_a_wrong_number_of_choices_still_gives_every_draw(tmp_path: Path, fault: str) -> None:
    async with (
        FakeEndpoint(lambda call: fault if "n" in call.body else None) as fake,
        opened(tmp_path, fake.url) as bench,
    ):
        draws = await bench.model.draw(ask(), range(12))
        texts = [reply_text({**call.body, "seed": 100}, i) for call in fake.calls[:1] for i in range(12)]
    assert [draw.text for draw in draws] == texts
    assert len(fake.calls) <= 12


async def test_an_endpoint_that_refuses_n_is_asked_one_by_one_from_then_on(tmp_path: Path) -> None:
    async with (
        FakeEndpoint(lambda call: "400_n" if "n" in call.body else None) as fake,
        opened(tmp_path, fake.url) as bench,
    ):
        draws = await bench.model.draw(ask(), range(8)) + await bench.model.draw(ask("other"), range(8))
    assert [draw.status for draw in draws] == ["ok"] * 16
    assert sum("n" in call.body for call in fake.calls) == 1


async def test_parameters_that_are_refused_are_written_the_other_way(tmp_path: Path) -> None:
    def picky(call: Call) -> str | None:
        if "max_tokens" in call.body:
            return "400_max_tokens"
        return "400_response_format" if call.body.get("response_format", {}).get("type") == "json_schema" else None

    async with FakeEndpoint(picky) as fake, opened(tmp_path, fake.url) as bench:
        draws = await bench.model.draw(ask(schema_name="keywords", schema={"type": "object"}), [0])
    assert draws[0].status == "ok"
    assert fake.calls[-1].body["max_completion_tokens"] == 64
    assert fake.calls[-1].body["tool_choice"] == {"type": "function", "function": {"name": "keywords"}}


async def test_one_row_that_always_fails_is_given_up_and_asked_again_by_the_next_run(tmp_path: Path) -> None:
    poison = lambda call: "500" if call.body["messages"][1]["content"] == "question 3" else None  # noqa: E731
    async with FakeEndpoint(poison) as fake, opened(tmp_path, fake.url) as bench:
        draws = await all_rows(bench)
    assert [draw.index for draw in draws if draw.status == "failed"] == [0]
    assert "no usable reply in 8 tries: HTTP 500" in draws[3].reason
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url) as bench:
        again = await all_rows(bench)
    assert again[3].status == "ok" and len(fake.calls) == 1


async def test_a_prompt_that_is_too_long_fails_its_row_alone(tmp_path: Path) -> None:
    async with FakeEndpoint(lambda call: "400_long") as fake, opened(tmp_path, fake.url) as bench:
        draw = (await bench.model.draw(ask(), [0]))[0]
    assert (draw.status, len(fake.calls)) == ("failed", 1)
    assert "too long" in draw.reason


async def test_a_filtered_reply_is_a_filtered_draw(tmp_path: Path) -> None:
    async with FakeEndpoint(lambda call: "content_filter") as fake, opened(tmp_path, fake.url) as bench:
        draw = (await bench.model.draw(ask(), [0]))[0]
    assert (draw.status, len(fake.calls)) == ("filtered", 1)


@pytest.mark.parametrize(
    ("fault", "code"), [("401", "E811"), ("403", "E812"), ("quota", "E813"), ("400", "E814"), ("404", "E815")]
)
async def test_a_refused_key_quota_or_request_stops_at_once_with_one_clear_error(
    tmp_path: Path, fault: str, code: str
) -> None:
    async with (
        FakeEndpoint(lambda call: fault, latency=0.005) as fake,
        opened(tmp_path, fake.url, concurrency=4) as bench,
    ):
        with pytest.raises(ExceptionGroup) as failures:
            async with asyncio.TaskGroup() as group:
                for index in range(100):
                    group.create_task(bench.model.draw(ask(f"question {index}"), [0]))
    failure = failures.value.exceptions[0]
    assert isinstance(failure, SdrlError)
    assert (failure.code, failure.exit) == (code, Exit.PROBLEMS)
    assert failure.help
    assert len(fake.calls) <= 8


async def test_the_key_appears_nowhere_but_in_the_header(tmp_path: Path) -> None:
    faults = iter(["500", "html", "401"])
    async with FakeEndpoint(lambda call: next(faults)) as fake, opened(tmp_path, fake.url, key=KEY) as bench:
        with pytest.raises(SdrlError) as failure:
            await bench.model.draw(ask(), [0])
        kept = repr(bench.cache.query("SELECT * FROM calls")) + repr(bench.events)
    assert fake.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(failure.value) + kept
    assert "***" in kept
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in stored


async def test_an_endpoint_that_never_answers_ends_the_run_in_bounded_time_and_resumable(tmp_path: Path) -> None:
    with socket.socket() as taken:  # and not listened at: nobody else can come to serve there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        async with opened(tmp_path, url, policy=HASTY) as bench:
            with pytest.raises(SdrlError, match="cannot be reached") as failure:
                await bench.model.draw(ask(), [0])
            assert bench.ledger.total().requests == 0
    assert (failure.value.code, failure.value.exit) == ("E816", Exit.STOPPED)
    assert RetryPolicy().never_answered <= 20


async def test_an_endpoint_that_dies_for_good_ends_the_run_and_keeps_what_it_gave(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, policy=HASTY) as bench:
        await bench.model.draw(ask("before"), [0])
        await fake.stop()
        with pytest.raises(SdrlError) as failure:
            await bench.model.draw(ask("after"), [0])
    assert (failure.value.code, failure.value.exit) == ("E817", Exit.STOPPED)
    async with opened(tmp_path, "http://nowhere.invalid", offline=True) as bench:
        assert (await bench.model.draw(ask("before"), [0]))[0].cached


async def test_an_endpoint_that_fails_every_request_ends_the_run_instead_of_losing_the_rows(tmp_path: Path) -> None:
    async with FakeEndpoint(lambda call: "500") as fake, opened(tmp_path, fake.url) as bench:
        with pytest.raises(SdrlError) as failure:
            for index in range(100):
                await bench.model.draw(ask(f"question {index}"), [0])
    assert failure.value.exit == Exit.STOPPED
    assert len(fake.calls) <= 8 * 8
