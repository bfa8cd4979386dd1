"""Asks a role's endpoint for what a plan asks of it, in the smallest calls: ``sdrl doctor``'s look before a run.

The calls go the way of every other, so what they cost is in the store's ledger (run ``doctor``) and what they show is
kept for the runs that follow. Only for endpoints that others run; a server of our own is not started.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.models.cache import Cache
from sdrl.models.ledger import Ledger, Usage
from sdrl.models.line import Wanted
from sdrl.models.open import open_model, wanted_of
from sdrl.models.request import Request

MOST_TOKENS = 64
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Checked:
    """What an endpoint can (an ``endpoint`` event's ``can``, and its reasons) and what finding out has used."""

    can: Mapping[str, Any]
    reasons: tuple[str, ...]
    usage: Usage


async def check(role: str, plan: Plan, store: Path) -> Checked | None:
    """Ask once for each sampling block of ``role``; None for a server of our own.

    Raises SdrlError for what would end a run: a refused key or model, and a key of the spec that is not supported.
    """
    wanted = wanted_of(role, plan, store)
    if wanted is None:
        return None
    wanted.forget()
    said: dict[str, Any] = {"can": {}, "reasons": []}

    def emit(type_: str, fields: Mapping[str, Any]) -> None:
        if type_ == "endpoint":
            said.update(fields)

    cache = Cache(store)
    try:
        ledger = Ledger(cache, "doctor")
        before = ledger.total()
        with ledger.charging("doctor"):
            async with open_model(role, plan, store, store, ledger, emit) as model:
                for request in _requests(role, wanted):
                    await model.draw(request, range(2 if request.schema is None else 1))
        after = ledger.total()
    finally:
        cache.close()
    used = Usage(requests=after.requests - before.requests, microusd=after.microusd - before.microusd)
    return Checked(said["can"], tuple(said["reasons"]), used)


def _requests(role: str, wanted: Wanted) -> list[Request]:
    """One request for each block, written as the stages write theirs; never one that was asked before."""
    fresh = time.time_ns() % 2**40
    made = []
    for at, (path, block) in enumerate(wanted.blocks.items()):
        limit = block.get("max_tokens")
        sampling = {**block, "max_tokens": None if limit is None else min(MOST_TOKENS, limit)}
        writes = path == "synthesize.sampling"
        made.append(
            Request(
                kind={"synthesize.sampling": "generate", "vote.sampling": "solve"}.get(path, "answer"),
                model="doctor",
                messages=None if role == "base" else [{"role": "user", "content": "What is 2 + 3? Answer in JSON."}],
                prompt="2 + 3 =" if role == "base" else None,
                sampling=sampling,
                schema_name="generate" if writes else None,
                schema=_SCHEMA if writes else None,
                seed=fresh + at,
                accept_truncated=True,
            )
        )
    return made
