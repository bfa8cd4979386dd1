"""How many calls may be in flight to one endpoint: additive increase, multiplicative decrease on congestion.

Congestion is a share of refusals (429, 503) in a window of about one round of calls, never a single 429: that one
delays its own row only. Starts at the declared concurrency, which is also the most.
"""

from __future__ import annotations

import asyncio
from collections import deque

REFUSED_SHARE = 0.08
CALM_SHARE = 0.02
_MIN_WINDOW = 20


class Limiter:
    """A semaphore whose width follows what the endpoint can take."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._seen = 0
        self._refused = 0
        self._ignore = 0

    async def acquire(self) -> None:
        """Wait for a place; first come, first served."""
        if self.in_flight < int(self.limit) and not self._waiting:
            self.in_flight += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the place was given as we were cancelled: pass it on
                self.release()
            raise

    def release(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
        self._wake()

    def observe(self, *, refused: bool) -> bool:
        """Count one answer; returns whether the width changed."""
        if self._ignore > 0:  # sent before the last cut: says nothing about the new width
            self._ignore -= 1
            return False
        self._seen += 1
        self._refused += refused
        if self._seen < max(_MIN_WINDOW, int(self.limit)):
            return False
        share = self._refused / self._seen
        self._seen = self._refused = 0
        before = int(self.limit)
        if share > REFUSED_SHARE:
            self.limit = max(1.0, self.limit * (1 - min(0.5, max(0.2, share))))
            self._ignore = self.in_flight
        elif share <= CALM_SHARE:
            self.limit = min(float(self.most), self.limit + max(1.0, self.limit / 10))
            self._wake()
        return int(self.limit) != before

    def _wake(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
