"""Lines of JSON in, lines of verdicts out: what ``sdrl verify`` does with one batch, in any process.

Takes the bytes of whole lines and gives the bytes to write. Imports the verifier and nothing else of sdrl, so that a
worker process starts fast. A line that cannot be judged ends its batch as data (``Problem``), never as an exception.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sdrl.verifier import Judgement, Verifier

MAX_LINE_BYTES = 64 * 1024 * 1024
LOST = "the verifier's process ended while it judged this row"


class Problem(NamedTuple):
    """Why a line cannot be judged. ``line`` counts from 1, ``column`` too, in characters; column 0: the whole line."""

    line: int
    column: int
    message: str


@dataclass
class Judged:
    """The outcome of one batch: the rows before the first bad line, how many of each verdict, and the bad line."""

    output: bytes
    counts: dict[str, int]
    problem: Problem | None = None


@dataclass(frozen=True)
class Batch:
    """Whole lines, the number of the first one counted from 1."""

    first_line: int
    data: bytes = field(repr=False)

    def rows(self) -> list[Batch]:
        """Each line as a batch of its own."""
        lines = self.data.split(b"\n")
        return [Batch(self.first_line + at, line) for at, line in enumerate(lines) if line.strip()]


class Lines:
    """The batches of a source: whole lines, as many as are at hand up to ``size`` bytes, or one that is longer."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._batches = self._read(size)
        self._next: Batch | None = None
        try:
            self._descriptor: int | None = source.fileno()
        except OSError:
            self._descriptor = None

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> Batch:
        batch, self._next = self._next, None
        return batch or next(self._batches)

    def at_end(self) -> bool:
        """Whether there is no further batch; waits for input to know."""
        self._next = self._next or next(self._batches, None)
        return self._next is None

    @property
    def waits_for(self) -> int | None:
        """The descriptor that becomes readable when there is more to read; None when the next batch is at hand."""
        return None if self._next else self._descriptor

    def _read(self, size: int) -> Iterator[Batch]:
        first_line, started, length = 1, list[bytes](), 0
        while data := self._source.read1(size):  # type: ignore[attr-defined]  # every buffered reader has it
            end = data.rfind(b"\n") + 1
            if end:
                yield Batch(first_line, whole := b"".join((*started, data[:end])))
                first_line += whole.count(b"\n")
                started, length = [], 0
            started.append(data[end:])
            length += len(data) - end
            if length > MAX_LINE_BYTES:
                break  # judging it says so
        if length:
            yield Batch(first_line, b"".join(started))


class _Row(NamedTuple):
    id: str  # as JSON
    completion: str
    gold: str
    options: dict[str, str] | None


def judge(verifier: Verifier, batch: Batch) -> Judged:
    """The verdicts on the lines of a batch, in order."""
    rows, problem = _read(batch)
    found = verifier.judge_many([(row.completion, row.gold, row.options) for row in rows])
    counts: Counter[str] = Counter(judgement.verdict for judgement in found)
    return Judged(_lines(rows, found), dict(counts), problem)


def lost(batch: Batch) -> Judged:
    """The outcome of a batch of one line whose judgement ends the process: its verdict is ``error``."""
    rows, problem = _read(batch)
    output = b"".join(_line(row.id, None, "error", LOST) for row in rows)
    return Judged(output, {"error": len(rows)} if rows else {}, problem)


def _read(batch: Batch) -> tuple[list[_Row], Problem | None]:
    rows: list[_Row] = []
    for number, line in enumerate(batch.data.split(b"\n"), start=batch.first_line):
        if line and not line.isspace():
            row = _row(line, number)
            if isinstance(row, Problem):
                return rows, row
            rows.append(row)
    return rows, None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _row(line: bytes, number: int) -> _Row | Problem:
    """One line as {id, completion, gold, options}."""
    if len(line) > MAX_LINE_BYTES:
        return Problem(number, 0, f"the line is longer than {MAX_LINE_BYTES >> 20} MiB")
    try:
        row = _DECODER.decode(_text(line, number))
    except UnicodeDecodeError as error:
        before = line[: error.start].decode("utf-8", "replace")
        return Problem(number, len(before) + 1, "the line is not UTF-8")
    except json.JSONDecodeError as error:
        return Problem(number, error.pos + 1, f"the line is no valid JSON: {error.msg}")
    except (ValueError, RecursionError) as error:
        return Problem(number, 0, f"the line is no valid JSON: {error}")
    if not isinstance(row, dict):
        return Problem(number, 0, f"the line is {_kind(row)}, not an object")
    completion, gold, options = row.get("completion"), row.get("gold"), row.get("options")
    if not isinstance(completion, str) or not isinstance(gold, str):
        key = "gold" if isinstance(completion, str) else "completion"
        found = f"is {_kind(row[key])}, not a text" if key in row else "is missing"
        return Problem(number, 0, f"'{key}' {found}")
    if options is not None and not (isinstance(options, dict) and all(isinstance(v, str) for v in options.values())):
        return Problem(number, 0, "'options' is no table of letters and texts")
    return _Row(_id(row.get("id", number)), completion, gold, options)


def _text(line: bytes, number: int) -> str:
    if number == 1 and line.startswith(b"\xef\xbb\xbf"):  # the byte order mark some editors write
        line = line[3:]
    return line.decode("utf-8")


def _kind(value: Any) -> str:
    """The JSON name of a value's type."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    kinds: dict[type, str] = {int: "a number", float: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "an object")


def _id(value: Any) -> str:
    return encode_basestring(value) if type(value) is str else json.dumps(value, ensure_ascii=False)


def _lines(rows: list[_Row], found: list[Judgement]) -> bytes:
    lines = []
    for row, judgement in zip(rows, found, strict=True):
        lines.append(_line(row.id, judgement.prediction, judgement.verdict, judgement.reason))
    return b"".join(lines)


def _line(id_: str, prediction: str | None, verdict: str, reason: str) -> bytes:
    # By hand: a quarter of the time of json.dumps for the four keys that never change.
    said = "null" if prediction is None else encode_basestring(prediction)
    text = f'{{"id": {id_}, "prediction": {said}, "verdict": "{verdict}", "reason": {encode_basestring(reason)}}}\n'
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can write
        return (json.dumps(json.loads(text)) + "\n").encode()
