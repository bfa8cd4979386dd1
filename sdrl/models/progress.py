"""What a model tells while it works: ``requests`` and ``retry`` events, each at most twice a second, and every turn of
its limiter (``limit``) and its circuit breaker (``breaker``)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sdrl.models.capabilities import Capabilities
from sdrl.models.client import Endpoint
from sdrl.models.faults import CallFault
from sdrl.models.ledger import Ledger

Emit = Callable[[str, Mapping[str, Any]], None]
_SECONDS = 0.5


class Progress:
    """Counts what is in flight and emits the two periodic events of one role."""

    def __init__(self, role: str, ledger: Ledger, emit: Emit) -> None:
        self.in_flight = 0
        self._role = role
        self._ledger = ledger
        self._emit = emit
        self._faults: Counter[str] = Counter()
        self._told = 0.0
        self._told_retry = 0.0
        self._stage: str | None = None

    def tell(self, limit: int) -> None:
        """Say where the requests of the current stage are, unless that was said just now."""
        stage = self._ledger.stage
        now = time.monotonic()
        if now - self._told < _SECONDS and stage == self._stage:
            return
        self._told = now
        self._stage = stage
        self._say(stage, limit)

    def flush(self, limit: int) -> None:
        """Say the final figures of the last stage that asked."""
        if self._stage is not None:
            self._say(self._stage, limit)

    def limit(self, width: int, most: int, reason: str) -> None:
        """Say that the number of calls that may be in flight has changed."""
        self._emit("limit", {"role": self._role, "limit": width, "most": most, "reason": reason})

    def breaker(self, state: str, reason: str) -> None:
        """Say that the circuit breaker has changed its state."""
        self._emit("breaker", {"role": self._role, "state": state, "reason": reason[:300]})

    def endpoint(self, endpoint: Endpoint) -> Callable[[str, Capabilities], None]:
        """Says what was learnt of ``endpoint``, and whether from asking it or from the store."""

        def tell(source: str, can: Capabilities) -> None:
            fields = {"role": self._role, "url": endpoint.base_url, "model": endpoint.model, "source": source}
            self._emit("endpoint", {**fields, "can": can.as_dict(), "reasons": list(can.reasons)})

        return tell

    def counts_more(self, what: str) -> None:
        """Say that a reply used more tokens than were set aside for it."""
        message = f"{self._role}: the endpoint counts more than was set aside: {what}; more is set aside from now on"
        self._emit("warning", {"code": "W701", "message": message})

    def _say(self, stage: str, limit: int) -> None:
        usage = self._ledger.total(stage=stage, role=self._role)
        fields = {
            "stage": stage,
            "role": self._role,
            "sent": usage.requests,
            "cached": usage.cached,
            "failed": usage.failed,
            "in_flight": self.in_flight,
            "done": usage.draws,
            "usd": usage.usd,
            "limit": limit,
        }
        self._emit("requests", fields)

    def retry(self, fault: CallFault, attempt: int) -> None:
        """Say that a request is asked again; a storm of faults is one event with its size by kind."""
        self._faults[fault.kind] += 1
        now = time.monotonic()
        if now - self._told_retry < _SECONDS:
            return
        self._told_retry = now
        fields = {
            "role": self._role,
            "reason": fault.reason[:300],
            "attempt": attempt,
            "since_last": dict(self._faults),
        }
        self._faults.clear()
        self._emit("retry", fields)
