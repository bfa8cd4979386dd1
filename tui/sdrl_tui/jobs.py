"""Effects that take time, as workers: panels in a process, the assistant in the event loop. They touch no widget.

A worker posts ``Happened``; the app dispatches it. A panel that is asked for again drops the one before it, and what
still comes of that is dropped by the reducer.
"""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.message import Message
from textual.worker import Worker

from sdrl.authoring.effects import (
    Ask,
    Cancel,
    Effect,
    Estimate,
    Examine,
    Judge,
    MakeSamples,
    Quit,
    Show,
    StartRun,
    StopRun,
    Window,
)
from sdrl.authoring.events import Answered, Event, Failed, Refused, Streamed
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.authoring.services import Services
    from sdrl.models.assistant import Answering
    from sdrl_tui.panel_process import Making

FLUSH_S = 0.1


class Happened(Message):
    """An event came of a job."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class Host(Protocol):
    """What jobs need of the app."""

    def post_message(self, message: Message) -> bool:
        """Post to the app; safe from any thread."""

    def run_worker(self, work: object, **options: object) -> Worker[None]:
        """Start a worker."""

    def leave(self) -> None:
        """End the app."""

    def around(self, effect: Window) -> None:
        """Do something around the spec."""


class Jobs:
    """Starts and cancels the workers of one app. Without an ``assistant`` of its own it asks real models.

    ``making`` makes panels and estimates. ``examine_s``: seconds after a change when the text is compiled, to see what
    that finds; None: never.
    """

    def __init__(self, host: Host, assistant: Answering | None, making: Making, examine_s: float | None = None) -> None:
        self._host = host
        self._assistant = assistant
        self._made_by = making
        self._examine_s = examine_s
        self._services: Services | None = None
        self._serving = threading.Lock()
        self._making: dict[str, Worker[None]] = {}
        self._asking: dict[int, Worker[None]] = {}

    def start(self, effect: Effect) -> None:
        """Begin what an effect asks for; a worker gets a function, as one that ends before it starts awaits nothing."""
        if isinstance(effect, Show | Estimate):
            group = effect.panel if isinstance(effect, Show) else "estimate"
            self._making[group] = self._host.run_worker(
                partial(self._make, effect), exclusive=True, group=group, exit_on_error=False
            )
        elif isinstance(effect, Examine):
            if self._examine_s is not None:
                self._host.run_worker(
                    partial(self._examine, effect, self._examine_s),
                    exclusive=True,
                    group="examine",
                    exit_on_error=False,
                )
        elif isinstance(effect, Judge | MakeSamples | StartRun | StopRun):
            self._host.run_worker(lambda: self._launch(effect), thread=True, group="launch", exit_on_error=False)
        elif isinstance(effect, Ask):
            self._asking[effect.turn] = self._host.run_worker(
                partial(self._ask, effect), group="ask", exit_on_error=False
            )
        elif isinstance(effect, Cancel):
            worker = self._asking.pop(effect.turn, None)
            if worker is not None:
                worker.cancel()
        elif isinstance(effect, Window):
            self._host.around(effect)
        elif isinstance(effect, Quit):
            self._host.leave()

    def is_making(self, panel: str) -> bool:
        """Whether a panel is being made."""
        return panel in self._making and not self._making[panel].is_finished

    async def _make(self, effect: Show | Estimate) -> None:
        self._host.post_message(Happened(await self._made_by.make(effect)))

    async def _examine(self, effect: Examine, after_s: float) -> None:
        await asyncio.sleep(after_s)  # a change that follows at once ends it here
        self._host.post_message(Happened(await self._made_by.make(effect)))

    async def close(self) -> None:
        """End what nobody waits for any more."""
        if self._services is not None:
            self._services.close()
        await self._made_by.close()

    def _served(self) -> Services:
        from sdrl.authoring.services import Services  # reads specs, which a first paint does not wait for

        with self._serving:  # several threads ask for it
            self._services = self._services or Services()
        return self._services

    def _launch(self, effect: Judge | MakeSamples | StartRun | StopRun) -> None:
        try:
            event = self._served().perform(effect)
        except Exception as error:  # the border where a bug of ours becomes a note, and not the app's end
            event = Refused("this is a bug of sdrl", f"{type(error).__name__}: {error}")
        if event is not None:
            self._host.post_message(Happened(event))

    async def _ask(self, effect: Ask) -> None:
        """One turn: text is handed on at most ten times a second."""
        pieces: list[str] = []

        async def flush() -> None:
            while True:
                await asyncio.sleep(FLUSH_S)
                self._flush(effect.turn, pieces)

        flushing = asyncio.create_task(flush())
        try:
            reply = await self._answering()(effect.assistant, effect.messages, pieces.append)
            event: Event = Answered(effect.turn, reply.text, reply.edits, reply.why)
        except SdrlError as error:
            event = Failed(effect.turn, error.message, error.help or "")
        except Exception as error:  # the border where a library's surprise becomes a line of the chat
            event = Failed(effect.turn, f"{type(error).__name__}: {error}", "send it again; /interview needs no model")
        finally:
            flushing.cancel()
        self._flush(effect.turn, pieces)
        self._asking.pop(effect.turn, None)
        self._host.post_message(Happened(event))

    def _answering(self) -> Answering:
        if self._assistant is None:
            from sdrl.models.assistant import ask  # 80 ms that the first paint does not wait for

            self._assistant = ask
        return self._assistant

    def _flush(self, turn: int, pieces: list[str]) -> None:
        if pieces:
            self._host.post_message(Happened(Streamed(turn, "".join(pieces))))
            pieces.clear()
