"""The program ``sql-sqlite``: SQL queries are one answer when they give one result, on the sample's own database.

Reads: a slot with one SELECT, and the sample's input, which holds the script (CREATE TABLE, INSERT) of a small database
(``sql_text.find_script``). A query runs in fresh in-memory copies of it: whole, and twice thinned out, without every
second row of each table and what referred to it. ``SELECT 42`` may agree with a query by chance once, hardly thrice.
A copy in which a table would be empty is left out, and so are both where several tables declare no REFERENCES. Rows are
compared as a bag, in order where the gold's query has an outer ORDER BY; numbers by value, to nine digits; the order of
columns counts, their names do not.

A prediction is the query with what it gave, as digests in a comment behind it: a comparison runs nothing. A comment
that a model writes is dropped before.

Not trusted: neither query nor script. A query may only read (an authorizer refuses all but SELECT and a list of
functions; clock and chance are not among them), takes at most ``MAX_STEPS`` steps of SQLite's machine (a count, so that
every machine decides alike; a deadline stands behind it), and texts, results and the script are bounded. Nothing is
attached, loaded or written: the database lives and ends in memory. What cannot run is an incorrect answer with SQLite's
reason, prose without a query an unreadable one.

Does not prove that queries are equivalent: it is the field's execution accuracy with three databases instead of one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any, Final

from sdrl.verifier.plugin import Unreadable
from sdrl.verifier.result import SEVERAL, TOO_LONG, Options
from sdrl.verifier.sql_text import (
    MAX_QUERY,
    MAX_SCRIPT,
    SeveralStatements,
    Statement,
    expanded_size,
    find_script,
    read_statement,
    reads_clock,
)

MAX_STEPS: Final = 200_000
STEPS_PER_CALL: Final = 1_000
DEADLINE_S: Final = 0.25  # of processor time, for one copy of the database; three of them stay under a second
MAX_ROWS: Final = 1_000
MAX_VALUE: Final = 10_000  # bytes of one text, in a query
MAX_RESULT: Final = 200_000  # characters of one result
MAX_CHECKS: Final = 5_000  # names that a statement may look up: nested views and WITH can double them
MAX_EXPANDED: Final = 500  # tables read, with the names of WITH replaced by their bodies
THINNED: Final = (0, 1)  # the rows that are left out, by rowid modulo 2
DIGITS: Final = 9
MAX_PATTERN: Final = 200  # characters of a LIKE pattern that are looked at
_HIDDEN: Final = ("pragma_", "sqlite_", "dbstat", "bytecode", "tables_used")  # tables about the database itself

_FUNCTIONS: Final = frozenset(
    """abs avg ceil ceiling coalesce count cume_dist date datetime dense_rank exp first_value floor group_concat ifnull
    iif instr julianday lag last_value lead length like ln log lower ltrim max min mod nth_value ntile nullif
    percent_rank pow power rank replace round row_number rtrim sign sqrt strftime substr substring sum time total
    trim trunc typeof unicode unixepoch upper""".split()
)
_READS: Final = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_BUILDS: Final = _READS | {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_UPDATE,
    sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_REINDEX,
}
_RESULT: Final = re.compile(r"\n-- (list|bag) ([0-9a-f]{16}) ([0-9a-f]{16})\Z")


class SqlSqlite:
    """What the entry point returns."""

    def read(self, slot: str, options: Options | None) -> str:
        """The query and the digests of its results.

        Raises:
            Unreadable: no query, several, or one that does not run.
        """
        if len(slot) > MAX_QUERY:
            raise Unreadable(TOO_LONG)
        try:
            query = read_statement(slot)
        except SeveralStatements:
            raise Unreadable(SEVERAL, conflict=True) from None
        if query is None:
            raise Unreadable("the slot holds no SELECT")
        script = find_script((options or {}).get("input", ""))
        if script is None:
            raise ValueError("the sample's input holds no CREATE TABLE, so there is no database to ask")
        return _answered(query, script)

    def same(self, prediction: str, gold: str) -> bool:
        """Whether both gave the same rows; in the same order where the gold's query asks for one."""
        left, right = _RESULT.search(prediction), _RESULT.search(gold)
        if left is None or right is None:
            raise ValueError("a prediction without its result cannot be compared")
        return left[2] == right[2] if right[1] == "list" else left[3] == right[3]


@lru_cache(maxsize=4_096)
def _answered(query: Statement, script: str) -> str:
    """The query with its digests: ``-- list`` or ``bag``, the rows in order, the rows as a bag."""
    if reads_clock(query.text):
        raise Unreadable("the query reads the clock", conflict=True)
    if expanded_size(query.text) > MAX_EXPANDED:
        raise Unreadable("the query is too large once its WITH is written out", conflict=True)
    in_order, as_bag = hashlib.sha256(), hashlib.sha256()
    for copy in _copies(script):
        width, rows = _ask(query.text, copy)
        for digest, lines in ((in_order, rows), (as_bag, sorted(rows))):
            digest.update(f"{width}\n".encode())
            digest.update("".join(f"{line}\n" for line in lines).encode())
    kind = "list" if query.is_ordered else "bag"
    return f"{query.text}\n-- {kind} {in_order.hexdigest()[:16]} {as_bag.hexdigest()[:16]}"


def _ask(query: str, copy: bytes) -> tuple[int, list[str]]:
    """Columns and rows (each as one line of JSON) of a query on a database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.deserialize(copy)
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            with _guarded(database, _READS, MAX_VALUE):
                cursor = database.execute(query)
                found = cursor.fetchmany(MAX_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            raise Unreadable(f"the query does not run: {_reason(error)}", conflict=True) from None
        width = len(cursor.description or ())
    rows = [json.dumps([_value(value) for value in row]) for row in found]
    if len(rows) > MAX_ROWS or sum(map(len, rows)) > MAX_RESULT:
        raise Unreadable(f"the result is larger than {MAX_ROWS:,} rows or {MAX_RESULT:,} characters", conflict=True)
    return width, rows


def _value(value: Any) -> Any:
    """A cell for comparison: whole floats are integers, others have nine digits, bytes are hexadecimal."""
    if isinstance(value, float):
        rounded = float(format(value, f".{DIGITS}g"))
        return int(rounded) if abs(rounded) < 1e15 and rounded.is_integer() else rounded
    return {"hex": value.hex()} if isinstance(value, bytes) else value


@lru_cache(maxsize=256)
def _copies(script: str) -> tuple[bytes, ...]:
    """The script's database, whole and thinned out, each as the bytes of a database file.

    Raises:
        ValueError: the script does not run; it belongs to the sample, so that no answer to it can be judged.
    """
    if len(script) > MAX_SCRIPT:
        raise ValueError(f"the database's script has more than {MAX_SCRIPT:,} characters")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        try:
            with _guarded(database, _BUILDS, MAX_SCRIPT):
                database.executescript(script)
            if database.in_transaction:
                database.execute("COMMIT")
            whole = database.serialize()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise ValueError(f"the database's script does not run: {_reason(error)}") from None
    thinned = [_thinned(whole, rest) for rest in THINNED]
    return (whole, *(copy for copy in thinned if copy is not None))


def _thinned(whole: bytes, rest: int) -> bytes | None:
    """The database without the rows whose rowid leaves ``rest`` when halved, nor those that refer to them.

    None where a table lost its last row (over no rows, answers that mean the same differ: a sum is null, a total 0), or
    where nothing says which rows belong together.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.deserialize(whole)
        tables = [
            name
            for name, without_rowid in database.execute(
                "SELECT name, wr FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE "
                "'sqlite!_%' ESCAPE '!'"
            )
            if not without_rowid
        ]
        refers = any(database.execute(f"PRAGMA foreign_key_list({_quoted(table)})").fetchall() for table in tables)
        if len(tables) > 1 and not refers:
            return None
        held = [table for table in tables if not _is_empty(database, table)]
        for table in tables:
            database.execute(f"DELETE FROM {_quoted(table)} WHERE _rowid_ % 2 = {rest}")
        while dangling := [row for row in database.execute("PRAGMA foreign_key_check") if row[1] is not None]:
            for table, rowid, *_ in dangling:
                database.execute(f"DELETE FROM {_quoted(table)} WHERE _rowid_ = ?", (rowid,))
        return None if any(_is_empty(database, table) for table in held) else database.serialize()


def _is_empty(database: sqlite3.Connection, table: str) -> bool:
    return database.execute(f"SELECT 1 FROM {_quoted(table)}").fetchone() is None


def _reason(error: Exception) -> str:
    """SQLite's words; that a limit of ours ended it is said in ours."""
    return {"interrupted": "it takes too many steps", "not authorized": "it may only read"}.get(str(error), str(error))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _guarded(database: sqlite3.Connection, allowed: frozenset[int], max_value: int) -> Iterator[None]:
    """A connection on which only the allowed actions run, for so many steps, on values of so many bytes."""
    for limit, bound in (
        (sqlite3.SQLITE_LIMIT_LENGTH, max_value),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, MAX_SCRIPT),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_COLUMN, 200),
        (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50 if max_value == MAX_VALUE else 500),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
    ):
        database.setlimit(limit, bound)
    database.create_function("like", 2, _like, deterministic=True)
    database.create_function("like", 3, _like, deterministic=True)
    database.set_authorizer(_authorizer(allowed))
    database.set_progress_handler(_watch(), STEPS_PER_CALL)
    try:
        yield
    finally:
        database.set_progress_handler(None, 0)
        database.set_authorizer(None)


def _authorizer(allowed: frozenset[int]) -> Callable[..., int]:
    checks = 0

    def authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
        nonlocal checks
        checks += 1
        if checks > MAX_CHECKS and allowed is _READS:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA and allowed is _BUILDS:
            return sqlite3.SQLITE_IGNORE  # dumps begin with some; they do nothing here
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ and allowed is _READS and (first or "").lower().startswith(_HIDDEN):
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    return authorize


def _watch() -> Callable[[], int]:
    calls, ends = 0, time.thread_time() + DEADLINE_S

    def stop() -> int:
        nonlocal calls
        calls += 1
        return int(calls * STEPS_PER_CALL > MAX_STEPS or time.thread_time() > ends)

    return stop


def _like(pattern: Any, text: Any, escape: str | None = None) -> bool | None:
    """SQL's LIKE in time linear in the text: SQLite's own goes back and forth, in one step that nothing can end."""
    if pattern is None or text is None:
        return None
    text = str(text)
    pieces = _like_pieces(str(pattern)[:MAX_PATTERN], escape)
    head = pieces[0].match(text)
    if len(pieces) == 1 or head is None:
        return head is not None and head.end() == len(text)
    at = head.end()
    for piece in pieces[1:-1]:
        found = piece.search(text, at)
        if found is None:
            return False
        at = found.end()
    return any(match.start() >= at for match in [_ending(pieces[-1]).search(text)] if match)


@lru_cache(maxsize=256)
def _like_pieces(pattern: str, escape: str | None) -> list[re.Pattern[str]]:
    """The texts between the ``%`` of a pattern, as expressions without repetition."""
    pieces, escaped = [""], False
    for sign in pattern:
        if escaped or sign not in ("%", "_", escape):
            pieces[-1] += re.escape(sign)
            escaped = False
        elif sign == escape:
            escaped = True
        elif sign == "%":
            pieces.append("")
        else:
            pieces[-1] += "."
    return [re.compile(piece, re.IGNORECASE | re.ASCII | re.DOTALL) for piece in pieces]


@lru_cache(maxsize=256)
def _ending(piece: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{piece.pattern})\Z", piece.flags & ~re.DEBUG)
