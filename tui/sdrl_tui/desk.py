"""The spec that is open: its workbench, its journal, and an eye on its file. Touches no widget.

The library's parts that read a spec are imported when one is opened, which is after the first paint; what happens
before waits in its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.events import Event, Failed
from sdrl.authoring.state import State

if TYPE_CHECKING:
    from sdrl.authoring.effects import Effect
    from sdrl.authoring.journal import Journal
    from sdrl.authoring.workbench import Workbench

Looked = tuple[int, int, int] | None


class Desk:
    """One spec. ``start`` is handed the effects that take time, ``tell`` a sentence for the person."""

    def __init__(
        self, path: Path, start: Callable[[Effect], None], tell: Callable[[str], None], *, keeps_journal: bool
    ) -> None:
        self.path = path
        self._start = start
        self._tell = tell
        self._keeps_journal = keeps_journal
        self._bench: Workbench | None = None
        self._journal: Journal | None = None
        self._waiting: list[Event] = []
        self._looked: Looked = None

    @property
    def state(self) -> State:
        """The state as it is; an empty one before the spec is open."""
        return self._bench.state if self._bench is not None else State(path=str(self.path))

    @property
    def is_open(self) -> bool:
        """Whether the spec was read."""
        return self._bench is not None

    def open(self) -> None:
        """Read the spec, or go on where a journal ends.

        Raises:
            SdrlError: the file is no text.
            OSError: it cannot be read.
        """
        from sdrl.authoring.journal import Journal, journal_path
        from sdrl.authoring.workbench import Workbench, opened, recovered

        first = opened(self.path)
        bench = Workbench(self._start)
        kept = journal_path(self.path)
        found = recovered(self.path, kept) if self._keeps_journal and kept.exists() else None
        if found is not None:
            bench.state = found.state
        elif self._keeps_journal and kept.exists():
            kept.replace(aside := kept.with_suffix(".journal.old"))
            self._tell(f"the journal of an earlier time cannot be replayed; it is kept as {aside.name}")
        if self._keeps_journal:
            try:
                self._journal = Journal(kept, time.monotonic)
                bench.keep_in(self._journal)
            except OSError as error:
                self._tell(f"no journal is kept: {error.strerror or error}; save often")
        self._looked = self._look()
        self._bench = bench
        bench.dispatch(first)
        if self.state.asking:
            bench.dispatch(Failed(self.state.asking, "the app ended before the answer came", "send it again"))
        for event in self._waiting:
            bench.dispatch(event)
        self._waiting.clear()

    def dispatch(self, event: Event) -> None:
        """Take an event; before the spec is open it waits."""
        if self._bench is None:
            self._waiting.append(event)
        else:
            self._bench.dispatch(event)
            self._follow_name()

    def _follow_name(self) -> None:
        """Keep the journal under the name that the spec was saved as, where the next start looks for it."""
        path = Path(self.state.path)
        if path == self.path:
            return
        self.path, self._looked = path, self._look()
        if self._journal is None:
            return
        from sdrl.authoring.journal import journal_path

        try:
            aside = self._journal.move(journal_path(path))
        except OSError as error:
            self._tell(f"the journal stays in {self._journal.path}: {error.strerror or error}")
            return
        if aside is not None:
            self._tell(f"there was a journal of that name from another time; it is kept as {aside.name}")

    def follow_file(self) -> bool:
        """Whether another program changed the file since the last look; if so, the state hears of it."""
        if self._bench is None or (looked := self._look()) == self._looked:
            return False
        from sdrl.authoring.state import digest
        from sdrl.authoring.workbench import opened
        from sdrl.spec.diagnostics import SdrlError

        self._looked = looked
        try:
            found = opened(Path(self.state.path))
        except (SdrlError, OSError):
            return False  # in the middle of being written, or no text now: the next change is looked at again
        if digest(found.text if found.exists else "") == self.state.saved:
            return False
        self._bench.dispatch(found)
        return True

    def _look(self) -> Looked:
        try:
            found = Path(self.state.path).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def sync(self) -> None:
        """Bring the journal to the disk itself."""
        if self._journal is not None:
            self._journal.sync()

    def close(self) -> None:
        """Bring the journal to the disk and let it go."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def kept_in(self) -> Path:
        """The journal, where a text that is not saved is kept."""
        return self._journal.path if self._journal is not None else self.path
