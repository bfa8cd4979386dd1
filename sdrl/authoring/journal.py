"""The journal of a spec under way: its events, one JSON object a line; a crash costs at most a second of typing.

Appended as they happen and flushed; brought to the disk itself (fsync) at most once a second. A line that a crash tore
is passed over. ``digest`` on a line is the sha256 (16 digits) of the spec's text after it, where it changed: a replay
that comes out otherwise is noticed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sdrl.authoring.actions import event_of
from sdrl.authoring.events import Event, from_json, to_json
from sdrl.spec.diagnostics import SdrlError

SYNC_S = 1.0
DIGITS = 16
_BEGINNING = '{"event"'  # what else begins with a brace is typed text, such as a field template


class Line(NamedTuple):
    """One line of a journal or script: its number from 1, the event, and the text's digest after it ('' unknown)."""

    number: int
    event: Event
    digest: str = ""


class Journal:
    """Appends events to a file. ``clock`` gives seconds, for when to fsync.

    Raises:
        OSError: the file cannot be written, or another process writes it.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self._clock = clock
        self._synced = clock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise BlockingIOError(errno.EWOULDBLOCK, "the spec is open in another terminal") from None
        if path.stat().st_size and not _ends_whole(path):
            self._file.write(b"\n")

    def append(self, event: Event, digest: str = "") -> None:
        """Write one event; on disk for certain within a second, if events go on or ``sync`` is called."""
        data = to_json(event) | ({"digest": digest[:DIGITS]} if digest else {})
        self._file.write((json.dumps(data, ensure_ascii=True) + "\n").encode())
        self._file.flush()
        if self._clock() - self._synced >= SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Bring what was written to the disk itself."""
        os.fsync(self._file.fileno())
        self._synced = self._clock()

    def move(self, path: Path) -> Path | None:
        """Go on under another name; a journal of another time that lies there is kept, and its new place returned.

        Raises:
            OSError: another process writes that one, or the folder cannot be written; this one stays where it is.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _put_aside(path) if path.exists() else None
        self.path.replace(path)  # the open file, and its lock, go with it
        self.path = path
        return aside

    def close(self) -> None:
        """Bring everything to the disk and close the file."""
        if not self._file.closed:
            self.sync()
            self._file.close()


def journal_path(spec: Path) -> Path:
    """Where the journal of a spec lies: ``.sdrl/authoring/NAME.journal`` beside it."""
    return spec.parent / ".sdrl" / "authoring" / f"{spec.name}.journal"


def read_lines(text: str, name: str, *, is_torn: bool = False) -> Iterator[Line]:
    """The events of a journal or script: JSON objects, or lines as one would send them from the prompt.

    A JSON line begins with ``{"event"``; a text of several lines is written so. Blank lines count for nothing.
    ``is_torn``: a last line that is no event is passed over, as a crash leaves it.

    Raises:
        SdrlError: E881, a line is no event; the message names file and line.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if not line.startswith(_BEGINNING):
            yield Line(number, event_of(line.rstrip("\r")))
            continue
        try:
            data = json.loads(line)
            event = from_json(data)
        except (ValueError, RecursionError, SdrlError) as error:
            if is_torn and number >= len(lines) - 1:
                return
            message = error.message if isinstance(error, SdrlError) else f"no JSON: {error}"
            help_ = error.help if isinstance(error, SdrlError) else "a line is one event, or what one would type"
            raise SdrlError("E881", f"{name}:{number}: {message}", help=help_) from None
        yield Line(number, event, str(data.get("digest", "")))


def _put_aside(path: Path) -> Path:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(errno.EWOULDBLOCK, "that spec is open in another terminal") from None
        return path.replace(path.with_suffix(".journal.old"))


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
