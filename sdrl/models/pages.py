"""Rows of a SQLite file read from its pages and its write-ahead log, as https://sqlite.org/fileformat2.html describes.

For files that SQLite itself refuses: each cell of each page is decoded apart, so that damage costs the rows it hit and
no other. Old copies of a row lie in free pages and in the log; which one counts is for the reader to say.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

MAGIC = b"SQLite format 3\0"
_DEFAULT_PAGE = 4096
_MOST_BYTES = 2**26
_INDEX_LEAF, _INDEX_INTERIOR, _TABLE_LEAF = 0x0A, 0x02, 0x0D


@dataclass(frozen=True)
class Log:
    """The complete transactions of a write-ahead log, whatever the checksums of their frames say."""

    path: Path
    frames: tuple[tuple[int, int], ...]
    """Page number and offset of each image, in order."""
    n_frames: int
    """How many frames there are up to the last that ends a transaction."""

    @classmethod
    def read(cls, *places: Path) -> Log | None:
        """The first log there is among ``places``; None without one."""
        for log in places:
            with contextlib.suppress(OSError), log.open("rb") as file:
                return cls._of(file, log)
        return None

    @classmethod
    def _of(cls, file: IO[bytes], path: Path) -> Log | None:
        header, total = file.read(32), os.fstat(file.fileno()).st_size
        if len(header) < 32:
            return None
        size, salts = struct.unpack(">I", header[8:12])[0], header[16:24]
        if not _is_whole(header):  # the first frame has the salts too
            size, salts = _DEFAULT_PAGE, file.read(16)[8:]
            file.seek(32)
        frames: list[tuple[int, int]] = []
        number = complete = n_frames = 0
        while len(frame := file.read(24)) == 24 and file.tell() + size <= total:
            number += 1
            if frame[8:16] == salts:  # else it is damaged, or left from before the log was begun anew
                page, commit = struct.unpack(">II", frame[:8])
                frames.append((page, file.tell()))
                if commit:
                    complete, n_frames = len(frames), number
            file.seek(size, os.SEEK_CUR)
        return cls(path, tuple(frames[:complete]), n_frames)


def _is_whole(header: bytes) -> bool:
    """Whether the checksum of a log's header holds."""
    order = ">" if struct.unpack(">I", header[:4])[0] & 1 else "<"
    words = struct.unpack(f"{order}6I", header[:24])
    one = two = 0
    for at in range(0, 6, 2):
        one = (one + words[at] + two) & 0xFFFFFFFF
        two = (two + words[at + 1] + one) & 0xFFFFFFFF
    return struct.unpack(">II", header[24:32]) == (one, two)


Lookup = Callable[[int], bytes]


@dataclass(frozen=True)
class Pages:
    """The pages of a database, and those of its log."""

    path: Path
    size: int
    log: Log | None

    @classmethod
    def of(cls, path: Path, log: Log | None) -> Pages:
        """Of the file at ``path`` and its log; its page size is taken on trust only where it can be one."""
        with path.open("rb") as file:
            head = file.read(18)
        size = struct.unpack(">H", head[16:18])[0] if len(head) == 18 else 0
        size = 65536 if size == 1 else size
        valid = head[:16] == MAGIC and size >= 512 and size & (size - 1) == 0
        return cls(path, size if valid else _DEFAULT_PAGE, log)

    def rows(self) -> Iterator[list[Any]]:
        """Every row that can be read from any image of any page; what cannot be read is passed over."""
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(self.path.open("rb"))

            def base(number: int) -> bytes:
                file.seek(max(0, number - 1) * self.size)
                return file.read(self.size)

            for number in range(1, 1 + -(-self.path.stat().st_size // self.size)):
                yield from _rows_of(base(number), number, base, self.size)
            if self.log is None:
                return
            log, latest = stack.enter_context(self.log.path.open("rb")), dict(self.log.frames)

            def image(at: int) -> bytes:
                log.seek(at)
                return log.read(self.size)

            def over(number: int) -> bytes:
                return image(latest[number]) if number in latest else base(number)

            for number, at in self.log.frames:
                yield from _rows_of(image(at), number, over, self.size)


def _rows_of(content: bytes, number: int, page: Lookup, size: int) -> Iterator[list[Any]]:
    at = 100 if number == 1 else 0
    if len(content) < size or content[at] not in (_INDEX_LEAF, _INDEX_INTERIOR, _TABLE_LEAF):
        return
    kind = content[at]
    cells = struct.unpack(">H", content[at + 3 : at + 5])[0]
    first = at + (12 if kind == _INDEX_INTERIOR else 8)
    for cell in range(min(cells, (size - first) // 2)):
        with contextlib.suppress(ValueError, IndexError, struct.error, UnicodeDecodeError):
            place = struct.unpack(">H", content[first + 2 * cell : first + 2 * cell + 2])[0]
            yield _row(page, content, place + (4 if kind == _INDEX_INTERIOR else 0), kind == _TABLE_LEAF, size)


def _row(page: Lookup, content: bytes, at: int, is_table: bool, size: int) -> list[Any]:
    """One cell as its values. Raises ValueError and the like for what is none."""
    length, at = _varint(content, at)
    if length > _MOST_BYTES:
        raise ValueError("no row is so long")
    rowid = None
    if is_table:
        rowid, at = _varint(content, at)
    most = size - 35 if is_table else (size - 12) * 64 // 255 - 23
    least = (size - 12) * 32 // 255 - 23
    local = length
    if length > most:
        local = least + (length - least) % (size - 4)
        local = local if local <= most else least
    payload = content[at : at + local]
    if length > local:
        payload += _overflow(page, struct.unpack(">I", content[at + local : at + local + 4])[0], length - local, size)
    if len(payload) != length:
        raise ValueError("a row that is cut short")
    values = _values(payload)
    return [rowid, *values[1:]] if is_table else values


def _overflow(page: Lookup, number: int, wanted: int, size: int) -> bytes:
    parts: list[bytes] = []
    while wanted > 0:
        content = page(number)
        if len(content) < size:
            raise ValueError("a chain of pages that breaks off")
        part = content[4 : 4 + min(wanted, size - 4)]
        parts.append(part)
        wanted -= len(part)
        number = struct.unpack(">I", content[:4])[0]
    return b"".join(parts)


def _values(payload: bytes) -> list[Any]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    return [value for value, at in _decoded(payload, kinds, end)]


def _decoded(payload: bytes, kinds: Sequence[int], at: int) -> Iterator[tuple[Any, int]]:
    for kind in kinds:
        width = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2
        raw = payload[at : at + width]
        at += width
        if len(raw) != width or kind in (10, 11):
            raise ValueError("a value that is cut short")
        if kind == 0:
            value: Any = None
        elif kind == 7:
            value = struct.unpack(">d", raw)[0]
        elif kind < 10:
            value = kind - 8 if kind > 7 else int.from_bytes(raw, "big", signed=True)
        else:
            value = raw.decode() if kind % 2 else raw
        yield value, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        byte = data[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | data[at + 8], at + 9
