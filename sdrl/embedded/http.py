"""The HTTP face of an embedded model: routes, queue, error replies, trial faults. aiohttp on the event loop's thread.

Work runs in the given pool, one request on one worker at a time, and every reply is a function of its request alone:
neither the order of arrival nor the number of workers shows in it. No streaming, no TLS, no authentication: the
server binds to loopback only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sdrl.embedded.protocol import Chat, Reply, Sampling, ServeError, read_chat, read_completion, read_embeddings

if TYPE_CHECKING:
    from aiohttp import web

MAX_BODY_BYTES = 16 * 2**20
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Backend:
    """Where requests are computed: three picklable functions and the pool that runs them."""

    model: str
    any_name: bool
    chat: Callable[[Chat], Reply]
    complete: Callable[[str, Sampling], Reply]
    embed: Callable[[str], tuple[list[float], int]]
    pool: Executor


@dataclass(slots=True)
class Faults:
    """Trial settings: a fixed delay, and a share of tries answered 503.

    Whether a try fails depends on the body and on how often that body has come before, so a repeated trial sees the
    same faults and a retry has a fresh chance.
    """

    latency_ms: int = 0
    fail_rate: float = 0.0
    _seen: Counter[bytes] = field(default_factory=Counter)

    async def apply(self, body: bytes) -> None:
        """Wait, then raise ServeError 503 for the unlucky tries."""
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        if self.fail_rate <= 0:
            return
        digest = hashlib.sha256(body).digest()
        self._seen[digest] += 1
        draw = hashlib.sha256(digest + self._seen[digest].to_bytes(4, "big")).digest()
        if int.from_bytes(draw[:8], "big") < self.fail_rate * 2**64:
            raise ServeError(503, "made to fail by --fail-rate", "overloaded", kind="server_error")


def build_app(backend: Backend, faults: Faults) -> web.Application:
    """The application with its routes."""
    from aiohttp import web

    api = _Api(backend, faults)
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_errors_in_openai_shape()])
    app.router.add_get("/health", api.health)
    app.router.add_get("/v1/models", api.models)
    app.router.add_get("/v1/models/{name:.+}", api.model)
    app.router.add_post("/v1/chat/completions", api.chat)
    app.router.add_post("/v1/completions", api.completions)
    app.router.add_post("/v1/embeddings", api.embeddings)
    return app


class _Api:
    """The handlers; holds nothing but the backend and the trial settings."""

    def __init__(self, backend: Backend, faults: Faults) -> None:
        self._backend = backend
        self._faults = faults

    async def health(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok", "model": self._backend.model})

    async def models(self, _request: web.Request) -> web.Response:
        return _json({"object": "list", "data": [self._card()]})

    async def model(self, request: web.Request) -> web.Response:
        self._check_name(request.match_info["name"])
        return _json(self._card())

    async def chat(self, request: web.Request) -> web.Response:
        raw = await request.read()
        await self._faults.apply(raw)
        chat = read_chat(_decode(raw))
        self._check_name(chat.model)
        reply = await self._work(self._backend.chat, chat)
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": row.text, "refusal": None},
                "finish_reason": row.finish_reason,
                "logprobs": None,
            }
            for index, row in enumerate(reply.rows)
        ]
        return self._answer("chat.completion", "chatcmpl", raw, chat.model, choices, [reply])

    async def completions(self, request: web.Request) -> web.Response:
        raw = await request.read()
        await self._faults.apply(raw)
        asked = read_completion(_decode(raw))
        self._check_name(asked.model)
        replies = [await self._work(self._backend.complete, prompt, asked.sampling) for prompt in asked.prompts]
        rows = [row for reply in replies for row in reply.rows]
        choices = [
            {"index": index, "text": row.text, "finish_reason": row.finish_reason, "logprobs": None}
            for index, row in enumerate(rows)
        ]
        return self._answer("text_completion", "cmpl", raw, asked.model, choices, replies)

    async def embeddings(self, request: web.Request) -> web.Response:
        raw = await request.read()
        await self._faults.apply(raw)
        name, texts = read_embeddings(_decode(raw))
        self._check_name(name)
        made = [await self._work(self._backend.embed, text) for text in texts]
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, (vector, _) in enumerate(made)]
        tokens = sum(count for _, count in made)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return _json({"object": "list", "data": data, "model": name, "usage": usage})

    async def _work(self, call: Callable[..., _Result], *args: object) -> _Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._backend.pool, call, *args)
        except BrokenProcessPool as error:
            message = "a worker process of the embedded server died"
            raise ServeError(500, message, "worker_died", kind="server_error") from error

    def _card(self) -> dict[str, Any]:
        return {"id": self._backend.model, "object": "model", "created": 0, "owned_by": "sdrl.embedded"}

    def _check_name(self, name: str) -> None:
        if name != self._backend.model and not self._backend.any_name:
            message = f"this server has one model, {self._backend.model!r}; {name!r} was asked for"
            raise ServeError(404, message, "model_not_found")

    @staticmethod
    def _answer(
        kind: str, prefix: str, raw: bytes, model: str, choices: list[dict[str, Any]], replies: list[Reply]
    ) -> web.Response:
        prompt = sum(reply.prompt_tokens for reply in replies)
        completion = sum(row.tokens for reply in replies for row in reply.rows)
        return _json(
            {
                "id": f"{prefix}-{hashlib.sha256(raw).hexdigest()[:24]}",
                "object": kind,
                "created": int(time.time()),
                "model": model,
                "choices": choices,
                "usage": {
                    "prompt_tokens": prompt,
                    "completion_tokens": completion,
                    "total_tokens": prompt + completion,
                },
            }
        )


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    from aiohttp import web

    text = json.dumps(body, ensure_ascii=False)
    return web.Response(body=text.encode("utf-8", "replace"), status=status, content_type="application/json")


def _decode(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ServeError(400, f"the body is not JSON: {error}", "invalid_json") from error


def _errors_in_openai_shape() -> Any:
    """The middleware through which every failure leaves: our refusals, aiohttp's own (404, 405, 413) and bugs (500)."""
    from aiohttp import web

    @web.middleware
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except ServeError as error:
            return _json(error.body(), error.status)
        except web.HTTPException as error:
            shaped = ServeError(error.status, f"{request.method} {request.path}: {error.reason}", "http_error")
            return _json(shaped.body(), error.status)
        except Exception as error:  # The border of the process: the client must get an answer, the log gets the trace.
            import logging

            logging.getLogger("sdrl.embedded").exception("a request failed")
            shaped = ServeError(500, f"{type(error).__name__}: {error}", "internal_error", kind="server_error")
            return _json(shaped.body(), 500)

    return guard
