"""When an endpoint is given up: nothing has answered well for too long. One row's bad luck never ends a run."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sdrl.models.faults import CallFault
from sdrl.spec.diagnostics import Exit, SdrlError

LOST_BY_CHANCE = 1e-6


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds of patience, in seconds. Delays are full jitter: ``first_delay`` doubled each time, to ``most_delay``."""

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

    def delay(self, attempt: int, fault: CallFault) -> float:
        """Seconds before the next try; Retry-After is honoured and slightly spread."""
        if fault.retry_after is not None:
            return min(self.most_retry_after, fault.retry_after) * random.uniform(1.0, 1.1)
        most = 2.0 if fault.kind == "unreachable" else self.most_delay
        return random.uniform(0, min(most, self.first_delay * 2.0 ** min(attempt, 16)))


class Breaker:
    """Watches one endpoint's replies over all rows."""

    def __init__(self, role: str, where: str, policy: RetryPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._role = role
        self._where = where
        self._policy = policy
        self._clock = clock
        self._failing_since: float | None = None
        self._failures = 0
        self._lost = 0
        self._answered = False
        self._faults = 0
        self.successes = 0

    def success(self) -> None:
        """A reply arrived whole."""
        self.successes += 1
        self._answered = True
        self._failing_since = None
        self._failures = self._lost = 0

    def failure(self, fault: CallFault) -> None:
        """A call failed; raises SdrlError (exit 5, resumable) when it is time to give up."""
        now = self._clock()
        self._failures += 1
        self._faults += fault.kind not in ("unreachable", "refused")
        if self._failing_since is None:
            self._failing_since = now
        if fault.kind != "unreachable":
            self._answered = True
        patience = self._policy.silent if self._answered else self._policy.never_answered
        if now - self._failing_since >= patience and self._failures >= 4:
            raise self._dead(fault)

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

    def _dead(self, fault: CallFault) -> SdrlError:
        seconds = self._clock() - (self._failing_since or self._clock())
        what = "cannot be reached" if not self._answered else "has given no usable reply"
        code = "E816" if not self._answered else "E817"
        return SdrlError(
            code,
            f"the {self._role}'s endpoint {self._where} {what} for {seconds:.0f} s ({self._failures} calls): "
            f"{fault.reason}",
            help="check that the server runs and its address; the same command goes on, every reply so far is kept",
            exit=Exit.STOPPED,
        )
