"""4,000 structured calls, killed (-9) at 2,000 and gone on with: ``python -m tests.faults.many_calls STORE URL CALLS``.

The child; ``scenarios`` kills it. As the peers were measured: 256 in flight, each reply after 200 ms.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sdrl.models.request import Request
from tests.models.bench_client import CONCURRENCY, SCHEMA, messages
from tests.models.parts import opened


def numbered(index: int) -> Request:
    """The request of one row."""
    sampling = {"temperature": 0.7, "top_p": 1.0, "max_tokens": 512}
    return Request("generate", "m", messages(index), None, sampling, "generate", SCHEMA, index, False)


async def ask_all(store: Path, url: str, calls: int) -> None:
    """Every draw once, from the cache where it is there."""
    async with opened(store, url, concurrency=CONCURRENCY) as bench:
        order = iter(range(calls))

        async def worker() -> None:
            for index in order:
                await bench.model.draw(numbered(index), [0])

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


if __name__ == "__main__":
    asyncio.run(ask_all(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
