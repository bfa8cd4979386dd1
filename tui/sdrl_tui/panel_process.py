"""Panels made in a process of their own, so that keys stay quick whatever is computed; and in a thread, without limit.

The process starts with the first panel that is asked for and lives as long as the app. What runs past its limit is
ended with its process, the next question starts another; what else was under way in it is asked again, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from sdrl.authoring.effects import Estimate, Examine, Show

if TYPE_CHECKING:
    from sdrl.authoring.events import Event

Made = Show | Estimate | Examine
MOST_LINE = 1 << 27  # bytes of an answer
LIMIT_S, START_S, LEAVE_S = 60.0, 60.0, 1.0
LIMITS: Mapping[str, float] = {"verify": 5.0, "retrieve": 120.0}
TRIES = 2
_CODE = (  # with this process's own path: a folder's files shadow no module that they do not shadow here
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from sdrl.authoring.panel_worker import main; main(int(sys.argv[2]))"
)


class Making(Protocol):
    """Makes panels."""

    async def make(self, effect: Made) -> Event:
        """What came of it; an event that says why, where nothing did."""

    async def close(self) -> None:
        """End what is under way."""


class InThread:
    """Makes panels in threads of the app's own process."""

    def __init__(self) -> None:
        self._services: object = None

    async def make(self, effect: Made) -> Event:
        """What came of it."""
        return await asyncio.to_thread(self._made, effect)

    def _made(self, effect: Made) -> Event:
        from sdrl.authoring.panel_worker import performed
        from sdrl.authoring.services import Services  # reads specs, which a first paint does not wait for

        if not isinstance(self._services, Services):
            self._services = Services()
        return performed(self._services, effect)

    async def close(self) -> None:
        """Nothing can be ended."""


class _Ended(Exception):
    """The process ended before its answer."""


class InProcess:
    """Makes panels in one process. Use it from one event loop, whose thread lives as long as the process is to live.

    ``limits``: seconds that each panel may take, instead of ``LIMITS``; ``words``: another worker, in tests.
    """

    def __init__(self, limits: Mapping[str, float] = LIMITS, words: Sequence[str] = ()) -> None:
        self._limits = limits
        self._words = words
        self._worker: asyncio.Task[_Worker] | None = None

    @property
    def pid(self) -> int | None:
        """The process there is, or None."""
        task = self._worker
        return task.result().pid if task is not None and task.done() and not task.exception() else None

    async def make(self, effect: Made) -> Event:
        """What came of it, within its limit."""
        from sdrl.authoring.panel_worker import failed, kind_of

        limit = self._limits.get(kind_of(effect), LIMIT_S)
        ended = ""
        for _ in range(TRIES):
            try:
                worker = await self._started()
                async with asyncio.timeout(limit):
                    return await worker.ask(effect)
            except TimeoutError:
                worker.kill()
                why = f"it took more than {limit:g} s and was ended"
                return failed(effect, "ended", why, "nothing else was touched; the next try begins anew")
            except _Ended as found:  # perhaps of what another panel did
                ended = str(found)
            except OSError as error:
                ended = f"it cannot be started: {error.strerror or error}"
        return failed(effect, "not yet", f"the process that makes it is not there: {ended}", "try again")

    async def close(self) -> None:
        """End the process, whatever it does."""
        task, self._worker = self._worker, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, _Ended, TimeoutError):
            worker = await task
            worker.kill()
            await asyncio.wait_for(worker.reading, LEAVE_S)

    async def _started(self) -> _Worker:
        """The worker, ready to be asked; a start goes on though who asked for it waits no more.

        Raises:
            OSError: none can be started.
            _Ended: it ended before it was ready.
        """
        task = self._worker
        if task is None or (task.done() and (task.cancelled() or task.exception() or task.result().has_ended)):
            task = self._worker = asyncio.create_task(_Worker.started(self._words))
        return await asyncio.shield(task)


class _Worker:
    """A process, and who waits for its answers."""

    def __init__(self, process: Process) -> None:
        self.has_ended = False
        self._process = process
        self._waiting: dict[int, asyncio.Future[Event]] = {}
        self._asked = 0
        self.reading = asyncio.create_task(self._read())

    @classmethod
    async def started(cls, words: Sequence[str]) -> _Worker:
        """A new one, once it says that it is ready."""
        from sdrl.authoring.panel_worker import HELLO

        own = (sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), str(os.getpid()))
        process = await asyncio.create_subprocess_exec(
            *(words or own), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True, limit=MOST_LINE
        )
        try:
            async with asyncio.timeout(START_S):
                if process.stdout is None or await process.stdout.readline() != HELLO:
                    raise _Ended("it said nothing at its start")
        except BaseException:
            _kill(process)
            await process.wait()
            raise
        return cls(process)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def ask(self, effect: Made) -> Event:
        """Its answer.

        Raises:
            _Ended: the process ended before it.
        """
        from sdrl.authoring.panel_worker import asking

        if self.has_ended or self._process.stdin is None:
            raise _Ended("it had ended already")
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._process.stdin.write(asking(number, effect))
            return await answer
        finally:
            self._waiting.pop(number, None)

    def kill(self) -> None:
        """End it and whatever it started."""
        self.has_ended = True
        _kill(self._process)

    async def _read(self) -> None:
        """Hand answers to who waits for them until the process ends, then tell those who still wait."""
        from sdrl.authoring.panel_worker import answering

        with contextlib.suppress(OSError, ValueError):  # its end, in the middle of a line
            while self._process.stdout is not None and (line := await self._process.stdout.readline()):
                number, event = answering(line)
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event)
        self.kill()
        status = await self._process.wait()
        ended = _Ended(f"it ended with {f'signal {-status}' if status < 0 else f'exit {status}'}")
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ended)


def _kill(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
