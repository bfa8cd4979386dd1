"""A call that is a line of a batch: reserved and stored like any other, sent together with many, answered in hours."""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from sdrl.models.cache import Cache, CallRecord
from sdrl.models.call import Caller, Sent
from sdrl.models.client import Client
from sdrl.models.ledger import Ledger, Price, Usage
from sdrl.models.limiter import Limiter
from sdrl.models.progress import Progress
from sdrl.models.request import Draw, Request
from sdrl.models.transport import Answer

# the client's door to the network is a path and a body; which call they belong to comes along beside them
LINE: ContextVar[BatchLine] = ContextVar("sdrl_batch_line")
KEY_SHOWN = 40  # of a custom_id's 64 characters


@dataclass(eq=False)
class BatchLine:
    """One line: its ``custom_id``, the open call it stands for (``call_id`` once that is on disk), and its answer."""

    custom_id: str
    record: CallRecord
    answer: asyncio.Future[Answer]
    call_id: int | None = None
    batch: str = ""
    """Our name of the batch that it was left in; empty for a new line."""
    path: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Left:
    """A line that an earlier process sent and did not settle."""

    call_id: int
    stage: str
    most: Usage
    batch: str


def custom_id(key: str, first: int, n: int) -> str:
    """The request's key, its first draw, and how many: no longer than the 64 characters that providers take."""
    return f"{key[:KEY_SHOWN]}-{first}-{n}"


class NoLimit(Limiter):
    """Lets everything through: the provider's queue is the limit."""

    def answered(self, epoch: int, seconds: float | None = None) -> None:
        """Nothing to learn from a line."""

    def refused(self, epoch: int, seconds: float = 0.0) -> None:
        """Nothing to learn from a line."""

    def release(self) -> None:
        """No place was taken."""


class Batched(Protocol):
    """What sends the lines: ``models.batches.Batches``, which is also the client's transport."""

    async def left_over(self, label: str) -> Left | None:
        """The line that an earlier process left for these draws, once."""

    def settled(self, line: BatchLine) -> None:
        """The line's call is stored."""


class BatchCaller(Caller):
    """Makes the calls of one role as lines of batches."""

    def __init__(
        self, role: str, cache: Cache, ledger: Ledger, limiter: Limiter, price: Price, progress: Progress, to: Batched
    ) -> None:
        super().__init__(role, cache, ledger, limiter, price, progress)
        self._batches = to

    async def call(self, client: Client, request: Request, first: int, n: int, attempt: int) -> list[Draw]:
        """As ``Caller.call``; takes up the line of an earlier process where one was left for these draws."""
        await self._unless_stopping()
        label = custom_id(request.key, first, n)
        left = await self._batches.left_over(label)
        if left is None:
            most = self._most(request, n)
            reservation = await self._ledger.reserve(self._role, most.microusd, most.tokens)
        else:
            most = left.most
            reservation = self._ledger.take_back(self._role, left.stage, most)
        sent = Sent(request, first, n, attempt, 0, reservation, most, time.time())
        record = self._record(sent, "open", most)
        line = BatchLine(label, record, asyncio.get_running_loop().create_future())
        if left is not None:
            line.call_id, line.batch = left.call_id, left.batch
        LINE.set(line)
        self._progress.in_flight += 1
        try:
            return await self._send(client, sent)
        finally:
            self._progress.in_flight -= 1
            if not sent.settled:  # cancelled: what was not sent costs nothing
                await self._ledger.settle(reservation, Usage() if line.call_id is None else most)
            else:
                self._batches.settled(line)

    async def _note_open(self, sent: Sent) -> None:
        """Calls are noted together, when their batch is made."""

    async def _store(self, sent: Sent, record: CallRecord, draws: list[Draw], usage: Usage) -> list[Draw]:
        sent.call_id = LINE.get().call_id
        return await super()._store(sent, record, draws, usage)
