"""``batch: true``: the calls of one role as lines of the provider's batches, through kills and half-done batches.

A ``Transport``, so that what a line means, costs and does on a fault is the client's business as ever. Lines are
gathered until none came for a while, cut at the provider's limits, and sent as one file. What is on disk when:

1. the file, ``STORE/batches/ID.jsonl``;
2. the calls, open in full, each naming the batch ID: from here on they count as spent;
3. the file is uploaded and the batch created, ID among its metadata;
4. the provider's name of the batch, ``STORE/batches/ID.json``.

A run that starts finds its open calls. Where step 4 is missing it looks for ID among the provider's batches: found, the
batch is adopted; not found, nothing was ever asked, and the calls are taken back. So no line is sent twice. A line is
settled when its row asks for it again, as replay does. A stop leaves batches under way, and says so.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sdrl.compiler.schedule import MOST_LINES
from sdrl.models.batch_api import AmbiguousError, BatchApi, Pace
from sdrl.models.batch_call import LINE, BatchLine, Left, custom_id
from sdrl.models.client import Endpoint
from sdrl.models.faults import CallFault
from sdrl.models.ledger import Ledger, Usage
from sdrl.models.progress import Emit
from sdrl.models.transport import Answer
from sdrl.spec.diagnostics import Exit, SdrlError

MOST_BYTES = 200_000_000
LOOKS = 3  # at the provider's list, before a batch is believed never to have been created
_FINAL = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(eq=False)
class _Batch:
    """One batch: ours by ``id``, the provider's by ``remote``; ``waiting`` the lines that somebody wants."""

    id: str
    remote: str
    adopted: bool
    unsettled: set[str]
    waiting: dict[str, BatchLine] = field(default_factory=dict)
    results: dict[str, Answer | CallFault] | None = None
    status: str = ""
    task: asyncio.Task[None] | None = None


class Batches:
    """All batches of one role in one run."""

    def __init__(self, role: str, ledger: Ledger, store: Path, emit: Emit, pace: Pace | None = None) -> None:
        self._role = role
        self._ledger = ledger
        self._cache = ledger.cache
        self._folder = store / "batches"
        self._emit = emit
        self._pace = pace or Pace()
        self._mark = hashlib.sha256(ledger.run.encode()).hexdigest()[:12]
        self._left: dict[str, Left] = {}
        self._batches: dict[str, _Batch] = {}
        self._queue: list[BatchLine] = []
        self._sending: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._is_open = False
        self._most_lines = MOST_LINES
        self._is_crowded = False
        self._api: BatchApi

    def at(self, endpoint: Endpoint) -> Batches:
        """This, connected to an endpoint: the transport of its client."""
        self._api = BatchApi(endpoint, self._pace)
        self._prefix = urlsplit(endpoint.base_url).path.rstrip("/")
        return self

    async def left_over(self, label: str) -> Left | None:
        """The line of an earlier process for these draws, once."""
        async with self._opening:
            if not self._is_open:
                await self._take_over()
                self._is_open = True
        return self._left.pop(label, None)

    async def post(self, path: str, body: bytes) -> Answer:
        """The answer to this call's line, in hours. Raises CallFault or SdrlError."""
        line = LINE.get()
        line.path, line.body = path, body
        if not line.batch:
            self._queue.append(line)
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send_all())
        else:
            batch = self._batches[line.batch]
            batch.waiting[line.custom_id] = line
            if batch.results is not None:
                self._answer(batch, line)
        return await line.answer

    def settled(self, line: BatchLine) -> None:
        """The line's call is stored; a batch whose lines all are is forgotten."""
        for batch in list(self._batches.values()):
            if line.custom_id in batch.unsettled and batch.waiting.get(line.custom_id) is line:
                batch.unsettled.discard(line.custom_id)
                if not batch.unsettled and batch.results is not None:
                    self._forget(batch.id)

    async def close(self) -> None:
        """Let go of what is under way; it stays at the provider, for the next start."""
        tasks = [self._sending, *(batch.task for batch in self._batches.values())]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await self._api.close()
        under_way = [batch.remote for batch in self._batches.values() if batch.results is None]
        if under_way:
            names = ", ".join(under_way)
            message = f"{self._role}: left under way at the provider: batch {names}; the same command takes its replies"
            self._emit(
                "warning", {"code": "W871", "message": f"{message}; cancelled there, it costs what was answered"}
            )

    # sending

    async def _send_all(self) -> None:
        while self._queue:
            gathered = -1
            while gathered != len(self._queue):
                gathered = len(self._queue)
                await asyncio.sleep(self._pace.gather)
            lines, self._queue = [line for line in self._queue if not line.answer.done()], []
            for part in _cut(lines, self._most_lines):
                try:
                    batch = await self._submit(part)
                except SdrlError as error:
                    _fail(part, error)
                    continue
                if self._is_crowded and batch.task is not None:
                    await asyncio.wait({batch.task})

    async def _submit(self, lines: list[BatchLine]) -> _Batch:
        id_ = f"{self._mark}-{uuid.uuid4().hex[:12]}"
        url = self._prefix + lines[0].path
        content = b"".join(_written(line, url) for line in lines)
        self._write(f"{id_}.jsonl", content)
        notes = [replace(line.record, error=f"batch {id_}") for line in lines]
        calls = await asyncio.gather(*(self._cache.open_call(note) for note in notes))
        for line, call in zip(lines, calls, strict=True):
            line.call_id = call
        created = await self._create(await self._api.upload(f"{id_}.jsonl", content), url, id_)
        self._write(f"{id_}.json", json.dumps({"batch": created["id"], "lines": len(lines)}).encode())
        labels = {line.custom_id: line for line in lines}
        batch = _Batch(id_, str(created["id"]), False, set(labels), labels)
        self._follow(batch)
        return batch

    async def _create(self, file_id: str, url: str, mark: str) -> dict[str, Any]:
        attempt = 0
        while True:
            try:
                return await self._api.create(file_id, url, mark)
            except AmbiguousError as error:
                if (found := await self._look_for(mark)) is not None:
                    return found
                reason = str(error)
            except CallFault as fault:
                reason = fault.reason
            if attempt >= 8:
                raise SdrlError(
                    "E817",
                    f"the {self._role}'s provider creates no batch: {reason}",
                    help="the same command goes on; nothing was asked",
                    exit=Exit.STOPPED,
                )
            await self._api.wait(attempt)
            attempt += 1

    async def _look_for(self, mark: str) -> dict[str, Any] | None:
        for look in range(LOOKS):
            if (found := await self._api.find(mark)) is not None:
                return found
            await self._api.wait(look)
        return None

    # taking over

    async def _take_over(self) -> None:
        """Adopt what earlier processes of this run left under way."""
        sql = (
            "SELECT id, key, first_draw, n, stage, microusd, prompt_tokens, completion_tokens, error FROM calls"
            " WHERE run = ? AND role = ? AND status = 'open' AND error LIKE 'batch %'"
        )
        found: dict[str, dict[str, Left]] = {}
        for call, key, first, n, stage, microusd, prompt, completion, error in self._cache.query(
            sql, (self._ledger.run, self._role)
        ):
            most = Usage(requests=1, prompt_tokens=prompt, completion_tokens=completion, microusd=microusd)
            id_ = error.removeprefix("batch ")
            found.setdefault(id_, {})[custom_id(key, first, n)] = Left(call, stage, most, id_)
        for path in self._folder.glob(f"{self._mark}-*"):
            if path.stem not in found:
                self._forget(path.stem)
        for id_, lines in found.items():
            remote = await self._remote(id_)
            if remote is None:
                await self._take_back(id_, list(lines.values()))
                continue
            self._left |= lines
            self._follow(_Batch(id_, remote, True, set(lines)))

    async def _remote(self, id_: str) -> str | None:
        try:
            return str(json.loads((self._folder / f"{id_}.json").read_bytes())["batch"])
        except (OSError, ValueError, KeyError):
            found = await self._look_for(id_)
        if found is None:
            return None
        self._write(f"{id_}.json", json.dumps({"batch": found["id"]}).encode())
        return str(found["id"])

    async def _take_back(self, id_: str, lines: Sequence[Left]) -> None:
        """Nothing was ever asked: the calls cost nothing, and their rows will ask again."""
        await self._cache.unsent([line.call_id for line in lines])
        for line in lines:
            await self._ledger.settle(self._ledger.take_back(self._role, line.stage, line.most), Usage())
        self._forget(id_)

    # following

    def _follow(self, batch: _Batch) -> None:
        self._batches[batch.id] = batch
        batch.task = asyncio.create_task(self._to_its_end(batch))

    async def _to_its_end(self, batch: _Batch) -> None:
        try:
            state = await self._final(batch)
            batch.results = await self._results(batch, state)
            answered = [line for line in batch.waiting.values() if line.custom_id in batch.results]
            for line in answered:
                self._answer(batch, line)
            while any(line.custom_id in batch.unsettled for line in answered):
                await asyncio.sleep(0.01)  # what was answered is stored before an error may end the run
            failure = None if batch.adopted else self._failure(batch, state)
            for line in batch.waiting.values():
                if line.custom_id not in batch.results:
                    self._answer(batch, line, failure)
            if not batch.unsettled:
                self._forget(batch.id)
        except SdrlError as error:
            _fail(batch.waiting.values(), error)

    async def _final(self, batch: _Batch) -> dict[str, Any]:
        delay = self._pace.poll
        seen: object = None
        while True:
            state = await self._api.get(batch.remote)
            batch.status = str(state.get("status"))
            counts = state.get("request_counts") or {}
            told = {name: counts.get(name) for name in ("total", "completed", "failed")}
            if (batch.status, told) != seen:
                seen = (batch.status, told)
                self._emit("batch", {"role": self._role, "batch": batch.remote, "status": batch.status, **told})
            if batch.status in _FINAL:
                return state
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, self._pace.most_poll)

    async def _results(self, batch: _Batch, state: dict[str, Any]) -> dict[str, Answer | CallFault]:
        results: dict[str, Answer | CallFault] = {}
        for name in ("error_file_id", "output_file_id"):
            if state.get(name):
                for line in await self._api.lines(str(state[name])):
                    results[str(line.get("custom_id"))] = _read(line)
        if batch.status == "cancelled":  # what did not run is said as an error of its own: that is the end of the run
            return {label: found for label, found in results.items() if isinstance(found, Answer)}
        return results

    def _answer(self, batch: _Batch, line: BatchLine, failure: SdrlError | None = None) -> None:
        found = (batch.results or {}).get(line.custom_id) or failure
        if found is None:  # the batch ended without this line
            charged = batch.status == "completed"
            found = CallFault("dropped", f"the batch is {batch.status}, and has no line for it", charged=charged)
        if line.answer.done():
            return
        if isinstance(found, Answer):
            line.answer.set_result(found)
        else:
            line.answer.set_exception(found)

    def _failure(self, batch: _Batch, state: dict[str, Any]) -> SdrlError | None:
        """Why the run ends with this batch; None where its rest is simply asked again."""
        if batch.status == "cancelled":
            return SdrlError(
                "E837",
                f"{self._role}: batch {batch.remote} was cancelled at the provider",
                help="what it answered is kept; the same command sends the rest in a new batch",
                exit=Exit.STOPPED,
            )
        if batch.status != "failed":
            return None
        errors = [each for each in (state.get("errors") or {}).get("data") or () if isinstance(each, dict)]
        if any(each.get("code") == "token_limit_exceeded" for each in errors):
            self._is_crowded, self._most_lines = True, max(1, len(batch.waiting) // 2)
            return None
        said = "; ".join(str(each.get("message")) for each in errors[:3]) or "no reason given"
        return SdrlError(
            "E836",
            f"{self._role}: the provider refuses batch {batch.remote}: {said}",
            help="write 'batch: false', or what the provider's batches take; nothing was charged",
        )

    # files

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / f"{name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / name)

    def _forget(self, id_: str) -> None:
        for name in (f"{id_}.jsonl", f"{id_}.json"):
            (self._folder / name).unlink(missing_ok=True)


def _written(line: BatchLine, url: str) -> bytes:
    value = {"custom_id": line.custom_id, "method": "POST", "url": url, "body": json.loads(line.body)}
    return json.dumps(value).encode() + b"\n"


def _cut(lines: list[BatchLine], most_lines: int) -> Iterator[list[BatchLine]]:
    """Lines of one path each, within the provider's limits."""
    part: list[BatchLine] = []
    size = 0
    for line in sorted(lines, key=lambda line: line.path):
        more = len(line.body) + 300
        if part and (line.path != part[0].path or len(part) >= most_lines or size + more > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(line)
        size += more
    if part:
        yield part


def _read(line: dict[str, Any]) -> Answer | CallFault:
    """What a line of an output or error file says: an answer as over HTTP, or why the request did not run."""
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        return Answer(response["status_code"], {}, json.dumps(response.get("body")).encode())
    code = error.get("code") if isinstance(error, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return CallFault("timeout" if code == "batch_expired" else "server", f"the batch did not run it: {said or code}")


def _fail(lines: Any, error: SdrlError) -> None:
    for line in lines:
        if not line.answer.done():
            line.answer.set_exception(error)
