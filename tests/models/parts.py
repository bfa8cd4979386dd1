"""Parts that several tests share: a quick retry policy, a request, and a model over a test's own store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sdrl.models.breaker import RetryPolicy
from sdrl.models.cache import Cache
from sdrl.models.client import Client, Endpoint
from sdrl.models.ledger import Caps, Ledger, Price
from sdrl.models.line import Wanted
from sdrl.models.model import Model, ModelSettings
from sdrl.models.request import Request
from sdrl.models.transport import Transport

# Quick to ask again, and as patient as a machine may be busy; HASTY is for what is to be given up.
QUICK = RetryPolicy(first_delay=0.001, most_delay=0.01, never_answered=600, silent=600)
HASTY = replace(QUICK, never_answered=0.3, silent=0.5)

THROUGH: Callable[[Endpoint], Transport] | None = None
"""The transport of every model that ``opened`` opens; None is ours."""


@dataclass
class Bench:
    """A model with what stands behind it."""

    model: Model
    ledger: Ledger
    cache: Cache
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@asynccontextmanager
async def opened(
    store: Path,
    url: str,
    *,
    caps: Caps | None = None,
    price: Price | None = None,
    policy: RetryPolicy = QUICK,
    concurrency: int = 64,
    offline: bool = False,
    extra: Mapping[str, Any] | None = None,
    key: str = "",
    run: str = "run",
    wanted: Wanted | None = None,
    through: Callable[[Endpoint], Transport] | None = None,
    **endpoint: Any,
) -> AsyncIterator[Bench]:
    """A model for the endpoint at ``url`` over the request cache in ``store``, charged to the stage vote."""
    cache = Cache(store)
    ledger = Ledger(cache, run, caps or Caps())
    events: list[tuple[str, dict[str, Any]]] = []
    usual = {"model": "fake-model", "sends_seed": True, "concurrency": concurrency}
    place = Endpoint("instructor", url, key=key, **{**usual, **endpoint})

    async def connect() -> Client:
        make = through or THROUGH
        return Client(place, make(place) if make else None)

    settings = ModelSettings(concurrency, price or Price(), extra or {}, policy, wanted=wanted)

    def emit(type_: str, fields: Mapping[str, Any]) -> None:
        events.append((type_, dict(fields)))

    model = Model("instructor", ledger, None if offline else connect, emit, settings)
    try:
        with ledger.charging("vote"):
            yield Bench(model, ledger, cache, events)
    finally:
        await model.close()
        cache.close()


def ask(question: str = "2 + 2?", **changes: Any) -> Request:
    """A request of the kind ``solve``."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    sampling: dict[str, Any] = {"temperature": 0.7, "top_p": 1.0, "top_k": None, "max_tokens": 64, "stop": []}
    request = Request("solve", "model@2026", messages, None, sampling, None, None, 100, False)
    return replace(request, **changes)
