"""``Model.draw``: cache first, then the endpoint, every reply stored before it is handed on.

Missing draws go out in contiguous chunks on a fixed grid, so that what is asked depends on the plan and never on the
order of arrival. Decides what is tried again, what is given up and what ends the run. Does not parse replies: the
stages do, on read. A reply that does not parse could be asked again through ``instructor`` here; the stages refill
with fresh attempts instead, which keeps a replay exact.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sdrl.models.batch_call import BatchCaller, Batched, NoLimit
from sdrl.models.breaker import Breaker, RetryPolicy
from sdrl.models.cache import Cache
from sdrl.models.call import Caller
from sdrl.models.client import Client
from sdrl.models.draws import chunks
from sdrl.models.faults import CallFault, RowRefused, Unsupported
from sdrl.models.ledger import Ledger, Price, Usage
from sdrl.models.limiter import Limiter
from sdrl.models.line import Line, Wanted
from sdrl.models.progress import Emit, Progress
from sdrl.models.request import Draw, DrawStatus, Request
from sdrl.spec.diagnostics import SdrlError


@dataclass(frozen=True)
class ModelSettings:
    """How a role is asked, none of it part of a request's identity but ``extra`` (further body fields)."""

    concurrency: int = 256
    price: Price = field(default_factory=Price)
    extra: Mapping[str, Any] = field(default_factory=dict)
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    flattens: bool = False
    """Whether messages are sent as one raw prompt (``api: completions``)."""
    wanted: Wanted | None = None
    """None for a server of our own, whose capabilities are known, and for batches, of which no line can go first."""
    batches: Batched | None = None
    """What sends calls as lines of batches, where they are."""


class Model:
    """One role's model.

    ``connect`` is awaited once, at the first draw that the cache does not have; None is offline. ``check_server``
    raises when a managed child has ended.
    """

    def __init__(
        self,
        role: str,
        ledger: Ledger,
        connect: Callable[[], Awaitable[Client]] | None,
        emit: Emit,
        settings: ModelSettings | None = None,
        check_server: Callable[[], None] = lambda: None,
    ) -> None:
        self.role = role
        self._settings = settings or ModelSettings()
        self._cache: Cache = ledger.cache
        self._ledger = ledger
        self._connect = connect
        self._check_server = check_server
        self._progress = Progress(role, ledger, emit)
        most, price, batches = self._settings.concurrency, self._settings.price, self._settings.batches
        kind = Limiter if batches is None else NoLimit
        self._limiter = kind(most, lambda width, reason: self._progress.limit(width, most, reason))
        parts = (role, self._cache, ledger, self._limiter, price, self._progress)
        self._caller = Caller(*parts) if batches is None else BatchCaller(*parts, batches)
        self._line: Line | None = None
        self._starting = asyncio.Lock()
        self._asking: dict[str, tuple[asyncio.Lock, int]] = {}

    async def draw(self, request: Request, indices: Iterable[int]) -> list[Draw]:
        """Draws of ``request``, in index order: from the cache, else from the endpoint.

        Never raises for one bad row (its status says what happened). Raises SdrlError for a refused key, a used-up
        quota, a dead endpoint, a reached budget, a full disk, and offline for a draw that is not in the cache.
        """
        wanted = sorted(set(indices))
        if self._settings.extra:
            request = replace(request, extra=self._settings.extra)
        if self._settings.flattens and request.messages is not None:
            prompt = "\n\n".join([*(message["content"] for message in request.messages), ""])
            request = replace(request, messages=None, prompt=prompt)
        found = self._lookup(request, wanted)
        if len(found) < len(wanted):
            async with self._alone(request.key) as had_to_wait:
                if had_to_wait:
                    found |= self._lookup(request, [index for index in wanted if index not in found])
                missing = [index for index in wanted if index not in found]
                if missing:
                    line = await self._connected(request, missing[0])
                    found |= {draw.index: draw for draw in await self._ask(line, request, missing)}
        return [found[index] for index in wanted]

    @property
    def under_way(self) -> int:
        """Calls sent whose reply is not stored yet."""
        return self._caller.under_way

    def stop_sending(self) -> None:
        """Send nothing from now on: a draw that the cache does not have waits until it is cancelled."""
        self._caller.stop_sending()

    async def close(self) -> None:
        """Say the last figures and close the connections."""
        self._progress.flush(int(self._limiter.limit))
        if self._line is not None:
            line, self._line = self._line, None
            await line.client.close()

    def _lookup(self, request: Request, indices: Sequence[int]) -> dict[int, Draw]:
        hits = self._cache.lookup(request.key, indices)
        if hits:
            prompts = {hit.call: hit.draw.prompt_tokens for hit in hits.values()}
            prompt, completion = sum(prompts.values()), sum(hit.draw.completion_tokens for hit in hits.values())
            saved = Usage(cached=len(hits), saved_requests=len(prompts), saved_tokens=prompt + completion)
            saved.saved_microusd = self._settings.price.cost(prompt, completion)
            self._ledger.note(self.role, saved)
            self._progress.tell(int(self._limiter.limit))
        return {index: hit.draw for index, hit in hits.items()}

    @contextlib.asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[bool]:
        """Two tasks asking the same request at once: the second finds the first one's replies in the cache.

        Gives whether there was another.
        """
        lock, waiting = self._asking.get(key) or (asyncio.Lock(), 0)
        self._asking[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield waiting > 0
        finally:
            lock, waiting = self._asking.pop(key)
            if waiting > 1:
                self._asking[key] = (lock, waiting - 1)

    async def _connected(self, request: Request, index: int) -> Line:
        if self._connect is None:
            raise SdrlError(
                "E818",
                f"offline, and draw {index} of {request.kind} request {request.key[:16]} is not in the cache",
                help="run once without --offline, with the same plan and --store",
            )
        async with self._starting:
            if self._line is None:
                client = await self._connect()
                where, policy = client.endpoint.base_url, self._settings.policy
                breaker = Breaker(self.role, where, policy, tell=self._progress.breaker)
                self._line = Line(client, breaker, self._settings.wanted, self._progress.endpoint(client.endpoint))
        return self._line

    async def _ask(self, line: Line, request: Request, missing: Sequence[int]) -> list[Draw]:
        made = await _gather([self._chunk(line, request, first, n) for first, n in chunks(missing, line.width)])
        return [draw for chunk in made for draw in chunk]

    async def _chunk(self, line: Line, request: Request, first: int, n: int) -> list[Draw]:
        """Draws ``first`` to ``first + n - 1``, whatever it takes within the bounds of the retry policy."""
        made: list[Draw] = []
        tries = _Tries(self._settings.policy)
        while n > 0:
            if n > line.width:
                return made + await self._ask(line, request, range(first, first + n))
            answered = line.breaker.successes
            is_trial = await line.breaker.admit()
            try:
                async with line.first_alone(request, n):
                    if n > line.width:  # learnt while this call waited
                        continue
                    fresh = await self._caller.call(line.client, request, first, n, tries.count + 1)
                    line.arrived(request, asked=n, draws=fresh)
            except Unsupported as error:
                line.ask_otherwise(error, request)
            except RowRefused as error:
                return made + await self._give_up(request, first, n, error.status, error.reason)
            except CallFault as fault:
                self._check_server()
                line.breaker.failure(fault, f"{request.key} {first}", was_trial=is_trial)
                others_answered = line.breaker.successes > answered
                most = line.breaker.tries_a_row(tries.faults)
                if tries.used_up(fault, most, others_answered=others_answered, was_trial=is_trial):
                    line.breaker.lost_row(fault)
                    reason = f"no usable reply in {tries.count} tries: {fault.reason}"
                    return made + await self._give_up(request, first, n, "failed", reason)
                self._progress.retry(fault, tries.count)
                if line.breaker.state == "closed":
                    policy, is_healthy = self._settings.policy, line.breaker.is_healthy
                    await asyncio.sleep(policy.delay(tries.count, fault, is_healthy=is_healthy))
            else:
                made += fresh
                first, n = first + len(fresh), n - len(fresh)
            finally:
                if is_trial:
                    line.breaker.trial_ended()
        return made

    async def _give_up(self, request: Request, first: int, n: int, status: DrawStatus, reason: str) -> list[Draw]:
        self._ledger.note(self.role, Usage(failed=n))
        lost = [Draw(request.key, index, "", "", status, reason, 0, 0, False) for index in range(first, first + n)]
        return await self._cache.fail(lost, request)


@dataclass
class _Tries:
    """How often one row was tried, by what counts against it."""

    policy: RetryPolicy
    count: int = 0
    faults: int = 0
    refusals: int = 0

    def used_up(self, fault: CallFault, most: int, *, others_answered: bool, was_trial: bool) -> bool:
        """Count one failed try; an endpoint that answers nobody is the breaker's business, not this row's."""
        self.count += 1
        if was_trial or fault.kind == "unreachable":
            return False
        if fault.kind == "refused":
            self.refusals += others_answered
            return self.refusals >= self.policy.refusals
        self.faults += 1
        return self.faults >= most


async def _gather(jobs: Sequence[Coroutine[Any, Any, list[Draw]]]) -> list[list[Draw]]:
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
