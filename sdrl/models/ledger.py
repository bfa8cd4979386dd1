"""Money, requests and tokens: reserved before a call is sent, settled when its reply is stored, never above a cap.

Integer micro-dollars throughout. What a run has spent is summed from the ``calls`` of the request cache, so it
outlives kills; a call that was open at a kill counts at its reservation (where nothing is capped, calls are not noted
before they are sent, and those open at a kill are not counted). Caps hold for the instructor: the base model runs on
the user's own machine.

What a call is charged at: its usage where the reply says it, cached prompt tokens at ``cached_input``, reasoning as
completion; its reservation where usage is missing and where no whole reply came but one may have been made (a broken
connection, a time-out, an unreadable 200, a stop in flight); nothing where the endpoint refused or was not reached.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from sdrl.models.cache import Cache
from sdrl.spec.diagnostics import Exit, SdrlError

_STAGE: ContextVar[str] = ContextVar("sdrl_stage", default="")
_ROW: ContextVar[Usage | None] = ContextVar("sdrl_row", default=None)
_MILLION = 1_000_000


@contextlib.contextmanager
def counted() -> Iterator[Usage]:
    """What is asked inside (tasks started inside included) is added up in the sum that this gives."""
    usage = Usage()
    token = _ROW.set(usage)
    try:
        yield usage
    finally:
        _ROW.reset(token)


class PriceLike(Protocol):
    """US dollars a million tokens, as in the spec."""

    @property
    def input(self) -> float:
        """Prompt tokens."""

    @property
    def output(self) -> float:
        """Completion tokens."""

    @property
    def cached_input(self) -> float | None:
        """Prompt tokens that the provider had cached; None: as input."""


@dataclass(frozen=True)
class Price:
    """Integer micro-dollars a million tokens: exact for prices of up to six decimals, rounded up beyond them."""

    input: int = 0
    cached_input: int = 0
    output: int = 0

    @classmethod
    def of(cls, price: PriceLike | None) -> Price:
        """From the spec's dollars a million tokens; None is free (embedded and own servers)."""
        if price is None:
            return cls()
        cached = price.input if price.cached_input is None else price.cached_input
        return cls(micro(price.input), micro(cached), micro(price.output))

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> int:
        """Micro-dollars of one call, rounded up."""
        fresh = max(0, prompt_tokens - cached_tokens)
        total = fresh * self.input + cached_tokens * self.cached_input + completion_tokens * self.output
        return -(-total // _MILLION)

    def most(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Micro-dollars that a call of at most so many tokens can cost, whatever share of the prompt was cached."""
        dearest = max(self.input, self.cached_input)
        return -(-(prompt_tokens * dearest + completion_tokens * self.output) // _MILLION)


def micro(dollars: float) -> int:
    """Dollars as integer micro-dollars, rounded up."""
    return int((Decimal(repr(dollars)) * _MILLION).to_integral_value(ROUND_CEILING))


@dataclass(frozen=True)
class Caps:
    """What may be spent on the instructor; None is no cap. ``microusd`` in integer micro-dollars."""

    microusd: int | None = None
    requests: int | None = None
    tokens: int | None = None

    @classmethod
    def of(cls, usd: float | None = None, requests: int | None = None, tokens: int | None = None) -> Caps:
        """From the spec's ``budget``."""
        return cls(None if usd is None else int(Decimal(repr(usd)) * _MILLION), requests, tokens)

    @property
    def any(self) -> bool:
        """Whether anything is capped."""
        return not (self.microusd is None and self.requests is None and self.tokens is None)


@dataclass
class Usage:
    """Sums over calls. ``requests`` counts HTTP calls, retries included; ``draws`` and ``cached`` count draws."""

    requests: int = 0
    draws: int = 0
    failed: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    microusd: int = 0
    saved_requests: int = 0
    saved_tokens: int = 0
    saved_microusd: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def usd(self) -> float:
        """Dollars, for people; decisions use ``microusd``."""
        return self.microusd / _MILLION

    def add(self, other: Usage) -> None:
        """Add another sum to this one."""
        self.requests += other.requests  # spelled out: this runs for every call
        self.draws += other.draws
        self.failed += other.failed
        self.cached += other.cached
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.microusd += other.microusd
        self.saved_requests += other.saved_requests
        self.saved_tokens += other.saved_tokens
        self.saved_microusd += other.saved_microusd

    def negative(self) -> Usage:
        """What takes this sum away when it is added."""
        return Usage(**{name: -value for name, value in vars(self).items()})

    def as_dict(self) -> dict[str, object]:
        """For ``result.json``: requests, tokens, usd, saved_by_cache."""
        saved = {"requests": self.saved_requests, "tokens": self.saved_tokens, "usd": self.saved_microusd / _MILLION}
        return {
            "requests": self.requests,
            "draws": self.draws,
            "failed": self.failed,
            "cached": self.cached,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "tokens": self.tokens,
            "usd": self.usd,
            "saved_by_cache": saved,
        }


@dataclass(eq=False)
class Reservation:
    """The most that one call can cost; nothing of it comes back before ``Ledger.settle``. Each is one of its own."""

    role: str
    stage: str
    microusd: int
    tokens: int


@dataclass
class Ledger:
    """What one run spends. ``run`` names the run (its plan hash or folder) in the shared cache."""

    cache: Cache
    run: str
    caps: Caps = Caps()
    capped_roles: frozenset[str] = frozenset({"instructor"})
    by: dict[tuple[str, str], Usage] = field(default_factory=dict)
    _spent: Usage = field(default_factory=Usage)
    _held: Usage = field(default_factory=Usage)
    _open: set[Reservation] = field(default_factory=set)
    _freed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        """Take over what earlier sessions of the same run spent."""
        sql = (
            "SELECT stage, role, count(*), sum(prompt_tokens), sum(completion_tokens), sum(microusd)"
            " FROM calls WHERE run = ? AND status <> 'unreachable' GROUP BY stage, role"
        )
        for stage, role, requests, prompt, completion, microusd in self.cache.query(sql, (self.run,)):
            past = Usage(requests=requests, prompt_tokens=prompt, completion_tokens=completion, microusd=microusd)
            self._count(stage, role, past)

    @property
    def stage(self) -> str:
        """The stage on whose behalf the current task asks."""
        return _STAGE.get()

    @contextlib.contextmanager
    def charging(self, stage: str) -> Iterator[None]:
        """Everything asked inside (tasks started inside included) is charged to ``stage``."""
        token = _STAGE.set(stage)
        try:
            yield
        finally:
            _STAGE.reset(token)

    def is_capped(self, role: str) -> bool:
        """Whether any cap holds for ``role``."""
        return self.caps.any and role in self.capped_roles

    async def reserve(self, role: str, microusd: int, tokens: int) -> Reservation:
        """Set aside the most that a call can cost; waits for calls in flight to settle when it does not fit now.

        Raises SdrlError E701, exit 4, when it cannot fit even then: nothing that would exceed a cap is ever sent.
        """
        wanted = Reservation(role, self.stage, microusd, tokens)
        if not self.is_capped(role):
            return self._hold(wanted)
        async with self._freed:
            while (cap := self._exceeded(wanted)) is not None:
                if not self._held.requests:
                    raise self._reached(cap, wanted)
                await self._freed.wait()
            return self._hold(wanted)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Replace a reservation by what the call really cost."""
        self._open.remove(reservation)  # settled twice is our bug, and raises
        if reservation.role in self.capped_roles:
            self._held.requests -= 1
            self._held.microusd -= reservation.microusd
            self._held.prompt_tokens -= reservation.tokens
        self._count(reservation.stage, reservation.role, usage)
        if self.is_capped(reservation.role):
            async with self._freed:
                self._freed.notify_all()

    def take_back(self, role: str, stage: str, open_: Usage) -> Reservation:
        """Hold again a call that was open when an earlier process ended, and counts as spent since: its reply may come.

        Settle it as any other; with nothing used where it never was sent.
        """
        self._count(stage, role, open_.negative(), is_of_row=False)
        return self._hold(Reservation(role, stage, open_.microusd, open_.tokens))

    def note(self, role: str, usage: Usage) -> None:
        """Count what costs nothing: draws from the cache, rows that were given up."""
        self._count(self.stage, role, usage)

    def total(self, *, stage: str | None = None, role: str | None = None) -> Usage:
        """Sums over all stages and roles, or over one."""
        result = Usage()
        for (at, who), usage in self.by.items():
            if stage in (None, at) and role in (None, who):
                result.add(usage)
        return result

    def as_dict(self) -> Mapping[str, object]:
        """The ``usage`` of ``result.json``: totals, and the same for each stage and role."""
        each = {f"{stage}/{role}": usage.as_dict() for (stage, role), usage in sorted(self.by.items())}
        return {**self.total().as_dict(), "by": each}

    def _count(self, stage: str, role: str, usage: Usage, *, is_of_row: bool = True) -> None:
        self.by.setdefault((stage, role), Usage()).add(usage)
        if is_of_row and (row := _ROW.get()) is not None:
            row.add(usage)
        if role in self.capped_roles:
            self._spent.add(usage)

    def _hold(self, wanted: Reservation) -> Reservation:
        self._open.add(wanted)
        if wanted.role in self.capped_roles:
            self._held.requests += 1
            self._held.microusd += wanted.microusd
            self._held.prompt_tokens += wanted.tokens
        return wanted

    def _exceeded(self, wanted: Reservation) -> str | None:
        spent, held, caps = self._spent, self._held, self.caps
        checks = (
            ("usd", caps.microusd, spent.microusd + held.microusd + wanted.microusd),
            ("requests", caps.requests, spent.requests + held.requests + 1),
            ("tokens", caps.tokens, spent.tokens + held.tokens + wanted.tokens),
        )
        return next((name for name, cap, total in checks if cap is not None and total > cap), None)

    def _reached(self, cap: str, wanted: Reservation) -> SdrlError:
        amounts = {
            "usd": (
                f"${self._spent.usd:.6f}",
                f"${(self.caps.microusd or 0) / _MILLION:.6f}",
                f"${wanted.microusd / _MILLION:.6f}",
            ),
            "requests": (str(self._spent.requests), str(self.caps.requests), "1"),
            "tokens": (str(self._spent.tokens), str(self.caps.tokens), str(wanted.tokens)),
        }
        spent, most, next_ = amounts[cap]
        return SdrlError(
            "E701",
            f"budget reached: {cap} {spent} of {most} spent, and the next request may take up to {next_}",
            help=f"raise it with --budget {cap}=N and run the same command again; everything paid for is kept",
            exit=Exit.BUDGET,
        )
