"""An event loop whose clock jumps to the next timer: hours of waiting in milliseconds, the same on every machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in virtual time; nothing in ``work`` may wait for anything outside it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
