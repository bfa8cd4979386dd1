"""An imitation of OpenAI's batch API on loopback: files, batches, their states, limits and partial failures.

As its reference documents it: JSONL uploaded with purpose ``batch``; ``validating``, ``in_progress``, ``finalizing``,
then ``completed``, ``failed``, ``expired`` or ``cancelled``; outputs in any order in one file, errors in another. Lines
are answered by the model of ``fake_endpoint``. ``line_fault`` and the other attributes script what goes wrong.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.models.fake_endpoint import reply_text

MOST_LINES = 50_000
MOST_BYTES = 200_000_000


async def nothing(point: str) -> None:
    """Where a test does nothing at a point."""


@dataclass
class ImitationBatchApi:
    """``async with ImitationBatchApi() as api``; a batch advances by one state each time it is looked at.

    ``at`` is awaited at ``uploaded``, ``created`` (both before the reply goes out) and ``looked``. ``line_fault`` gives
    a line's HTTP status by its custom id and how often it came; ``answers`` bounds how many lines a batch answers
    before ``ends_as`` ends it.
    """

    line_fault: Callable[[str, int], int] = lambda label, times: 200
    at: Callable[[str], Awaitable[None]] = nothing
    says: Callable[[dict[str, Any], int], str] = reply_text
    uses: Callable[[dict[str, Any], int], tuple[int, int]] = lambda body, n: (11, 7 * n)
    latency: Callable[[dict[str, Any]], float] = lambda body: 0.0
    answers: int | None = None
    ends_as: str = "completed"
    most_lines: int = MOST_LINES
    enqueued_limit: int | None = None
    http_faults: dict[str, int] = field(default_factory=dict)  # "POST /batches" -> how many replies get lost
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> ImitationBatchApi:
        app = web.Application(client_max_size=2 * MOST_BYTES)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_post("/v1/chat/completions", self._directly)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._get)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _lost(self, request: web.Request, what: str) -> bool:
        """Whether this reply gets lost on its way: done, and not known to be."""
        if self.http_faults.get(what, 0) > 0:
            self.http_faults[what] -= 1
            assert request.transport is not None
            request.transport.close()
            return True
        return False

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        if form["purpose"] != "batch" or not isinstance(file, web.FileField):
            return _refused("purpose must be batch")
        id_ = f"file-{len(self.files)}"
        self.files[id_] = file.file.read()
        await self.at("uploaded")
        self._lost(request, "POST /files")
        return web.json_response({"id": id_, "object": "file", "purpose": "batch", "filename": file.filename})

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["completion_window"] != "24h" or asked["input_file_id"] not in self.files:
            return _refused("no such file, or no such window")
        id_ = f"batch_{len(self.batches)}"
        self.batches[id_] = {
            "id": id_,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": "24h",
            "status": "validating",
            "metadata": asked.get("metadata"),
            "output_file_id": None,
            "error_file_id": None,
            "errors": None,
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        await self.at("created")
        self._lost(request, "POST /batches")
        return web.json_response(self.batches[id_])

    async def _directly(self, request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.sleep(self.latency(body))
        return web.json_response(self._reply(body))

    async def _list(self, request: web.Request) -> web.Response:
        newest = list(reversed(self.batches.values()))
        after = request.query.get("after")
        start = 1 + [batch["id"] for batch in newest].index(after) if after else 0
        page = newest[start : start + min(2, int(request.query["limit"]))]  # short pages, to be gone through
        return web.json_response({"object": "list", "data": page, "has_more": start + len(page) < len(newest)})

    async def _get(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return _refused("no such batch", 404)
        await self.at("looked")
        self._advance(batch)
        return web.json_response(batch)

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        batch["status"] = "cancelling"
        return web.json_response(batch)

    async def _content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]])

    def _advance(self, batch: dict[str, Any]) -> None:
        status = batch["status"]
        if status == "validating":
            batch["errors"] = self._invalid(batch)
            batch["status"] = "failed" if batch["errors"] else "in_progress"
        elif status == "in_progress":
            self._work(batch)
            batch["status"] = "finalizing" if self.ends_as == "completed" else self.ends_as
        elif status == "finalizing":
            batch["status"] = "completed"
        elif status == "cancelling":
            self._work(batch)
            batch["status"] = "cancelled"

    def _invalid(self, batch: dict[str, Any]) -> dict[str, Any] | None:
        lines = self._lines(batch)
        labels = [line["custom_id"] for line in lines]
        problem = None
        if len(lines) > self.most_lines or len(self.files[batch["input_file_id"]]) > MOST_BYTES:
            problem = ("too_many_tasks", "the batch input file is too large")
        elif len(set(labels)) != len(labels) or max(map(len, labels)) > 64:
            problem = ("duplicate_custom_id", "custom ids must differ, and be short")
        elif any(line["method"] != "POST" or line["url"] != batch["endpoint"] for line in lines):
            problem = ("mismatched_url", "all lines must be for the batch's endpoint")
        elif self.enqueued_limit is not None and len(lines) > self.enqueued_limit:
            problem = ("token_limit_exceeded", "Enqueued token limit reached for this model")
        if problem is None:
            return None
        return {"object": "list", "data": [{"code": problem[0], "message": problem[1], "line": None, "param": None}]}

    def _lines(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]

    def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        n = body.get("n", 1)
        choices = [
            {"index": at, "finish_reason": "stop", "message": {"role": "assistant", "content": self.says(body, at)}}
            for at in range(n)
        ]
        prompt, completion = self.uses(body, n)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        return {"choices": choices, "usage": usage}

    def _work(self, batch: dict[str, Any]) -> None:
        lines = self._lines(batch)
        random.Random(batch["id"]).shuffle(lines)
        most = len(lines) if self.answers is None else self.answers
        output, errors = [], []
        for at, line in enumerate(lines):
            label = line["custom_id"]
            if at >= most:
                why = "batch_expired" if self.ends_as == "expired" else "batch_cancelled"
                errors.append({"custom_id": label, "response": None, "error": {"code": why, "message": why}})
                continue
            status = self.line_fault(label, self.times[label])
            self.times[label] += 1
            if status == 200:
                self.answered[label] += 1
                output.append({"custom_id": label, "response": {"status_code": 200, "body": self._reply(line["body"])}})
            else:
                body = {"error": {"message": "scripted", "param": "n" if status == 400 else None}}
                errors.append({"custom_id": label, "response": {"status_code": status, "body": body}, "error": None})
        batch["request_counts"] = {"total": len(lines), "completed": len(output), "failed": len(errors)}
        for name, written in (("output_file_id", output), ("error_file_id", errors)):
            if written:
                batch[name] = f"file-{len(self.files)}"
                self.files[batch[name]] = "".join(json.dumps(line) + "\n" for line in written).encode()


@contextmanager
def serving(api: ImitationBatchApi) -> Iterator[ImitationBatchApi]:
    """Serve from a thread of its own, for what runs its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(api.__aenter__(), loop).result()
    try:
        yield api
    finally:
        asyncio.run_coroutine_threadsafe(api.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _refused(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=status)
