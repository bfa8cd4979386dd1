"""A fake: an OpenAI-compatible endpoint on loopback. Replies are a function of request and draw, faults scripted.

It speaks real HTTP through aiohttp's server; only the model behind it is made up. A fault is chosen by
``fault(call)``; ``calls`` is the log of everything that arrived.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Call:
    """One call that arrived: its place in the log, how often its body came before, and the body."""

    number: int
    repeat: int
    body: dict[str, Any]
    headers: dict[str, str]
    path: str


Fault = Callable[[Call], str | None]


def reply_text(body: dict[str, Any], place: int) -> str:
    """What the fake model says: a hash of what it sees and of the draw's seed."""
    seen = json.dumps([body.get("messages"), body.get("prompt"), body.get("seed", 0) + place], sort_keys=True)
    return "reply " + hashlib.sha256(seen.encode()).hexdigest()[:12]


@dataclass
class FakeEndpoint:
    """``async with FakeEndpoint(...) as fake``; ``fake.url`` is the base URL."""

    fault: Fault = lambda call: None
    latency: float = 0.0
    usage: bool = True
    finish_reason: str = "stop"
    calls: list[Call] = field(default_factory=list)
    most_in_flight: int = 0
    _in_flight: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _runner: web.AppRunner | None = None
    url: str = ""

    async def __aenter__(self) -> FakeEndpoint:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/v1/completions", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text)
        call = Call(len(self.calls), self._seen[text], body, dict(request.headers), request.path)
        self._seen[text] += 1
        self.calls.append(call)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            name = self.fault(call)
            return await self._good(call) if name is None else await self._bad(name, call, request)
        finally:
            self._in_flight -= 1

    def _body(self, call: Call, n: int | None = None, finish_reason: str | None = None) -> dict[str, Any]:
        n = call.body.get("n", 1) if n is None else n
        chat = "messages" in call.body
        choices = []
        for place in range(n):
            said = reply_text(call.body, place)
            content: dict[str, Any] = {"message": {"role": "assistant", "content": said}} if chat else {"text": said}
            choices.append({"index": place, "finish_reason": finish_reason or self.finish_reason, **content})
        body: dict[str, Any] = {"id": "fake", "object": "fake", "model": call.body["model"], "choices": choices}
        if self.usage:
            body["usage"] = {"prompt_tokens": 11, "completion_tokens": 7 * n, "total_tokens": 11 + 7 * n}
        return body

    async def _good(self, call: Call) -> web.Response:
        return web.json_response(self._body(call))

    async def _bad(self, name: str, call: Call, request: web.Request) -> web.StreamResponse:
        if name in _STATUS:
            status, error, headers = _STATUS[name]
            said = {**error, "message": f"{error['message']} (you sent {request.headers.get('Authorization', '')})"}
            return web.json_response({"error": said}, status=status, headers=headers)
        if name == "html":
            return web.Response(text="<html><body>502 from a proxy</body></html>", content_type="text/html")
        if name == "json_no_choices":
            return web.json_response({"detail": "busy"})
        if name == "empty_choices":
            return web.json_response({**self._body(call), "choices": []})
        if name == "one_choice":
            return web.json_response(self._body(call, n=1))
        if name == "too_many":
            return web.json_response(self._body(call, n=call.body.get("n", 1) + 2))
        if name in ("length", "content_filter"):
            return web.json_response(self._body(call, finish_reason=name))
        if name == "drop":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if name == "half":
            return await self._half(call, request)
        raise AssertionError(name)

    async def _half(self, call: Call, request: web.Request) -> web.StreamResponse:
        whole = json.dumps(self._body(call)).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
        await response.prepare(request)
        await response.write(whole[: len(whole) // 2])
        if request.transport is not None:
            request.transport.close()
        return response


_STATUS: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = {
    "429": (429, {"message": "slow down", "code": "rate_limit_exceeded"}, {}),
    "429_after": (429, {"message": "slow down", "code": "rate_limit_exceeded"}, {"Retry-After": "0.05"}),
    "500": (500, {"message": "oops"}, {}),
    "503": (503, {"message": "overloaded"}, {}),
    "401": (401, {"message": "Incorrect API key provided", "code": "invalid_api_key"}, {}),
    "403": (403, {"message": "no right to this model"}, {}),
    "404": (404, {"message": "no such model", "code": "model_not_found"}, {}),
    "400": (400, {"message": "temperature is not allowed", "param": "temperature"}, {}),
    "400_n": (400, {"message": "n must be 1", "param": "n"}, {}),
    "400_max_tokens": (400, {"message": "use max_completion_tokens instead", "param": "max_tokens"}, {}),
    "400_response_format": (400, {"message": "json_schema is not supported", "param": "response_format"}, {}),
    "400_long": (400, {"message": "too long", "code": "context_length_exceeded"}, {}),
    "quota": (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, {}),
}
