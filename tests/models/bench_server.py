"""The benchmark's endpoint, in a process of its own: 200 ms a call, faults in turn, or a hidden capacity.

``python -m tests.models.bench_server '{"latency": 0.2, "faults": 0.1}'`` prints its URL and serves until its input
ends; GET /stats tells when the first and the last call came, how many there were, and how many were refused.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

from aiohttp import web

TURN = ("429", "500", "half", "html", "drop")
TEXT = json.dumps({"input": "A problem. " + "x" * 200, "output": "#### 42"})


class Server:
    def __init__(self, options: dict[str, Any]) -> None:
        self.latency = float(options.get("latency", 0.2))
        self.faults = float(options.get("faults", 0.0))
        self.retry_after = str(options.get("retry_after", 1))
        self.places = int(options.get("places", 10**9))
        self.rate, self.burst = float(options.get("rate", 0.0)), float(options.get("burst", 20.0))
        self.rng = random.Random(0)
        self.reset()

    def reset(self) -> None:
        self.calls = self.refused = self.faulty = self.in_flight = self.peak = 0
        self.first = self.last = 0.0
        self.tokens, self.at = self.burst, time.monotonic()

    async def stats(self, request: web.Request) -> web.Response:
        names = ("calls", "refused", "faulty", "peak", "first", "last")
        told = web.json_response({name: getattr(self, name) for name in names})
        self.reset()
        return told

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        now = time.monotonic()
        self.first = self.first or now
        self.calls += 1
        if self.in_flight >= self.places or not self._has_token(now):
            self.refused += 1
            return _refusal()
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency)
            if self.faults and self.rng.random() < self.faults:
                self.faulty += 1
                return await _fault(TURN[self.faulty % len(TURN)], request, self.retry_after)
            return web.Response(body=_BODY, content_type="application/json")
        finally:
            self.in_flight -= 1
            self.last = time.monotonic()

    def _has_token(self, now: float) -> bool:
        if not self.rate:
            return True
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


_MESSAGE = {"role": "assistant", "content": TEXT}
_BODY = json.dumps(
    {
        "id": "bench",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260},
    }
).encode()


def _refusal() -> web.Response:
    error = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
    return web.json_response({"error": error}, status=429)


async def _fault(name: str, request: web.Request, retry_after: str) -> web.StreamResponse:
    if name == "429":
        refusal = _refusal()
        refusal.headers["Retry-After"] = retry_after
        return refusal
    if name == "500":
        return web.json_response({"error": {"message": "oops"}}, status=500)
    if name == "html":
        return web.Response(text="<html><body>502 Bad Gateway</body></html>", content_type="text/html")
    if name == "drop":
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(_BODY))})
    await response.prepare(request)
    await response.write(_BODY[: len(_BODY) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def main(options: dict[str, Any]) -> None:
    server = Server(options)
    app = web.Application()
    app.router.add_get("/stats", server.stats)
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
