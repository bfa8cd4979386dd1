"""A scripted fake of an assistant inside the process: understands nothing, says what it was made with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sdrl.models.assistant import Reply
from sdrl.spec.diagnostics import SdrlError


class ScriptedFakeAssistant:
    """Says its reply, or raises it; with ``waits`` it says the text and then waits to be cancelled."""

    def __init__(self, reply: Reply | SdrlError, *, waits: bool = False) -> None:
        self.reply = reply
        self.was_cancelled = False
        self._goes_on = asyncio.Event()
        if not waits:
            self._goes_on.set()

    async def __call__(
        self, where: tuple[str, str, str], messages: Sequence[tuple[str, str]], said: Callable[[str], None]
    ) -> Reply:
        """One turn."""
        if isinstance(self.reply, SdrlError):
            raise self.reply
        try:
            said(self.reply.text)
            await self._goes_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return self.reply
