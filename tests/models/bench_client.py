"""One client of the benchmark in a process of its own: ``python -m tests.models.bench_client WHICH URL CALLS STORE``.

WHICH is sdrl (through limiter, cache and ledger), aiohttp (a hand-written loop) or openai (its client with its aiohttp
transport, and a retry loop around it). Prints one JSON object: rows, CPU seconds in all and after the start, and
resident memory by calls done.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

CONCURRENCY = 256
MARKS = (1, 1_000, 4_000, 10_000, 50_000, 100_000)
SCHEMA = {
    "type": "object",
    "properties": {"input": {"type": "string"}, "output": {"type": "string"}},
    "required": ["input", "output"],
    "additionalProperties": False,
}
Ask = Callable[[int], Awaitable[str]]


def messages(index: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Write sample {index}. " + "x" * 600}]


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def drive(calls: int, ask: Ask, rows_at_once: int = CONCURRENCY) -> dict[str, object]:
    order = iter(range(calls))
    rows = 0
    memory: dict[int, float] = {}
    began, cpu = time.perf_counter(), time.process_time()

    async def worker() -> None:
        nonlocal rows
        for index in order:
            reply = json.loads(await ask(index))
            rows += set(reply) == {"input", "output"}
            if rows in MARKS:
                memory[rows] = round(resident_mb(), 1)

    await asyncio.gather(*(worker() for _ in range(rows_at_once)))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "wall": time.perf_counter() - began,
        "cpu_after_start": time.process_time() - cpu,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": memory,
        "peak_mb": used.ru_maxrss / 1000,
    }


async def with_sdrl(url: str, calls: int, store: Path) -> dict[str, object]:
    from sdrl.models.breaker import RetryPolicy
    from sdrl.models.capabilities import recall, record_key, remember
    from sdrl.models.line import Wanted
    from sdrl.models.request import Request
    from tests.models.parts import opened

    key = record_key(url, "fake-model", "chat")
    wanted = Wanted({}, lambda: recall(store, key), lambda can: remember(store, key, url, "fake-model", can))
    settings = {"concurrency": CONCURRENCY, "policy": RetryPolicy(), "sends_seed": False}
    async with opened(store, url, wanted=wanted, **settings) as bench:

        async def ask(index: int) -> str:
            sampling = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}
            request = Request("generate", "m", messages(index), None, sampling, "generate", SCHEMA, index, False)
            (draw,) = await bench.model.draw(request, [0])
            assert draw.status == "ok", draw
            return draw.text

        result = await drive(calls, ask, CONCURRENCY + CONCURRENCY // 4)  # as the stages do
        widths = [fields["limit"] for type_, fields in bench.events if type_ == "limit"]
        return {**result, "widths": widths[-8:], "usd": bench.ledger.total().usd}


def body(index: int) -> dict[str, object]:
    schema = {"name": "generate", "schema": SCHEMA, "strict": True}
    sampling = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}
    asked = {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"model": "fake-model", "messages": messages(index), **sampling, **asked}


async def again_and_again(one: Ask, index: int) -> str:
    """What a careful hand would write around a client: every kind of failure is tried again, with full jitter."""
    for attempt in range(40):
        try:
            return await one(index)
        except Exception:  # whatever it was
            await asyncio.sleep(random.uniform(0, min(5.0, 0.2 * 2**attempt)))
    raise RuntimeError("lost")


async def with_aiohttp(url: str, calls: int, store: Path) -> dict[str, object]:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(index: int) -> str:
            async with session.post(url + "/chat/completions", json=body(index)) as response:
                response.raise_for_status()
                reply = json.loads(await response.read())
            return str(reply["choices"][0]["message"]["content"])

        return await drive(calls, lambda index: again_and_again(one, index))


async def with_openai(url: str, calls: int, store: Path) -> dict[str, object]:
    import openai

    http = openai.DefaultAioHttpClient(trust_env=False, timeout=600.0)
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=http) as client:

        async def one(index: int) -> str:
            reply = await client.chat.completions.create(**body(index))  # type: ignore[call-overload]
            return str(reply.choices[0].message.content)

        return await drive(calls, lambda index: again_and_again(one, index))


def main() -> None:
    which, url, calls, store = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    clients = {"sdrl": with_sdrl, "aiohttp": with_aiohttp, "openai": with_openai}
    sys.stdout.write(json.dumps(asyncio.run(clients[which](url, calls, store))) + "\n")


if __name__ == "__main__":
    main()
