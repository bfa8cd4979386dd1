"""Several servers of one model behind one name: calls go to the least busy one, and one that dies costs nothing.

``models.base.serve`` may hold several URLs, a blank apart. They must serve the same weights: a reply is kept under the
model's identity, whichever of them it came from. A call that a server could not answer (no connection, one that broke,
or 502, 503, 504 from what stands before it) goes to another at once and is no failed try; the server is left out for a
while, then asked again. Only when none answers does the caller see the fault. For servers of one's own: a call that
broke may have been computed twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.models.faults import from_transport
from sdrl.models.transport import Answer, Transport

LEFT_OUT_S = 5.0
_AWAY = frozenset({502, 503, 504})


def addresses(text: str) -> tuple[str, ...]:
    """The URLs in a text, in order."""
    return tuple(text.split())


@dataclass
class _Replica:
    transport: Transport
    in_flight: int = 0
    calls: int = 0
    left_out_until: float = 0.0


class Replicas:
    """A ``Transport`` over several; each call goes to the one with the fewest under way."""

    def __init__(self, transports: Sequence[Transport], clock: Callable[[], float] = time.monotonic) -> None:
        self._replicas = [_Replica(transport) for transport in transports]
        self._clock = clock

    async def post(self, path: str, body: bytes) -> Answer:
        """Send one body to the least busy server, and to the others in turn where one does not answer."""
        return await self._anywhere(lambda transport: transport.post(path, body))

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Send anything else, likewise."""
        return await self._anywhere(lambda transport: transport.request(method, path, body))  # type: ignore[attr-defined]

    async def close(self) -> None:
        """Close all connections."""
        for replica in self._replicas:
            await replica.transport.close()

    async def _anywhere(self, send: Callable[[Transport], Any]) -> Answer:
        tried: list[_Replica] = []
        while True:
            replica = self._next(tried)
            is_last = len(tried) + 1 == len(self._replicas)
            tried.append(replica)
            replica.in_flight += 1
            replica.calls += 1
            try:
                answer: Answer = await send(replica.transport)
            except Exception as error:  # the border to the network: what is no fault of the connection is raised again
                if from_transport(error) is None or self._is_slow(error) or is_last:
                    raise
            else:
                if answer.status not in _AWAY or is_last:
                    return answer
            finally:
                replica.in_flight -= 1
            replica.left_out_until = self._clock() + LEFT_OUT_S

    def _next(self, tried: Sequence[_Replica]) -> _Replica:
        """The least busy of those not tried; those that lately failed come last."""
        now = self._clock()
        left = [replica for replica in self._replicas if replica not in tried]
        return min(left, key=lambda each: (each.left_out_until > now, each.in_flight, each.calls))

    @staticmethod
    def _is_slow(error: Exception) -> bool:
        """Whether a server had the call and took too long: another one would not be quicker."""
        fault = from_transport(error)
        return fault is not None and fault.kind == "timeout"
