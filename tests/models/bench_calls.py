"""Structured calls through cache, ledger and client: `python -m tests.models.bench_calls [CALLS] [FAULT_RATE]`.

4,000 calls at concurrency 256 against the fake endpoint (another process, 200 ms latency), beside openai's own client
with the same transport and nothing around it. Prints the share of the latency-bound ideal and CPU milliseconds a
call, imports left out.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

from sdrl.models.client import Client, Endpoint
from sdrl.models.request import Request
from tests.models.fake_endpoint import Call, FakeEndpoint
from tests.models.parts import ask, opened

LATENCY_S = 0.2
CONCURRENCY = 256
FAULTS = ("429_after", "500", "half", "html", "drop")
SCHEMA = {"type": "object", "properties": {"input": {"type": "string"}, "output": {"type": "string"}}}


def serve(url: Connection, fault_rate: float) -> None:
    rng = random.Random(0)

    def fault(call: Call) -> str | None:
        return rng.choice(FAULTS) if rng.random() < fault_rate else None

    async def forever() -> None:
        async with FakeEndpoint(fault, latency=LATENCY_S) as fake:
            url.send(fake.url)
            await asyncio.sleep(3600)

    asyncio.run(forever())


async def measured(name: str, calls: int, one: Callable[[int], Awaitable[object]]) -> None:
    await one(-1)
    order = iter(range(calls))

    async def worker() -> None:
        for index in order:
            await one(index)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    ideal = math.ceil(calls / CONCURRENCY) * LATENCY_S
    share, cpu_ms = ideal / wall, 1000 * cpu / calls
    sys.stdout.write(f"{name:<10} {wall:6.2f} s  share of ideal {share:.2f}  CPU {cpu_ms:.2f} ms a call\n")


def numbered(index: int) -> Request:
    return ask(f"Write sample {index}. " + "x" * 600, schema_name="generate", schema=SCHEMA)


async def compare(url: str, calls: int, fault_rate: float) -> None:
    with tempfile.TemporaryDirectory() as store:
        async with opened(Path(store), url, concurrency=CONCURRENCY) as bench:
            await measured("sdrl", calls, lambda index: bench.model.draw(numbered(index), [0]))
            arrived, sent = (bench.cache.query(f"SELECT count(*) FROM {table}")[0][0] for table in ("draws", "calls"))
            sys.stdout.write(f"rows       {arrived - 1} of {calls} in {sent - 1} calls\n")
            wall = time.perf_counter()
            for index in range(calls):
                await bench.model.draw(numbered(index), [0])
            sys.stdout.write(f"replay     {time.perf_counter() - wall:6.2f} s  no call\n")
    if fault_rate:  # the bare client has no retries
        return
    client = Client(Endpoint("peer", url, "fake-model", concurrency=CONCURRENCY))
    await measured("openai", calls, lambda index: client.send(client.body(numbered(index), 0, 1), chat=True))
    await client.close()


def main() -> None:
    here, there = multiprocessing.Pipe()
    calls, fault_rate = int((sys.argv[1:2] or ["4000"])[0]), float((sys.argv[2:3] or ["0"])[0])
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, fault_rate), daemon=True)
    server.start()
    asyncio.run(compare(here.recv(), calls, fault_rate))
    server.kill()


if __name__ == "__main__":
    main()
