"""State, reducer, effects and journal together: what a terminal app, a script and a test hold.

``dispatch`` takes an event and does everything that follows from it, in order. An app passes its own ``start`` for
effects that take time; without one, all but asking a model is done at once, which is what a replay does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from sdrl.authoring.effects import Begin, Check, CheckCard, Effect, Judge, Save
from sdrl.authoring.events import Acted, Event, Judged, Opened, Refused, Stored, Taken, is_journaled
from sdrl.authoring.journal import DIGITS, Journal, Line, read_lines
from sdrl.authoring.naming import spec_path
from sdrl.authoring.reducer import reduce
from sdrl.authoring.services import Services, begun
from sdrl.authoring.state import Panel, State, digest
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.source import read_source

AT_ONCE = (Check, CheckCard, Begin, Judge, Save)


class Workbench:
    """One spec under way.

    ``start`` is handed the effects that take time (panels, asking, leaving) and dispatches their results later; what
    checks the text and saves it is done at once.
    """

    def __init__(self, start: Callable[[Effect], None] | None = None, journal: Journal | None = None) -> None:
        self.state = State()
        self._start = start
        self._journal = journal
        self._services = Services()
        self._waiting: deque[Event] = deque()
        self._is_busy = False

    def dispatch(self, event: Event) -> State:
        """Take one event and all that follows from it; the state after them."""
        self._waiting.append(event)
        if self._is_busy:
            return self.state
        self._is_busy = True
        try:
            while self._waiting:
                self._step(self._waiting.popleft())
        finally:
            self._is_busy = False
        return self.state

    def keep_in(self, journal: Journal) -> None:
        """Write events to a journal from now on."""
        self._journal = journal

    def _step(self, event: Event) -> None:
        before = self.state
        self.state, effects = reduce(before, event)
        if self._journal is not None and is_journaled(event):
            self._journal.append(event, digest(self.state.text) if self.state.text != before.text else "")
        for effect in effects:
            if self._start is not None and not isinstance(effect, AT_ONCE):
                self._start(effect)
            elif (result := self._done(effect)) is not None:
                self._waiting.append(result)

    def _done(self, effect: Effect) -> Event | None:
        return self._services.perform(effect)


class Replay(Workbench):
    """A workbench for events that happened already: asks nobody, makes no panels, saves nothing.

    ``following`` is the event after the one under way: what came of an example or a judgement stands there in a
    journal. A script of typed lines has none, and its example is read anew; its files are written if ``writes``.
    """

    def __init__(self, journal: Journal | None = None, *, writes: bool = False) -> None:
        super().__init__(journal=journal)
        self.following: Event | None = None
        self._writes = writes

    def _done(self, effect: Effect) -> Event | None:
        if isinstance(effect, Begin) and not isinstance(self.following, Taken | Refused):
            return begun(effect, writes=self._writes)
        return self._services.perform(effect) if isinstance(effect, Check | CheckCard) else None

    def again(self, event: Event) -> None:
        """Take an event of a journal; a sample that was judged then is in view."""
        if isinstance(event, Acted) and event.action == "judge" and isinstance(self.following, Judged):
            panel = replace(self.state.panels.get("review", Panel()), key="judged then")
            self.state = replace(self.state, panels={**self.state.panels, "review": panel})
        self.dispatch(event)


def replay(lines: Iterable[Line], name: str, path: str, *, writes: bool = False) -> Replay:
    """The workbench after a journal's or script's events, for a spec at ``path`` (never what the journal names).

    ``writes``: the files of an example that a script begins with are written beside the spec.

    Raises:
        SdrlError: E882, the text came out otherwise than the journal says; E881, a line is no event.
    """
    bench = Replay(writes=writes)
    for line, following in pairwise((*lines, None)):
        assert line is not None  # the last one alone is none
        event, bench.following = line.event, following.event if following is not None else None
        if isinstance(event, Opened | Stored):
            event = replace(event, path=path)
        if not isinstance(event, Opened) and not bench.state.is_opened:
            bench.dispatch(Opened(path, "", exists=False))
        bench.again(event)
        if line.digest and line.digest != digest(bench.state.text)[:DIGITS]:
            message = f"{name}:{line.number}: the spec came out otherwise than when this was recorded"
            raise SdrlError("E882", message, help="it was recorded with another version of sdrl, or edited since")
    return bench


def opened(path: Path) -> Opened:
    """The event of opening a spec's file, or of beginning a new one.

    Raises:
        SdrlError: the file is no text (E1xx), or cannot be read.
    """
    if not path.exists():
        spec_path(path)
        return Opened(str(path), "", exists=False)
    source = read_source(path)
    if source.text is None:
        found = source.problem
        raise SdrlError(found.code if found else "", found.message if found else f"{path} cannot be read")
    return Opened(str(path), path.read_bytes().decode("utf-8-sig"))


def recovered(path: Path, journal: Path) -> Workbench | None:
    """The workbench as a crash left it, or None where there is no journal that can be replayed."""
    try:
        text = journal.read_text(encoding="utf-8", errors="replace")
        bench = replay(read_lines(text, str(journal), is_torn=True), str(journal), str(path))
    except (OSError, SdrlError):
        return None
    return bench if bench.state.is_opened else None
