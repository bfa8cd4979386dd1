"""Drawing through the cache: what is paid for, what is sent, what a replay gives."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sdrl.models.draws import chunks, share_out
from sdrl.models.ledger import Price
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models.fake_endpoint import FakeEndpoint, reply_text
from tests.models.parts import ask, opened


async def test_thirty_two_draws_after_sixteen_pay_for_sixteen(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, price=Price(1_000_000, 0, 2_000_000)) as bench:
        first = await bench.model.draw(ask(), range(16))
        paid = bench.ledger.total().microusd
        both = await bench.model.draw(ask(), range(32))
        usage = bench.ledger.total()
    assert [call.body["n"] for call in fake.calls] == [16, 16]
    assert [call.body["seed"] for call in fake.calls] == [100, 116]
    assert [draw.text for draw in both[:16]] == [draw.text for draw in first]
    assert [draw.index for draw in both] == list(range(32))
    assert len({draw.text for draw in both}) == 32
    assert (usage.microusd, usage.saved_microusd, usage.saved_requests) == (2 * paid, paid, 1)


async def test_a_draw_is_the_same_however_many_were_asked_with_it(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake:
        async with opened(tmp_path / "a", fake.url) as bench:
            together = await bench.model.draw(ask(), range(70))
        async with opened(tmp_path / "b", fake.url) as bench:
            alone = [(await bench.model.draw(ask(), [index]))[0] for index in (69, 3, 64)]
    assert [draw.text for draw in alone] == [together[index].text for index in (69, 3, 64)]


def test_chunks_are_contiguous_and_lie_on_a_fixed_grid() -> None:
    assert chunks(range(130), 64) == [(0, 64), (64, 64), (128, 2)]
    assert chunks([16, 17, 63, 64, 65], 64) == [(16, 2), (63, 1), (64, 2)]
    assert chunks([3, 4], 1) == [(3, 1), (4, 1)]


def test_tokens_shared_out_sum_to_what_the_call_used() -> None:
    assert sum(share_out(100, [3, 3, 1])) == 100
    assert share_out(5, [0, 0]) == [0, 0]


async def test_two_tasks_asking_the_same_at_once_pay_once(tmp_path: Path) -> None:
    async with FakeEndpoint(latency=0.02) as fake, opened(tmp_path, fake.url) as bench:
        one, two = await asyncio.gather(bench.model.draw(ask(), [0]), bench.model.draw(ask(), [0]))
    assert (one[0].text, len(fake.calls)) == (two[0].text, 1)


async def test_a_raw_prompt_goes_to_completions_and_null_keys_are_not_sent(tmp_path: Path) -> None:
    request = ask(messages=None, prompt="2 + 2 = ", sampling={"temperature": None, "max_tokens": 5, "stop": ["\n"]})
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url) as bench:
        draws = await bench.model.draw(request, range(2))
    body = {"model": "fake-model", "prompt": "2 + 2 = ", "max_tokens": 5, "stop": ["\n"], "n": 2, "seed": 100}
    assert (fake.calls[0].path, fake.calls[0].body) == ("/v1/completions", body)
    assert draws[1].text == reply_text(body, 1)


async def test_a_schema_is_sent_as_a_strict_json_schema(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, sends_seed=False) as bench:
        await bench.model.draw(ask(schema_name="keywords", schema={"type": "object"}), [0])
    sent = fake.calls[0].body
    assert sent["response_format"]["json_schema"] == {"name": "keywords", "schema": {"type": "object"}, "strict": True}
    assert "seed" not in sent and "n" not in sent


async def test_truncated_replies_are_kept_and_not_paid_for_again(tmp_path: Path) -> None:
    for expected_calls in (1, 1):
        async with FakeEndpoint(finish_reason="length") as fake, opened(tmp_path, fake.url) as bench:
            draw = (await bench.model.draw(ask(), [0]))[0]
        assert (draw.status, draw.finish_reason, draw.text[:5]) == ("truncated", "length", "reply")
        assert draw.cached or len(fake.calls) == expected_calls


async def test_offline_a_missing_draw_is_one_clear_error_and_a_known_one_is_served(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url) as bench:
        await bench.model.draw(ask(), [0])
    async with opened(tmp_path, "http://nowhere.invalid", offline=True) as bench:
        assert (await bench.model.draw(ask(), [0]))[0].cached
        with pytest.raises(SdrlError, match="not in the cache") as failure:
            await bench.model.draw(ask(), [0, 1])
    assert (failure.value.code, failure.value.exit) == ("E818", Exit.PROBLEMS)


async def test_extra_fields_of_the_spec_are_sent_and_part_of_the_key(tmp_path: Path) -> None:
    async with FakeEndpoint() as fake, opened(tmp_path, fake.url, extra={"top_k": 5}) as bench:
        draw = (await bench.model.draw(ask(), [0]))[0]
    assert fake.calls[0].body["top_k"] == 5
    assert draw.request_key == ask(extra={"top_k": 5}).key


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.models.parts import ask, opened

async def main():
    async with opened(Path(sys.argv[1]), sys.argv[2], concurrency=4) as bench:
        async def one(i):
            await bench.model.draw(ask(f"question {i}"), [0])
            print(i, flush=True)  # handed on: from here on it must be on disk
        await asyncio.gather(*(one(i) for i in range(200)))

asyncio.run(main())
"""


async def test_a_killed_run_keeps_every_reply_that_was_handed_on(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    async with FakeEndpoint(latency=0.01) as fake:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path), fake.url),
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert child.stdout is not None
        handed_on = [int(await child.stdout.readline()) for _ in range(40)]
        child.send_signal(signal.SIGKILL)
        handed_on += [int(line) for line in (await child.stdout.read()).split(b"\n")[:-1] if line]
        await child.wait()
        before = len(fake.calls)
        async with opened(tmp_path, fake.url) as bench:
            draws = [(await bench.model.draw(ask(f"question {i}"), [0]))[0] for i in range(200)]
    assert len(handed_on) >= 40
    assert all(draws[i].cached for i in handed_on)
    assert len(fake.calls) - before == sum(not draw.cached for draw in draws)
    assert (
        len(fake.calls) <= 200 + 4 + 1
    )  # sent twice: at most what was in flight, and the one whose body arrived unread
