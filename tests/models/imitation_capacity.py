"""Imitations of servers with a hidden capacity, and a client that asks them through a ``Limiter``; virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sdrl.models.limiter import Limiter


class Capacity(Protocol):
    def admits(self, now: float) -> bool: ...

    def done(self) -> None: ...


@dataclass
class InFlight:
    """At most ``most`` calls at once, as of a server with a fixed number of slots."""

    most: Callable[[float], float]
    at_once: int = 0

    def admits(self, now: float) -> bool:
        if self.at_once >= self.most(now):
            return False
        self.at_once += 1
        return True

    def done(self) -> None:
        self.at_once -= 1


@dataclass
class TokenBucket:
    """At most ``rate`` calls a second, ``burst`` of them at once, as of a provider's limit a minute."""

    rate: Callable[[float], float]
    burst: float
    tokens: float = field(default=-1.0)
    last: float = 0.0

    def admits(self, now: float) -> bool:
        if self.tokens < 0:
            self.tokens = self.burst
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate(now))
        self.last = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def done(self) -> None:
        return


@dataclass
class Never:
    """Refuses a share of all calls, whatever the load."""

    share: float
    rng: random.Random

    def admits(self, now: float) -> bool:
        return self.rng.random() >= self.share

    def done(self) -> None:
        return


@dataclass
class Outcome:
    calls: int
    refused: int
    seconds: float
    answered_at: list[float]
    widths: list[tuple[float, int, str]]

    @property
    def refused_share(self) -> float:
        return self.refused / self.calls

    def rate(self, after: float = 0.0) -> float:
        """Answers a second from ``after`` to the time when the last tenth of the rows began to run out."""
        whole = self.answered_at[: int(0.95 * len(self.answered_at))]
        later = [at for at in whole if at > after]
        return len(later) / (whole[-1] - after)


async def ask_all(
    capacity: Capacity,
    *,
    rows: int,
    width: int = 256,
    latency: Callable[[], float] = lambda: 0.2,
    refuses_after: float = 0.002,
    retry_delay: Callable[[], float] = lambda: 0.1,
) -> Outcome:
    """``width`` rows at a time, each asked again after ``retry_delay`` when it is refused."""
    loop = asyncio.get_running_loop()
    widths: list[tuple[float, int, str]] = []
    limiter = Limiter(width, lambda limit, reason: widths.append((loop.time(), limit, reason)))
    outcome = Outcome(0, 0, 0.0, [], widths)
    order: Iterator[int] = iter(range(rows))

    async def one() -> bool:
        epoch = await limiter.acquire()
        try:
            outcome.calls += 1
            began = loop.time()
            await asyncio.sleep(0.001)
            if not capacity.admits(loop.time()):
                await asyncio.sleep(refuses_after)
                outcome.refused += 1
                limiter.refused(epoch, loop.time() - began)
                return False
            await asyncio.sleep(latency())
            capacity.done()
            limiter.answered(epoch, loop.time() - began)
            outcome.answered_at.append(loop.time())
            return True
        finally:
            limiter.release()

    async def worker() -> None:
        for _ in order:
            while not await one():
                await asyncio.sleep(retry_delay())

    await asyncio.gather(*(worker() for _ in range(width)))
    outcome.seconds = loop.time()
    return outcome
