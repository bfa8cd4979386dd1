"""``Model.draw``: cache first, then the endpoint, every reply stored before it is handed on.

The one place where cache, ledger, limiter, breaker and client meet. Missing draws go out in contiguous chunks on a fixed grid,
so that what is asked depends on the plan and never on arrival order. Does not parse replies: that is done on read,
by the stages. Re-asking a reply that does not parse would go through ``instructor`` here; stages refill with fresh
attempts instead, which keeps a replay exact.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sdrl.models.breaker import Breaker, RetryPolicy
from sdrl.models.cache import Cache, CallRecord
from sdrl.models.client import Choice, Client, Reply
from sdrl.models.faults import CallFault, RowRefused, Unsupported
from sdrl.models.ledger import Ledger, Price, Reservation, Usage
from sdrl.models.limiter import Limiter
from sdrl.models.request import Draw, DrawStatus, Request
from sdrl.spec.diagnostics import SdrlError

MAX_N = 64
Emit = Callable[[str, Mapping[str, Any]], None]
_EVENT_SECONDS = 0.5
_TRUNCATED = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety", "refusal", "blocklist", "prohibited_content"})
_BROKEN = frozenset({"abort", "error", "cancelled", "tool_calls", "function_call"})


@dataclass
class _Progress:
    """What the periodic ``requests`` event says."""

    in_flight: int = 0
    retries: dict[str, int] = field(default_factory=dict)
    last_event: float = 0.0
    last_retry: float = 0.0


class Model:
    """One role's model. ``connect`` is awaited once, at the first draw that the cache does not have."""

    def __init__(
        self,
        role: str,
        cache: Cache,
        ledger: Ledger,
        connect: Callable[[], Awaitable[Client]] | None,
        emit: Emit,
        *,
        concurrency: int = 256,
        price: Price | None = None,
        extra: Mapping[str, Any] | None = None,
        policy: RetryPolicy | None = None,
        check_server: Callable[[], None] = lambda: None,
    ) -> None:
        self.role = role
        self._cache = cache
        self._ledger = ledger
        self._connect = connect
        self._emit = emit
        self._price = price or Price()
        self._extra = dict(extra or {})
        self._policy = policy or RetryPolicy()
        self._check_server = check_server
        self._limiter = Limiter(concurrency)
        self._client: Client | None = None
        self._breaker: Breaker | None = None
        self._starting = asyncio.Lock()
        self._asking: dict[str, tuple[asyncio.Lock, int]] = {}
        self._progress = _Progress()
        self._single = False
        self._short_replies = 0
        self._full_replies = 0

    async def draw(self, request: Request, indices: Iterable[int]) -> list[Draw]:
        """Draws of ``request``, in index order: from the cache, else from the endpoint.

        Never raises for one bad row (its status says what happened). Raises SdrlError for a refused key, a used-up quota, a
        dead endpoint, a reached budget, a full disk, and offline for a draw that is not in the cache.
        """
        wanted = sorted(set(indices))
        if self._extra:
            request = replace(request, extra=self._extra)
        found = self._lookup(request, wanted)
        if len(found) == len(wanted):
            return [found[index] for index in wanted]
        async with self._alone(request.key):
            found |= self._lookup(request, [index for index in wanted if index not in found])
            missing = [index for index in wanted if index not in found]
            if missing:
                await self._start(request, missing[0])
                made = await _gather([self._chunk(request, first, n) for first, n in chunks(missing, self._width)])
                found |= {draw.index: draw for chunk in made for draw in chunk}
        return [found[index] for index in wanted]

    async def close(self) -> None:
        """Say the last figures and close the connections."""
        if self._progress.last_event or self._client is not None:
            self._tell(force=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    # -- the cache ---------------------------------------------------------------------------------------------------

    def _lookup(self, request: Request, indices: list[int]) -> dict[int, Draw]:
        hits = self._cache.lookup(request.key, indices)
        if hits:
            prompts = {hit.call: hit.draw.prompt_tokens for hit in hits.values()}
            completion = sum(hit.draw.completion_tokens for hit in hits.values())
            prompt = sum(prompts.values())
            saved = Usage(cached=len(hits), saved_requests=len(prompts), saved_tokens=prompt + completion)
            saved.saved_microusd = self._price.cost(prompt, completion)
            self._ledger.saved(self.role, saved)
            self._tell()
        return {index: hit.draw for index, hit in hits.items()}

    @contextlib.asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[None]:
        """Two tasks asking the same request at once: the second finds the first one's replies in the cache."""
        lock, waiting = self._asking.get(key, (asyncio.Lock(), 0))
        self._asking[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._asking.pop(key)
            if waiting > 1:
                self._asking[key] = (lock, waiting - 1)

    async def _start(self, request: Request, index: int) -> None:
        if self._connect is None:
            raise SdrlError(
                "E818",
                f"offline, and draw {index} of {request.kind} request {request.key[:16]} is not in the cache",
                help="run once without --offline, with the same plan and --store",
            )
        async with self._starting:
            if self._client is None:
                self._client = await self._connect()
                self._breaker = Breaker(self.role, self._client.endpoint.base_url, self._policy)

    # -- rows --------------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return 1 if self._single else MAX_N

    async def _chunk(self, request: Request, first: int, n: int) -> list[Draw]:
        """Draws ``first`` to ``first + n - 1``, whatever it takes within the bounds of the retry policy."""
        made: list[Draw] = []
        tries = _Tries(self._policy)
        while n > 0:
            if n > 1 and self._single:
                rest = await _gather([self._chunk(request, index, 1) for index in range(first, first + n)])
                return made + [draw for chunk in rest for draw in chunk]
            answered = self._health.successes
            try:
                fresh = await self._call(request, first, n, tries.count + 1)
            except Unsupported as error:
                self._adapt(error)
                continue
            except RowRefused as error:
                return made + await self._give_up(request, first, n, error.status, error.reason)
            except CallFault as fault:
                self._check_server()
                self._health.failure(fault)
                if tries.used_up(fault, others_answered=self._health.successes > answered):
                    self._health.lost_row(fault)
                    reason = f"no usable reply in {tries.count} tries: {fault.reason}"
                    return made + await self._give_up(request, first, n, "failed", reason)
                await self._pause(fault, tries.count)
                continue
            made += fresh
            first, n = first + len(fresh), n - len(fresh)
        return made

    @property
    def _health(self) -> Breaker:
        if self._breaker is None:
            raise RuntimeError("the model is not connected")
        return self._breaker

    def _adapt(self, error: Unsupported) -> None:
        """Ask in another way from now on; SdrlError when there is none left."""
        client = self._client
        if error.parameter == "n" and not self._single:
            self._single = True
        elif client is not None and error.parameter == "max_tokens" and client.max_tokens_name == "max_tokens":
            client.max_tokens_name = "max_completion_tokens"
        elif client is not None and error.parameter == "response_format" and client.can_relax():
            client.relax()
        else:
            raise SdrlError(
                "E814",
                f"{self.role}: the endpoint refuses {error.parameter} ({error.reason})",
                help="the spec asks for something this endpoint cannot; null leaves a sampling key out",
            )

    async def _give_up(self, request: Request, first: int, n: int, status: DrawStatus, reason: str) -> list[Draw]:
        self._ledger.saved(self.role, Usage(failed=n))
        lost = [Draw(request.key, index, "", "", status, reason, 0, 0, False) for index in range(first, first + n)]
        return await self._cache.fail(lost, request)

    async def _pause(self, fault: CallFault, attempt: int) -> None:
        kinds = self._progress.retries
        kinds[fault.kind] = kinds.get(fault.kind, 0) + 1
        now = time.monotonic()
        if now - self._progress.last_retry >= _EVENT_SECONDS:  # a storm of faults is one event, with its size
            self._progress.last_retry = now
            fields = {"role": self.role, "reason": fault.reason[:300], "attempt": attempt, "since_last": dict(kinds)}
            kinds.clear()
            self._emit("retry", fields)
        await asyncio.sleep(self._policy.delay(attempt, fault))

    # -- one call ----------------------------------------------------------------------------------------------------

    async def _call(self, request: Request, first: int, n: int, attempt: int) -> list[Draw]:
        """Send one call and store what came of it. Returns the leading draws that it brought (at least one)."""
        client = self._client
        if client is None:
            raise RuntimeError("the model is not connected")
        body = client.body(request, first, n)
        prompt_bound, completion_bound = token_bounds(request, n)
        most = self._price.cost(prompt_bound, completion_bound or 0)
        if completion_bound is None and self._ledger.is_capped(self.role):
            raise SdrlError(
                "E702",
                f"a budget is set, but {request.kind} sends no max_tokens: what a reply may cost has no bound",
                help="give that sampling block a max_tokens",
            )
        await self._limiter.acquire()
        try:
            reservation = await self._ledger.reserve(self.role, most, prompt_bound + (completion_bound or 0))
            self._progress.in_flight += 1
            record = CallRecord(self._ledger.run, self._ledger.stage, self.role, request.key, first, n, attempt, "open")
            record = replace(record, at=time.time(), microusd=most)
            bounds = (prompt_bound, completion_bound or 0)
            settled = False
            try:
                call_id = await self._note_open(record, bounds)
                began = time.perf_counter()
                try:
                    reply = await client.send(body, chat=request.prompt is None)
                    draws = to_draws(request, first, n, reply)
                except (CallFault, RowRefused, Unsupported, SdrlError) as error:
                    settled = True
                    await self._settle_fault(error, record, call_id, reservation, bounds, began, request)
                    raise
                self._limiter.observe(refused=False)
                settled = True
                return await self._settle_reply(reply, draws, record, call_id, reservation, bounds, began, request)
            finally:
                self._progress.in_flight -= 1
                if not settled:  # cancelled in flight: the provider may charge, so it counts in full
                    await self._ledger.settle(reservation, Usage(1, 0, 0, 0, *bounds, most))
        finally:
            self._limiter.release()

    async def _note_open(self, record: CallRecord, bounds: tuple[int, int]) -> int | None:
        """Under a cap, a call is on disk at its full reservation before it is sent: a kill cannot hide it."""
        if not self._ledger.is_capped(self.role):
            return None
        prompt, completion = bounds
        return await self._cache.open_call(replace(record, prompt_tokens=prompt, completion_tokens=completion))

    async def _settle_reply(
        self,
        reply: Reply,
        draws: list[Draw],
        record: CallRecord,
        call_id: int | None,
        reservation: Reservation,
        bounds: tuple[int, int],
        began: float,
        request: Request,
    ) -> list[Draw]:
        usage = self._usage(reply, bounds, len(draws))
        record = replace(
            record,
            status="ok",
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=reply.cached_tokens,
            completion_tokens=usage.completion_tokens,
            usage_known=reply.usage_known,
            microusd=usage.microusd,
            latency_ms=int((time.perf_counter() - began) * 1000),
        )
        try:
            stored = await self._cache.settle(record, draws, request, call_id)
        finally:
            await self._ledger.settle(reservation, usage)
        self._health.success()
        self._note_width(record.n, len(draws))
        self._tell()
        return stored

    def _usage(self, reply: Reply, bounds: tuple[int, int], n_draws: int) -> Usage:
        """What a reply is charged; without usage in it, its whole reservation."""
        prompt, completion = (reply.prompt_tokens, reply.completion_tokens) if reply.usage_known else bounds
        cost = self._price.cost(prompt, completion, min(reply.cached_tokens, prompt))
        return Usage(requests=1, draws=n_draws, prompt_tokens=prompt, completion_tokens=completion, microusd=cost)

    async def _settle_fault(
        self,
        error: Exception,
        record: CallRecord,
        call_id: int | None,
        reservation: Reservation,
        bounds: tuple[int, int],
        began: float,
        request: Request,
    ) -> None:
        kind = error.kind if isinstance(error, CallFault) else type(error).__name__
        charged = isinstance(error, CallFault) and error.charged
        usage = Usage(requests=1)
        if charged:  # the reply never arrived whole, so its cost is not known: count the most it can be
            usage = Usage(requests=1, prompt_tokens=bounds[0], completion_tokens=bounds[1], microusd=record.microusd)
        record = replace(
            record,
            status=kind,
            error=str(error),
            reply=error.reply if isinstance(error, CallFault) else None,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            microusd=usage.microusd,
            latency_ms=int((time.perf_counter() - began) * 1000),
        )
        if isinstance(error, CallFault) and error.kind != "unreachable":
            self._limiter.observe(refused=error.kind == "refused")
        try:
            await self._cache.settle(record, [], request, call_id)
        finally:
            await self._ledger.settle(reservation, usage)

    def _note_width(self, asked: int, got: int) -> None:
        """An endpoint that never once honoured ``n`` (several servers ignore it) is asked one by one."""
        if asked > 1:
            self._full_replies += got == asked
            self._short_replies += got < asked
            if self._short_replies >= 3 and not self._full_replies:
                self._single = True

    def _tell(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._progress.last_event < _EVENT_SECONDS:
            return
        self._progress.last_event = now
        stage = self._ledger.stage
        usage = self._ledger.total(stage=stage, role=self.role)
        fields = {
            "stage": stage,
            "role": self.role,
            "sent": usage.requests,
            "cached": usage.cached,
            "failed": usage.failed,
            "in_flight": self._progress.in_flight,
            "done": usage.draws,
            "usd": usage.usd,
            "limit": int(self._limiter.limit),
        }
        self._emit("requests", fields)


@dataclass
class _Tries:
    """How often one row was tried, by what counts against it."""

    policy: RetryPolicy
    count: int = 0
    faults: int = 0
    refusals: int = 0

    def used_up(self, fault: CallFault, *, others_answered: bool) -> bool:
        """Count one failed try; an endpoint that answers nobody is the breaker's business, not this row's."""
        self.count += 1
        if fault.kind == "unreachable":
            return False
        if fault.kind == "refused":
            self.refusals += others_answered
            return self.refusals >= self.policy.refusals
        self.faults += 1
        return self.faults >= self.policy.attempts


def chunks(indices: list[int], width: int) -> list[tuple[int, int]]:
    """Runs of consecutive indices as (first, n), cut at multiples of ``width``.

    >>> chunks([16, 17, 63, 64, 65], 64)
    [(16, 2), (63, 1), (64, 2)]
    """
    result: list[tuple[int, int]] = []
    for index in indices:
        if result and index == sum(result[-1]) and index % width:
            result[-1] = (result[-1][0], result[-1][1] + 1)
        else:
            result.append((index, 1))
    return result


def token_bounds(request: Request, n: int) -> tuple[int, int | None]:
    """The most prompt and completion tokens a call can use: a token is at least a byte; None without ``max_tokens``."""
    most = request.sampling.get("max_tokens")
    return len(request.body) + 256, None if most is None else int(most) * n


def to_draws(request: Request, first: int, n: int, reply: Reply) -> list[Draw]:
    """The leading draws that a reply brought. Choices beyond ``n`` are dropped; after a gap the rest is asked again.

    Raises CallFault when the first one is missing, or broke off at the server.
    """
    by_place = {choice.index: choice for choice in reply.choices if choice.index < n}
    lengths = [len(by_place[place].text) + 1 if place in by_place else 0 for place in range(n)]
    shares = share_out(reply.completion_tokens, lengths)
    draws: list[Draw] = []
    for place in range(n):
        choice = by_place.get(place)
        if choice is None or choice.finish_reason in _BROKEN:
            break
        status, reason = ending(choice)
        ids = (request.key, first + place, choice.text, choice.finish_reason)
        draws.append(Draw(*ids, status, reason, reply.prompt_tokens, shares[place], False))
    if not draws:
        ends = by_place[0].finish_reason if 0 in by_place else "missing"
        raise CallFault("ending", f"the first of {n} choices is of no use: {ends}", charged=True)
    return draws


def ending(choice: Choice) -> tuple[DrawStatus, str]:
    """A draw's status by how it ended, and why it is not ok."""
    if choice.finish_reason in _TRUNCATED:
        return "truncated", "cut at max_tokens"
    if choice.refusal:
        return "filtered", f"the model refused: {choice.refusal[:300]}"
    if choice.finish_reason in _FILTERED:
        return "filtered", f"the provider filtered the reply ({choice.finish_reason})"
    return "ok", ""


def share_out(total: int, weights: list[int]) -> list[int]:
    """Split ``total`` by ``weights`` into integers that sum to it."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    result, used, seen = [], 0, 0
    for weight in weights:
        seen += weight
        result.append(total * seen // whole - used)
        used += result[-1]
    return result


async def _gather(jobs: list[Any]) -> list[list[Draw]]:
    """All results in order; the first failure cancels the rest and is raised as itself."""
    if len(jobs) == 1:
        return [await jobs[0]]
    tasks: list[asyncio.Task[list[Draw]]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in jobs]
    except* Exception as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
