"""The models of one run: opened when a stage first asks, closed when released or at the end.

A managed child starts only when a request misses the cache, so a finished run resumes without starting anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.models.ledger import Ledger
from sdrl.models.model import Model
from sdrl.models.open import open_model
from sdrl.run.folder import RunFolder


class Pool:
    """Hands out one ``Model`` a role; implements ``sdrl.stages.context.ModelPool``."""

    def __init__(
        self,
        plan: Plan,
        folder: RunFolder,
        store: Path,
        ledger: Ledger,
        emit: Callable[[str, Mapping[str, Any]], None],
        *,
        offline: bool,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._offline = offline
        self._open: dict[str, tuple[AsyncExitStack, Model]] = {}
        self._is_stopping = False

    @property
    def under_way(self) -> int:
        """Calls of all models whose reply is not stored yet."""
        return sum(model.under_way for _, model in self._open.values())

    def stop_sending(self) -> None:
        """Let the calls under way come in and send no further one."""
        self._is_stopping = True
        for _, model in self._open.values():
            model.stop_sending()

    async def instructor(self) -> Model:
        """The model that writes and cross-checks examples."""
        return await self._role("instructor", "instructor", None)

    async def embedder(self) -> Model:
        """The model that turns texts into vectors."""
        return await self._role("embedder", "embedder", None)

    async def base(self) -> Model:
        """The model to be trained, as it stands."""
        return await self._role("base", "base", None)

    async def trained(self, folder: Path, identity: str) -> Model:
        """The model that training made, served as the base model was."""
        return await self._role(f"trained {identity}", "base", folder)

    async def _role(self, key: str, role: str, folder: Path | None) -> Model:
        if key not in self._open:
            stack = AsyncExitStack()
            model = await stack.enter_async_context(
                open_model(
                    role,
                    self._plan,
                    self._store,
                    self._folder.logs,
                    self._ledger,
                    self._emit,
                    offline=self._offline,
                    model_override=folder,
                )
            )
            self._open[key] = (stack, model)
            if self._is_stopping:
                model.stop_sending()
        return self._open[key][1]

    async def release(self, role: str) -> None:
        """Close one role's client and end its child; ``trained`` stands for the models of all rounds."""
        for key in [key for key in self._open if key.partition(" ")[0] == role]:
            stack, _ = self._open.pop(key)
            await stack.aclose()

    async def close(self) -> None:
        """Close every role."""
        for role in list(self._open):
            await self.release(role)
