"""When an endpoint is left in peace, and when it is given up. One row's bad luck does neither.

A circuit breaker: closed (calls go out), open (so many rows failed one after the other that nothing is sent for a
while), half open (one call tries; the others wait). It is about faults, not about refusals for load: these are the
limiter's. An endpoint that stays silent for too long ends the run, resumable.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sdrl.models.faults import CallFault
from sdrl.spec.diagnostics import Exit, SdrlError

LOST_BY_CHANCE = 1e-6
_MEMORY = 0.98  # what the share of faults keeps of itself at each reply: about the last fifty count
_HEALTHY_SHARE = 0.25
_QUICK_TRIES = 3  # of one row at a healthy endpoint
State = Literal["closed", "open", "half_open"]
Told = Callable[[State, str], None]
_LEAST_FAILURES = 4  # before an endpoint is given up


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of patience, in seconds. Delays are full jitter: ``first_delay`` doubled each time, to ``most_delay``.

    At an endpoint that answers the others well, the first tries of a row after a fault that is no sign of load are not
    doubled: they add no more calls than the few faults there are, and a stage's end waits for its unluckiest row.
    """

    attempts: int = 8
    """Tries of one row against faults (5xx, time-outs, broken replies) where the endpoint answers others well."""
    most_attempts: int = 40
    """The same where the endpoint fails others too."""
    refusals: int = 60
    """Tries of one row against 429 and 503 while other rows are answered."""
    first_delay: float = 0.2
    most_delay: float = 20.0
    most_retry_after: float = 300.0
    never_answered: float = 15.0
    """How long an endpoint may be unreachable that never answered."""
    silent: float = 180.0
    """How long an endpoint may go without one good reply while it is failing."""
    lost_rows: int = 8
    """Rows in a row that may be lost without one good reply in between."""
    open_after: int = 12
    """Different rows that fail one after the other before the circuit opens: more than may be lost, so that a few bad
    rows at the end of a stage never open it."""

    def delay(self, attempt: int, fault: CallFault, *, is_healthy: bool = False) -> float:
        """Seconds before the next try after ``attempt`` of them; Retry-After is honoured and slightly spread."""
        if fault.retry_after is not None:
            return min(self.most_retry_after, fault.retry_after) * random.uniform(1.0, 1.1)
        if is_healthy and fault.kind not in ("unreachable", "refused"):
            attempt = max(1, attempt - _QUICK_TRIES + 1)
        most = 2.0 if fault.kind == "unreachable" else self.most_delay
        return random.uniform(0, min(most, self.first_delay * 2.0 ** min(max(attempt - 1, 0), 16)))

    def pause(self, trials: int, fault: CallFault) -> float:
        """Seconds that an open circuit stays open after ``trials`` calls in a row that failed."""
        most = 2.0 if fault.kind == "unreachable" else self.most_delay
        return min(most, self.first_delay * 2.0 ** min(trials, 16)) * random.uniform(0.9, 1.1)


class Breaker:
    """Watches one endpoint's replies over all rows. ``tell(state, reason)`` hears of every change of state."""

    def __init__(
        self,
        role: str,
        where: str,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
        tell: Told = lambda state, reason: None,
    ) -> None:
        self.state: State = "closed"
        self.successes = 0
        self._role = role
        self._where = where
        self._policy = policy
        self._clock = clock
        self._tell = tell
        self._failing_since: float | None = None
        self._failures = 0
        self._failed_rows: set[str] = set()
        self._lost = 0
        self._answered = False
        self._faults = 0
        self._share = 1.0  # of faults among the replies, the late ones weighing most; nothing is known at first
        self._trials = 0
        self._may_try_at = 0.0
        self._changed = asyncio.Event()

    async def admit(self) -> bool:
        """Wait until a call may be sent; returns whether it is the one that tries an open circuit."""
        while self.state != "closed":
            wait = self._may_try_at - self._clock()
            if self.state == "open" and wait <= 0:
                self._turn("half_open", "one call tries")
                return True
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait if self.state == "open" else None)
            except TimeoutError:
                continue
        return False

    def success(self) -> None:
        """A reply arrived whole."""
        self.successes += 1
        self._share *= _MEMORY
        self._answered = True
        self._failing_since = None
        self._failures = self._lost = self._trials = 0
        self._failed_rows.clear()
        if self.state != "closed":
            self._turn("closed", "it answers again")

    def failure(self, fault: CallFault, row: str = "", *, was_trial: bool = False) -> None:
        """A call for ``row`` failed; raises SdrlError (exit 5, resumable) when it is time to give up."""
        now = self._clock()
        self._failures += 1
        self._faults += fault.kind not in ("unreachable", "refused")
        self._share = _MEMORY * self._share + 1 - _MEMORY
        if self._failing_since is None:
            self._failing_since = now
        if fault.kind != "unreachable":
            self._answered = True
        patience = self._policy.silent if self._answered else self._policy.never_answered
        if now - self._failing_since >= patience and self._failures >= _LEAST_FAILURES:
            raise self._dead(fault)
        if was_trial:
            self._open(fault)
        elif fault.kind != "refused" and self.state == "closed":
            self._failed_rows.add(row)
            if len(self._failed_rows) >= self._policy.open_after:
                self._open(fault)

    @property
    def is_healthy(self) -> bool:
        """Whether the endpoint has lately answered by far the most calls well."""
        return self._share < _HEALTHY_SHARE

    def trial_ended(self) -> None:
        """The trying call ended without a verdict on the endpoint (it was cancelled): the next one tries."""
        if self.state == "half_open":
            self._turn("open", "the trying call was given up")

    def tries_a_row(self, own: int) -> int:
        """How often one row is tried that failed ``own`` times: an endpoint that fails every second call is given more,
        so that chance alone loses one row in a million at most."""
        others = max(0, self._faults - own)
        if not self.successes or not others:
            return self._policy.attempts
        share = others / (others + self.successes)
        enough = math.ceil(math.log(LOST_BY_CHANCE) / math.log(share))
        return min(max(self._policy.attempts, enough), max(self._policy.attempts, self._policy.most_attempts))

    def lost_row(self, fault: CallFault) -> None:
        """A row used up its tries; raises when rows are being lost one after the other."""
        self._lost += 1
        if self._lost >= self._policy.lost_rows:
            raise self._dead(fault)

    def _open(self, fault: CallFault) -> None:
        pause = self._policy.pause(self._trials, fault)
        self._trials += 1
        self._may_try_at = self._clock() + pause
        failed = f"{len(self._failed_rows)} rows failed in a row" if self._trials == 1 else "it still fails"
        self._turn("open", f"{failed}, next try in {pause:.1f} s: {fault.reason}")

    def _turn(self, state: State, reason: str) -> None:
        self.state = state
        self._changed.set()
        self._tell(state, reason)

    def _dead(self, fault: CallFault) -> SdrlError:
        now = self._clock()
        seconds = now - (now if self._failing_since is None else self._failing_since)
        what = "cannot be reached" if not self._answered else "has given no usable reply"
        code = "E816" if not self._answered else "E817"
        return SdrlError(
            code,
            f"the {self._role}'s endpoint {self._where} {what} for {seconds:.0f} s ({self._failures} calls): "
            f"{fault.reason}",
            help="check that the server runs and its address; the same command goes on, every reply so far is kept",
            exit=Exit.STOPPED,
        )
