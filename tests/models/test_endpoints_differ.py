"""Endpoints that speak the protocol with quirks of their own: what is learnt of each, and what a person is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sdrl.models.capabilities import Capabilities, recall, record_key, remember
from sdrl.models.line import Wanted
from sdrl.models.request import Request
from sdrl.spec.diagnostics import SdrlError
from tests.models import imitations
from tests.models.fake_endpoint import Call, FakeEndpoint
from tests.models.imitations import JSON_REPLY, Answer, Body, Imitation, serving
from tests.models.parts import Bench, ask, opened

SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}, "output": {"type": "string"}}}
BLOCKS = {
    "synthesize.sampling": {"temperature": 0.7, "stop": [], "max_tokens": 64},
    "vote.sampling": {"temperature": 0.7, "stop": [], "max_tokens": 64},
}
PLAIN = {"temperature": None, "top_p": 1.0, "top_k": None, "max_tokens": 64, "stop": []}


@asynccontextmanager
async def asking(answer: Callable[[str, Body], Answer], store: Path, **endpoint: Any) -> Any:
    """The imitation and a model that learns what it can, over ``store``."""
    async with serving(answer) as server:
        key = record_key(server.url, "fake-model", "chat")
        wanted = Wanted(
            BLOCKS, lambda: recall(store, key), lambda can: remember(store, key, server.url, "fake-model", can)
        )
        async with opened(store, server.url, sends_seed=False, wanted=wanted, **endpoint) as bench:
            yield server, bench


def known(server: Imitation, store: Path) -> Capabilities:
    found = recall(store, record_key(server.url, "fake-model", "chat"))
    assert found is not None
    return found


def writing(question: str = "one", **changes: Any) -> Request:
    return ask(question, kind="generate", schema_name="generate", schema=SCHEMA, **changes)


async def many(bench: Bench, requests: list[Request]) -> list[str]:
    draws = await asyncio.gather(*(bench.model.draw(request, [0]) for request in requests))
    assert {draw.status for (draw,) in draws} == {"ok"}
    return [draw.text for (draw,) in draws]


async def test_a_reasoning_model_that_refuses_temperature_is_one_error_that_names_the_keys(tmp_path: Path) -> None:
    async with asking(imitations.reasoning_openai, tmp_path) as (server, bench):
        with pytest.raises(ExceptionGroup) as failures:
            async with asyncio.TaskGroup() as group:
                for index in range(50):
                    group.create_task(bench.model.draw(writing(f"question {index}"), [0]))
    failure = failures.value.exceptions[0]
    assert isinstance(failure, SdrlError) and failure.code == "E814"
    assert failure.message.startswith("synthesize.sampling.temperature, vote.sampling.temperature: ")
    assert "temperature: null" in (failure.help or "")
    assert len(server.asked) == 2  # the other name of the token limit was learnt on the way


async def test_a_reasoning_model_works_with_a_null_temperature(tmp_path: Path) -> None:
    async with asking(imitations.reasoning_openai, tmp_path) as (server, bench):
        texts = await many(bench, [writing(f"question {index}", sampling=PLAIN) for index in range(20)])
    assert texts == [JSON_REPLY] * 20
    assert ["max_tokens" in body for body in server.bodies] == [True] + [False] * 20
    assert known(server, tmp_path).max_tokens == "max_completion_tokens"


async def test_too_many_stop_strings_are_one_error_with_the_number_that_is_taken(tmp_path: Path) -> None:
    async with asking(imitations.four_stops_openai, tmp_path) as (server, bench):
        with pytest.raises(SdrlError, match="maximum length 4") as failure:
            await bench.model.draw(ask(sampling={**PLAIN, "stop": list("abcde")}), [0])
        await bench.model.draw(ask(sampling={**PLAIN, "stop": list("abcd")}), [0])
    assert failure.value.message.startswith("vote.sampling.stop: ")
    assert len(server.asked) == 2


async def test_the_responses_api_gives_the_same_draws_one_by_one(tmp_path: Path) -> None:
    async with asking(imitations.responses_openai, tmp_path, api="responses") as (server, bench):
        draws = await bench.model.draw(writing(), range(3))
        cut = await bench.model.draw(writing("cut", sampling={**PLAIN, "max_tokens": 8}), [0])
        calls = bench.cache.query("SELECT prompt_tokens, cached_tokens, completion_tokens, usage_known FROM calls")
    assert [(draw.index, draw.status, draw.text) for draw in draws] == [(at, "ok", JSON_REPLY) for at in range(3)]
    assert (cut[0].status, cut[0].text) == ("truncated", JSON_REPLY[:9])
    assert calls[0] == (9, 4, 5, 1)
    assert {path for path, _ in server.asked} == {"/v1/responses"}
    assert server.bodies[0]["text"]["format"]["name"] == "generate" and server.bodies[0]["store"] is False
    assert [message["role"] for message in server.bodies[0]["input"]] == ["system", "user"]


async def test_ollama_ignores_n_and_is_asked_one_by_one(tmp_path: Path) -> None:
    async with asking(imitations.ollama, tmp_path) as (server, bench):
        draws = await bench.model.draw(writing(), range(8))
        await bench.model.draw(writing("more"), range(4))
    assert [draw.status for draw in draws] == ["ok"] * 8
    assert [body.get("n", 1) for body in server.bodies] == [8, 7, 6] + [1] * 9
    assert (known(server, tmp_path).choices, known(server, tmp_path).structured) == (1, "json_schema")


async def test_ollama_without_its_model_or_its_path_says_what_to_do(tmp_path: Path) -> None:
    async with serving(imitations.ollama) as server, opened(tmp_path, server.url, model="other") as bench:
        with pytest.raises(SdrlError, match="try pulling it first") as failure:
            await bench.model.draw(ask(), [0])
    assert failure.value.code == "E815"
    async with serving(imitations.ollama, base="") as server, opened(tmp_path / "b", server.url) as bench:
        with pytest.raises(SdrlError, match="404 page not found") as failure:
            await bench.model.draw(ask(), [0])
    assert failure.value.code == "E815" and (failure.value.help or "").endswith(f"{server.url}/v1")


async def test_llama_cpp_refuses_n_with_a_500_and_is_asked_one_by_one(tmp_path: Path) -> None:
    async with asking(imitations.llama_cpp, tmp_path) as (server, bench):
        draws = await bench.model.draw(writing(), range(12))
        statuses = bench.cache.query("SELECT status, count(*) FROM calls GROUP BY status")
    assert [draw.text for draw in draws] == [JSON_REPLY] * 12
    assert [body.get("n", 1) for body in server.bodies] == [12, 8] + [1] * 12
    assert dict(statuses) == {"Unsupported": 2, "ok": 12}
    assert known(server, tmp_path).choices == 1


async def test_llama_cpp_that_still_loads_its_model_is_waited_for(tmp_path: Path) -> None:
    async with asking(imitations.loading_llama_cpp(3), tmp_path) as (server, bench):
        assert await many(bench, [writing(str(index)) for index in range(5)]) == [JSON_REPLY] * 5
    assert len(server.asked) == 8


@pytest.mark.parametrize("answer", [imitations.llama_cpp, imitations.vllm])
async def test_a_prompt_beyond_the_context_is_one_failed_row(tmp_path: Path, answer: Any) -> None:
    async with asking(answer, tmp_path) as (_, bench):
        (long,) = await bench.model.draw(ask("long " * 1000), [0])
        (short,) = await bench.model.draw(ask("short"), [0])
    assert (long.status, short.status) == ("failed", "ok")
    assert "context" in long.reason


async def test_vllm_gives_its_choices_in_any_order_with_thought_apart(tmp_path: Path) -> None:
    async with asking(imitations.vllm, tmp_path) as (server, bench):
        chat = await bench.model.draw(ask(), range(4))
        raw = await bench.model.draw(ask(messages=None, prompt="1 + 1 = "), range(4))
    assert [draw.text for draw in chat] == [draw.text for draw in raw] == [f"text {at}" for at in range(4)]
    assert [path for path, _ in server.asked] == ["/v1/chat/completions", "/v1/completions"]
    assert known(server, tmp_path).choices == 64


async def test_a_server_that_knows_functions_alone_is_asked_by_function(tmp_path: Path) -> None:
    async with asking(imitations.tools_only, tmp_path) as (server, bench):
        texts = await many(bench, [writing(str(index)) for index in range(10)])
        reasons = [fields["reasons"] for type_, fields in bench.events if type_ == "endpoint"]
    assert texts == [JSON_REPLY] * 10
    assert ["response_format" in body for body in server.bodies] == [True] + [False] * 10
    assert reasons[-1][0].startswith("json_schema is refused, so tools: HTTP 422")


async def test_a_server_that_accepts_schemas_and_ignores_them_is_asked_for_json_otherwise(tmp_path: Path) -> None:
    async with asking(imitations.ignores_schemas, tmp_path) as (server, bench):
        texts = await many(bench, [writing(str(index)) for index in range(10)])
    assert (texts.count("The sum of one and one is two."), texts.count(JSON_REPLY)) == (2, 8)
    assert known(server, tmp_path).structured == "json_object"


async def test_a_declared_way_that_is_refused_names_its_key(tmp_path: Path) -> None:
    async with asking(imitations.tools_only, tmp_path, structured="json_schema") as (server, bench):
        with pytest.raises(SdrlError) as failure:
            await bench.model.draw(writing(), [0])
    assert failure.value.message.startswith("models.instructor.structured: ")
    assert "structured: auto" in (failure.value.help or "") and len(server.asked) == 1


async def test_a_provider_with_fewer_choices_is_asked_for_as_many_as_it_gives(tmp_path: Path) -> None:
    async with asking(imitations.eight_choices, tmp_path) as (server, bench):
        draws = await bench.model.draw(ask(), range(20))
    assert [draw.status for draw in draws] == ["ok"] * 20
    assert [body.get("n", 1) for body in server.bodies] == [20, 8, 8, 4]


async def test_an_extra_field_that_is_refused_is_named_where_it_stands(tmp_path: Path) -> None:
    def refuses(path: str, body: Body) -> Answer:
        return 400, {"error": {"message": "Unrecognized request argument supplied: 'top_a'", "param": None}}

    async with asking(refuses, tmp_path, extra={"top_a": 0.1}) as (_, bench):
        with pytest.raises(SdrlError) as failure:
            await bench.model.draw(ask(), [0])
    assert failure.value.message.startswith("models.instructor.extra.top_a: ")


async def test_what_was_learnt_is_not_asked_again_by_the_next_run(tmp_path: Path) -> None:
    async with serving(imitations.tools_only) as server:
        key = record_key(server.url, "fake-model", "chat")
        wanted = Wanted(
            BLOCKS, lambda: recall(tmp_path, key), lambda can: remember(tmp_path, key, server.url, "fake-model", can)
        )
        for run in range(2):
            async with opened(tmp_path, server.url, sends_seed=False, wanted=wanted) as bench:
                await many(bench, [writing(f"run {run} question {index}") for index in range(10)])
                sources = [fields["source"] for type_, fields in bench.events if type_ == "endpoint"]
    assert len(server.asked) == 11 + 10
    assert sources == ["store"]


async def test_the_first_call_goes_alone_and_the_others_follow_at_once(tmp_path: Path) -> None:
    peaks: list[int] = []  # the most calls at once, as each one was answered

    def note(call: Call) -> None:
        peaks.append(fake.most_in_flight)

    async with FakeEndpoint(note, latency=0.1) as fake, opened(tmp_path, fake.url, wanted=Wanted(BLOCKS)) as bench:
        await asyncio.gather(*(bench.model.draw(ask(str(index)), [0]) for index in range(30)))
    assert peaks[0] == 1
    assert max(peaks) > 15


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert recall(tmp_path, "key") is None
    (tmp_path / "endpoints.json").write_text('{"version": 1, "endpoints": {"key": {"choices": "many"}}}')
    assert recall(tmp_path, "key") is None
    remember(tmp_path, "key", "http://x/v1", "m", Capabilities(choices=8, refused={"seed": "no"}))
    again = recall(tmp_path, "key")
    assert again is not None and (again.choices, again.refused) == (8, {"seed": "no"})


async def test_without_usage_the_reservation_is_charged_and_said(tmp_path: Path) -> None:
    async with asking(imitations.no_usage, tmp_path) as (_, bench):
        await bench.model.draw(ask(), [0])
        known_usage = bench.cache.query("SELECT usage_known, completion_tokens FROM calls")
    assert known_usage == [(0, 64)]
