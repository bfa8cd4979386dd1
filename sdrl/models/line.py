"""A connected endpoint and what is learnt of it while it is asked.

The first call with body fields that no good reply is known for goes alone: it is a call of the run that shows whether
the endpoint takes them, so finding out costs no extra call, and a refused key is one refused call and not one for every
row. What was learnt is kept in the store; a later run asks at full width from the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sdrl.models.breaker import Breaker
from sdrl.models.capabilities import Capabilities, key_path, unsupported
from sdrl.models.client import Client
from sdrl.models.faults import Unsupported
from sdrl.models.request import Draw, Request
from sdrl.spec.diagnostics import SdrlError

_SHORT_REPLIES = 3  # with fewer choices than asked for, before an endpoint is taken to ignore ``n``


@dataclass(frozen=True)
class Wanted:
    """What the spec asks an endpoint for: its sampling blocks by path (``vote.sampling``), and where what is learnt of
    the endpoint is kept."""

    blocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    recall: Callable[[], Capabilities | None] = lambda: None
    remember: Callable[[Capabilities], None] = lambda can: None
    forget: Callable[[], None] = lambda: None


class Line:
    """One role's endpoint. ``tell(source, can)`` hears of everything that is learnt; ``wanted`` None learns nothing."""

    def __init__(
        self, client: Client, breaker: Breaker, wanted: Wanted | None, tell: Callable[[str, Capabilities], None]
    ) -> None:
        self.client = client
        self.breaker = breaker
        self._wanted = wanted
        self._tell = tell
        self._known: set[tuple[object, ...]] = set()
        self._alone = asyncio.Lock()
        self._refusal: SdrlError | None = None
        self._full = 0
        self._short = 0
        if wanted is not None and (can := wanted.recall()) is not None:
            is_auto = client.endpoint.structured == "auto"
            client.can = can if is_auto else replace(can, structured=client.can.structured)
            tell("store", client.can)

    @property
    def width(self) -> int:
        """Draws that one call may ask for."""
        return self.client.can.choices

    @contextlib.asynccontextmanager
    async def first_alone(self, request: Request, n: int) -> AsyncIterator[None]:
        """Hold the other calls back while one shows whether the endpoint takes what it asks for."""
        if self._is_known(request, n):
            yield
            return
        before = self._refusal
        async with self._alone:
            if self._refusal is not None and self._refusal is not before:  # the call that was waited for ends the run
                raise self._refusal
            if not self._is_known(request, n):
                yield
                return
        yield  # it is known by now: all who waited go at once

    def _is_known(self, request: Request, n: int) -> bool:
        if self._wanted is None:
            return True
        kind = _kind(request, n)
        if kind not in self._known and self._is_accepted(request, n):
            self._known.add(kind)
        return kind in self._known

    def arrived(self, request: Request, *, asked: int, draws: list[Draw]) -> None:
        """Count a good reply, and learn from it."""
        self.breaker.success()
        if asked > 1:
            self._full += len(draws) == asked
            self._short += len(draws) < asked
            if self._short >= _SHORT_REPLIES and not self._full and self.width > 1:
                self._learn(self.client.can.because("n is ignored: draws are asked for one by one", choices=1))
        if self._wanted is not None and (kind := _kind(request, asked)) not in self._known:
            way = self.client.can.way
            self._accept(request, asked, draws)
            if self.client.can.way == way:
                self._known.add(kind)

    def ask_otherwise(self, error: Unsupported, request: Request) -> None:
        """Ask in another way from now on; SdrlError when there is none left. Calls in flight may report it again."""
        before = self.client.can
        if not self.client.adapt(error, request):
            self._refusal = self._refused(error, request)
            raise self._refusal
        if self.client.can is not before:
            self._learn(self.client.can)

    def _refused(self, error: Unsupported, request: Request) -> SdrlError:
        """The one error, which names every block of the spec that sends what is refused."""
        name, role = error.parameter, self.client.endpoint.role
        if name in request.extra:
            paths = [f"models.{role}.extra.{name}"]
        else:
            path = key_path(role, request.kind, name)
            key = path.rpartition(".")[2]
            blocks = self._wanted.blocks if self._wanted is not None else {}
            paths = [f"{block}.{key}" for block, values in blocks.items() if values.get(key) not in (None, [])]
            paths = paths or [path]
        return unsupported(role, self.client.endpoint.base_url, paths, error.reason)

    def _is_accepted(self, request: Request, n: int) -> bool:
        return set(self.client.body(request, 0, n)) <= self.client.can.accepted

    def _accept(self, request: Request, n: int, draws: list[Draw]) -> None:
        can = self.client.can
        way = can.way_down(self.client.api(request)) if self.client.endpoint.structured == "auto" else None
        if request.schema is not None and way is not None and draws and _is_no_json(draws[0]):
            self._learn(can.because(f"{can.structured} is accepted and ignored, so {way}", structured=way))
            return
        if n > 1 and len(draws) < n:  # whether n is ignored takes more than one reply to see
            return
        fields = frozenset(self.client.body(request, 0, n))
        self._learn(replace(can, accepted=can.accepted | fields), is_news=not can.accepted)

    def _learn(self, can: Capabilities, *, is_news: bool = True) -> None:
        self.client.can = can
        if self._wanted is not None:
            self._wanted.remember(can)
        if is_news:
            self._tell("asked", can)


def _kind(request: Request, n: int) -> tuple[object, ...]:
    """What of a request decides which fields its body has."""
    sent = tuple(name for name, value in request.sampling.items() if value is not None and value != [])
    return (request.prompt is None, request.schema is not None, n > 1, *sent)


def _is_no_json(draw: Draw) -> bool:
    """Whether a whole reply is surely no JSON object, which an endpoint that honours a schema never gives."""
    if draw.status != "ok" or not draw.text.strip():
        return False
    try:
        return not isinstance(json.loads(draw.text), dict)
    except (ValueError, RecursionError):
        return "{" not in draw.text
