"""The request cache: ``STORE/requests.sqlite``, one row a draw, every call kept with what came of it and what it cost.

One writer thread commits what has gathered (group commit, WAL, synchronous=FULL): a reply is handed on only when it
is on disk, and the event loop never waits for the disk. Lookups run on the caller's thread. Two processes may share
one file; the first reply of a draw wins and both hand on that one. Holds JSON and text only; secrets are taken out
before anything gets here.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from sdrl.models.cache_file import FILE_NAME, check_draw, clear_errors, connect, draw_sum, prepare
from sdrl.models.request import Draw, DrawStatus, Request
from sdrl.models.salvage import hold_open

_BATCH = 512
_T = TypeVar("_T")


@dataclass(frozen=True)
class CallRecord:
    """One HTTP call as it is kept: ``status`` is open (sent, no reply yet), ok, or the kind of fault.

    ``reply`` is the raw text of a reply that could not be used. Money in integer micro-dollars.
    """

    run: str
    stage: str
    role: str
    key: str
    first_draw: int
    n: int
    attempt: int
    status: str
    error: str = ""
    reply: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    usage_known: bool = False
    microusd: int = 0
    latency_ms: int = 0
    at: float = 0.0

    def row(self) -> tuple[Any, ...]:
        """Values in the order of the table's columns, id apart."""
        return (
            *(self.run, self.stage, self.role, self.key, self.first_draw, self.n, self.attempt, self.status),
            *(self.error, self.reply, self.prompt_tokens, self.cached_tokens, self.completion_tokens),
            *(int(self.usage_known), self.microusd, self.latency_ms, self.at),
        )


_CALL_COLUMNS = (
    "run, stage, role, key, first_draw, n, try, status, error, reply, prompt_tokens, cached_tokens, completion_tokens, "
    "usage_known, microusd, latency_ms, at"
)
_INSERT_CALL = f"INSERT INTO calls ({_CALL_COLUMNS}) VALUES ({', '.join('?' * 17)})"
_UPDATE_CALL = f"UPDATE calls SET ({_CALL_COLUMNS}) = ({', '.join('?' * 17)}) WHERE id = ?"
_UNSENT = (
    "UPDATE calls SET status = 'unreachable', microusd = 0, prompt_tokens = 0, completion_tokens = 0"
    " WHERE id = ? AND status = 'open'"
)
# What arrived stays: a later reply for the same draw replaces only a row that never got one.
_PUT_DRAW = """
INSERT INTO draws (key, draw, status, text, finish_reason, reason, prompt_tokens, completion_tokens, call, sum)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, draw) DO UPDATE SET status = excluded.status, text = excluded.text,
  finish_reason = excluded.finish_reason, reason = excluded.reason, prompt_tokens = excluded.prompt_tokens,
  completion_tokens = excluded.completion_tokens, call = excluded.call, sum = excluded.sum WHERE draws.status = 'failed'
"""
_GET_DRAWS = (
    "SELECT draw, status, text, finish_reason, reason, prompt_tokens, completion_tokens, call, sum FROM draws"
    " WHERE key = ?"
)


@dataclass(frozen=True)
class Hit:
    """A draw from the cache and the call that paid for it."""

    draw: Draw
    call: int


class Cache:
    """The store's request cache. Create it inside the process that uses it; ``close`` commits what is left.

    ``mended`` says what was taken over where the file was found damaged.
    """

    def __init__(self, store_dir: Path) -> None:
        self.path = store_dir / FILE_NAME
        with clear_errors(self.path):
            store_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
            with contextlib.ExitStack() as opened:  # a store that cannot be used leaves nothing open
                self._lock, self.mended = hold_open(self.path)
                opened.callback(self._lock.close)
                self._reader = connect(self.path)
                opened.callback(self._reader.close)
                prepare(self._reader, self.path)
                opened.pop_all()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="request-cache", daemon=True)
        self._thread.start()
        self._closed = False

    def lookup(self, key: str, indices: Iterable[int]) -> dict[int, Hit]:
        """Settled draws of a request among ``indices``.

        A reply that arrived is settled whatever its ending (a truncated or filtered one was paid for too, and asking
        again would make a replay differ); a draw that failed is not and will be asked again.
        """
        wanted = set(indices)
        with clear_errors(self.path):
            rows = self._reader.execute(_GET_DRAWS, (key,)).fetchall()
            for row in rows:
                check_draw(key, row)
        return {
            row[0]: Hit(_draw(key, row, cached=True), row[7]) for row in rows if row[0] in wanted and row[1] != "failed"
        }

    async def open_call(self, call: CallRecord) -> int:
        """Note a call that is about to be sent, durably; returns its id for ``settle``."""
        return await self._submit(lambda db: _insert_call(db, call))

    async def settle(
        self, call: CallRecord, draws: Sequence[Draw], request: Request, call_id: int | None = None
    ) -> list[Draw]:
        """Keep a call and the draws it brought in one transaction; returns the draws as they are stored."""
        return await self._submit(lambda db: _settle(db, call, draws, request, call_id))

    async def unsent(self, calls: Sequence[int]) -> None:
        """Note that open calls never reached anybody, and so cost nothing."""
        await self._submit(lambda db: db.executemany(_UNSENT, [(call,) for call in calls]))

    async def fail(self, draws: Sequence[Draw], request: Request) -> list[Draw]:
        """Keep draws that got no reply after all tries, for the record; a later run asks again."""
        return await self._submit(lambda db: _put_draws(db, draws, request, call_id=0))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read-only look at the tables ``requests``, ``draws`` and ``calls`` (reports, tests)."""
        with clear_errors(self.path):
            return self._reader.execute(sql, tuple(parameters)).fetchall()

    def close(self) -> None:
        """Commit what is left and close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._reader.close()
        self._lock.close()

    def _submit(self, work: Callable[[sqlite3.Connection], _T]) -> asyncio.Future[_T]:
        if self._closed:
            raise RuntimeError("the request cache is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(_Job(work, loop, future))
        return future

    def _write_all(self) -> None:
        """The writer thread: gather, apply in one transaction, commit, then report."""
        connection: sqlite3.Connection | None = None
        more = True
        while more:
            batch, more = self._gather()
            if not batch:
                break
            try:
                with clear_errors(self.path):
                    connection = connection or connect(self.path)
                    results = _commit(connection, [job.work for job in batch])
            except Exception as error:  # the thread's border: whatever went wrong belongs to those who wait
                _report(batch, error=error)
                continue
            _report(batch, results)
        if connection is not None:
            connection.close()

    def _gather(self) -> tuple[list[_Job], bool]:
        job = self._jobs.get()
        batch: list[_Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) >= _BATCH or self._jobs.empty():
                return batch, True
            job = self._jobs.get()
        return batch, False


@dataclass(frozen=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


def _commit(connection: sqlite3.Connection, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [work(connection) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _report(batch: Sequence[_Job], results: Sequence[Any] = (), error: Exception | None = None) -> None:
    """Wake the waiters, one hop to each event loop for the whole batch."""
    loops = {id(job.loop): job.loop for job in batch}
    for loop in loops.values():
        mine = [(job, index) for index, job in enumerate(batch) if job.loop is loop]

        def wake(mine: list[tuple[_Job, int]] = mine) -> None:
            for job, index in mine:
                if job.future.done():  # its task was cancelled; the row is kept all the same
                    continue
                if error is not None:
                    job.future.set_exception(error)
                else:
                    job.future.set_result(results[index])

        if not loop.is_closed():
            loop.call_soon_threadsafe(wake)


def _insert_call(db: sqlite3.Connection, call: CallRecord) -> int:
    return int(db.execute(_INSERT_CALL, call.row()).lastrowid or 0)


def _settle(
    db: sqlite3.Connection, call: CallRecord, draws: Sequence[Draw], request: Request, call_id: int | None
) -> list[Draw]:
    if call_id is None:
        call_id = _insert_call(db, call)
    else:
        db.execute(_UPDATE_CALL, (*call.row(), call_id))
    return _put_draws(db, draws, request, call_id)


def _put_draws(db: sqlite3.Connection, draws: Sequence[Draw], request: Request, call_id: int) -> list[Draw]:
    stored = []
    if draws:
        row = (request.key, request.kind, request.model, request.body.decode("utf-8", "replace"))
        db.execute("INSERT OR IGNORE INTO requests (key, kind, model, body) VALUES (?, ?, ?, ?)", row)
    for draw in draws:
        text, key = _storable(draw.text), draw.request_key
        ending = (text, draw.finish_reason, _storable(draw.reason), draw.prompt_tokens, draw.completion_tokens)
        values = (draw.index, draw.status, *ending, call_id)
        if db.execute(_PUT_DRAW, (key, *values, draw_sum(key, *values))).rowcount == 1:
            stored.append(replace(draw, text=text))
        else:  # another process was first
            found = db.execute(_GET_DRAWS + " AND draw = ?", (draw.request_key, draw.index)).fetchone()
            stored.append(_draw(draw.request_key, found, cached=True))
    return stored


def _draw(key: str, row: Sequence[Any], *, cached: bool) -> Draw:
    index, status, text, finish_reason, reason, prompt_tokens, completion_tokens = row[:7]
    known: DrawStatus = status
    return Draw(key, index, text, finish_reason, known, reason, prompt_tokens, completion_tokens, cached)


def _storable(text: str) -> str:
    """``text`` without lone surrogates, which neither SQLite nor JSON Lines can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
