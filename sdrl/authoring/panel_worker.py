"""Makes panels and estimates in a process of its own: one JSON line in, one out, until standard input ends.

Holds nothing that matters, so that it may be killed at any time; ends with whoever started it, killed or not. One
thread a panel: of what is asked of it meanwhile the newest is made, the rest is nobody's any more. Who starts, limits
and ends it is the app.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any

from sdrl.authoring.effects import Estimate, Examine, Show
from sdrl.authoring.events import Estimated, Event, Examined, Refused, Shown
from sdrl.authoring.services import Services
from sdrl.authoring.sheet import Mark
from sdrl.spec.diagnostics import Diagnostic

Made = Show | Estimate | Examine
HELLO = b"ready\n"
NICE = 5  # where cores are few, the app's keys come first
_PR_SET_PDEATHSIG = 1
_ASKED: Mapping[str, type] = {kind.__name__: kind for kind in (Show, Estimate, Examine)}
_ANSWERED: Mapping[str, type] = {kind.__name__: kind for kind in (Shown, Estimated, Examined, Refused)}


def kind_of(effect: Made) -> str:
    """The panel's name; of what is asked for one kind, only the newest counts."""
    return effect.panel if isinstance(effect, Show) else type(effect).__name__.lower()


def performed(services: Services, effect: Made) -> Event:
    """What came of an effect; a bug of ours is a line of the panel, and not the end of app or worker."""
    try:
        event = services.perform(effect)
    except Exception as error:  # the border where a bug becomes a line
        return failed(effect, "this is a bug of sdrl", f"{type(error).__name__}: {error}")
    return event if event is not None else failed(effect, "this is a bug of sdrl", "nothing came of it")


def failed(effect: Made, what: str, why: str, help_: str = "") -> Event:
    """The event that tells in the panel, or in the chat for an estimate, why there is no content."""
    if isinstance(effect, Show):
        return Shown(effect.panel, effect.rev, what, (why, *([f"help: {help_}"] if help_ else [])))
    if isinstance(effect, Examine):
        return Examined(effect.rev, (), f"{what}: {why}")
    return Refused(what, why, help_)


def asking(number: int, effect: Made) -> bytes:
    """The line that asks for an effect; its answer carries the number."""
    return _line([number, type(effect).__name__, dataclasses.asdict(effect)])


def answering(line: bytes) -> tuple[int, Event]:
    """The number and the event of an answer's line."""
    number, kind, given = json.loads(line)
    if kind == Shown.__name__:
        given["lines"] = tuple(given["lines"])
        given["marks"] = tuple(Mark(*each) for each in given["marks"])
    if kind == Examined.__name__:
        given["issues"] = tuple(Diagnostic(**each) for each in given["issues"])
    event: Event = _ANSWERED[kind](**given)
    return number, event


def _line(data: list[Any]) -> bytes:
    return json.dumps(data).encode() + b"\n"


class _Maker:
    """Makes what is asked of one panel, in a thread that lives as long as there is something to make."""

    def __init__(self, services: Services, answer: Callable[[bytes], None]) -> None:
        self._services = services
        self._answer = answer
        self._next: tuple[int, Made] | None = None
        self._is_at_work = False
        self._lock = threading.Lock()

    def ask(self, number: int, effect: Made) -> None:
        """Make it next; what waited until now is not made."""
        with self._lock:
            self._next = (number, effect)
            if self._is_at_work:
                return
            self._is_at_work = True
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._next is None:
                    self._is_at_work = False
                    return
                (number, effect), self._next = self._next, None
            event = performed(self._services, effect)
            self._answer(_line([number, type(event).__name__, dataclasses.asdict(event)]))


def serve(asked: IO[bytes], replies: IO[bytes]) -> None:
    """Answer until ``asked`` ends; what is under way then is left."""
    services, writing = Services(), threading.Lock()

    def answer(line: bytes) -> None:
        with writing:
            replies.write(line)
            replies.flush()

    makers: dict[str, _Maker] = {}
    answer(HELLO)
    for line in asked:
        number, kind, given = json.loads(line)
        effect: Made = _ASKED[kind](**given)
        makers.setdefault(kind_of(effect), _Maker(services, answer)).ask(number, effect)


def _end_with_parent(parent: int) -> None:
    """On Linux, be killed when the parent is, even in a computation that lets no other thread run."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it had ended before it could be asked for a signal


def main(parent: int) -> None:
    """Serve standard input and output; ``parent`` is the process that started this one."""
    _end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the app's to handle
    os.nice(NICE)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing a library prints may enter the protocol
    serve(sys.stdin.buffer, replies)
    os._exit(0)  # without waiting for threads
