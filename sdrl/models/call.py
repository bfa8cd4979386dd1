"""One call from reservation to settlement: a place in the limiter, money set aside, sent, stored, paid.

Whatever happens in between, the reservation ends as the cost that can be known, or in full where it cannot.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from sdrl.models.bounds import Bounds
from sdrl.models.cache import Cache, CallRecord
from sdrl.models.client import Client
from sdrl.models.draws import to_draws
from sdrl.models.faults import CallFault, RowRefused, Unsupported
from sdrl.models.ledger import Ledger, Price, Reservation, Usage
from sdrl.models.limiter import Limiter
from sdrl.models.progress import Progress
from sdrl.models.reply import Reply
from sdrl.models.request import Draw, Request
from sdrl.spec.diagnostics import SdrlError


@dataclass
class Sent:
    """A call under way. ``most`` is what it counts as where its cost stays unknown."""

    request: Request
    first: int
    n: int
    attempt: int
    epoch: int
    reservation: Reservation
    most: Usage
    at: float
    call_id: int | None = None
    answered: bool = False  # its place was given back: the endpoint is done with it, whatever the disk still does
    settled: bool = False
    began: float = 0.0


class Caller:
    """Makes the calls of one role."""

    def __init__(
        self, role: str, cache: Cache, ledger: Ledger, limiter: Limiter, price: Price, progress: Progress
    ) -> None:
        self._role = role
        self._cache = cache
        self._ledger = ledger
        self._limiter = limiter
        self._price = price
        self._progress = progress
        self._unsettled = asyncio.Semaphore(limiter.most)
        self._bounds = Bounds()
        self._is_stopping = False
        self.under_way = 0
        """Calls sent whose reply is not stored yet."""

    def stop_sending(self) -> None:
        """Send nothing from now on: whoever asks waits to be cancelled. What is under way comes in and is kept."""
        self._is_stopping = True

    async def call(self, client: Client, request: Request, first: int, n: int, attempt: int) -> list[Draw]:
        """Ask for draws ``first`` to ``first + n - 1`` once; returns the leading draws that came, as stored (at least
        one).

        Raises CallFault, RowRefused, Unsupported or SdrlError.
        """
        most = self._most(request, n)
        async with self._unsettled:  # a kill loses no more paid replies than calls that may be in flight
            return await self._placed(client, request, first, n, attempt, most)

    async def _placed(
        self, client: Client, request: Request, first: int, n: int, attempt: int, most: Usage
    ) -> list[Draw]:
        epoch = await self._limiter.acquire()
        sent: Sent | None = None
        self._progress.in_flight += 1
        try:
            await self._unless_stopping()
            reservation = await self._ledger.reserve(self._role, most.microusd, most.tokens)
            if self._is_stopping:
                await self._ledger.settle(reservation, Usage())
                await self._unless_stopping()
            sent = Sent(request, first, n, attempt, epoch, reservation, most, time.time())
            self.under_way += 1
            try:
                return await self._send(client, sent)
            finally:
                self.under_way -= 1
                if not sent.settled:  # cancelled in flight: the provider may charge for it
                    await self._ledger.settle(reservation, most)
        finally:
            self._progress.in_flight -= 1
            if sent is None or not sent.answered:
                self._limiter.release()

    def _record(
        self,
        sent: Sent,
        status: str,
        usage: Usage,
        *,
        error: str = "",
        kept: str | None = None,
        cached_tokens: int = 0,
        usage_known: bool = False,
    ) -> CallRecord:
        """How a call ended, or (``open``) that it is about to be sent."""
        return CallRecord(
            run=self._ledger.run,
            stage=sent.reservation.stage,
            role=self._role,
            key=sent.request.key,
            first_draw=sent.first,
            n=sent.n,
            attempt=sent.attempt,
            status=status,
            error=error,
            reply=kept,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=cached_tokens,
            completion_tokens=usage.completion_tokens,
            usage_known=usage_known,
            microusd=usage.microusd,
            latency_ms=int((time.perf_counter() - sent.began) * 1000) if sent.began else 0,
            at=sent.at,
        )

    async def _unless_stopping(self) -> None:
        if self._is_stopping:
            await asyncio.Event().wait()

    def _most(self, request: Request, n: int) -> Usage:
        prompt, completion = self._bounds.of(request, n)
        if completion is None and self._ledger.is_capped(self._role):
            raise SdrlError(
                "E702",
                f"a budget is set, but {request.kind} sends no max_tokens: what a reply may cost has no bound",
                help="give that sampling block a max_tokens",
            )
        cost = self._price.most(prompt, completion or 0)
        return Usage(requests=1, prompt_tokens=prompt, completion_tokens=completion or 0, microusd=cost)

    async def _send(self, client: Client, sent: Sent) -> list[Draw]:
        request = sent.request
        await self._note_open(sent)
        sent.began = time.perf_counter()
        reply: Reply | None = None
        try:
            body = client.body(request, sent.first, sent.n)
            reply = await client.send(body, client.api(request))
            draws = to_draws(request, sent.first, sent.n, reply)
        except (CallFault, RowRefused, Unsupported, SdrlError) as error:
            await self._settle_failure(sent, error, reply)
            raise
        self._limiter.answered(sent.epoch, time.perf_counter() - sent.began)
        self._leave(sent)
        return await self._settle(sent, reply, draws)

    async def _settle(self, sent: Sent, reply: Reply, draws: list[Draw]) -> list[Draw]:
        usage = self._used(sent, reply)
        usage.draws = len(draws)
        known = reply.usage_known
        record = self._record(sent, "ok", usage, cached_tokens=reply.cached_tokens, usage_known=known)
        return await self._store(sent, record, draws, usage)

    async def _note_open(self, sent: Sent) -> None:
        if self._ledger.is_capped(self._role):  # on disk in full before it is sent: a kill cannot hide it
            sent.call_id = await self._cache.open_call(self._record(sent, "open", sent.most))

    def _used(self, sent: Sent, reply: Reply) -> Usage:
        """What a reply is charged at; without usage in it its whole reservation."""
        if not reply.usage_known:
            return replace(sent.most)
        prompt, completion = reply.prompt_tokens, reply.completion_tokens
        if more := self._bounds.learn(sent.request, sent.n, prompt, completion):
            self._progress.counts_more(more)
        cost = self._price.cost(prompt, completion, min(reply.cached_tokens, prompt))
        return Usage(requests=1, prompt_tokens=prompt, completion_tokens=completion, microusd=cost)

    async def _settle_failure(self, sent: Sent, error: Exception, reply: Reply | None) -> None:
        usage, status, kept = Usage(requests=1), type(error).__name__, None
        if isinstance(error, CallFault):
            status, kept = error.kind, error.reply
            if error.charged:
                usage = sent.most if reply is None else self._used(sent, reply)
            usage = Usage() if error.kind == "unreachable" else usage  # it reached nobody, so it is no request
            if error.kind == "refused":
                self._limiter.refused(sent.epoch, time.perf_counter() - sent.began)
            elif error.kind != "unreachable":
                self._limiter.answered(sent.epoch)
        self._leave(sent)
        await self._store(sent, self._record(sent, status, usage, error=str(error), kept=kept), [], usage)

    def _leave(self, sent: Sent) -> None:
        sent.answered = True
        self._limiter.release()

    async def _store(self, sent: Sent, record: CallRecord, draws: list[Draw], usage: Usage) -> list[Draw]:
        sent.settled = True
        try:
            return await self._cache.settle(record, draws, sent.request, sent.call_id)
        finally:
            await self._ledger.settle(sent.reservation, usage)
            self._progress.tell(int(self._limiter.limit))
