"""Imitations of servers that speak the OpenAI protocol with quirks of their own, each reduced to its quirks.

They are written from the servers' documentation, sources and issues, not from the servers; what they say is canned.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Answer = tuple[int, Body | str]
JSON_REPLY = '{"input": "1 + 1?", "output": "2"}'


@dataclass
class Imitation:
    """A running imitation: where it is and every (path, body) that it was asked."""

    url: str
    asked: list[tuple[str, Body]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Body]:
        return [body for _, body in self.asked]


@asynccontextmanager
async def serving(answer: Callable[[str, Body], Answer], base: str = "/v1") -> AsyncIterator[Imitation]:
    app = web.Application()
    imitation = Imitation("")

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        imitation.asked.append((request.path, body))
        status, said = answer(request.path, body)
        if isinstance(said, str):
            return web.Response(status=status, text=said)
        return web.json_response(said, status=status)

    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    imitation.url = f"http://127.0.0.1:{runner.addresses[0][1]}{base}"
    try:
        yield imitation
    finally:
        await runner.cleanup()


def chat_reply(*messages: Body, finish: str = "stop", usage: Body | None = None, **more: Any) -> Body:
    choices = [
        {"index": at, "message": {"role": "assistant", **message}, "finish_reason": finish, **more}
        for at, message in enumerate(messages)
    ]
    used = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14} if usage is None else usage
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": used}


def reasoning_openai(path: str, body: Body) -> Answer:
    """OpenAI's reasoning models: ``max_tokens`` has another name, temperature and top_p one value, stop is unknown."""
    if "max_tokens" in body:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return 400, _openai_error(said, "max_tokens", "unsupported_parameter")
    for name in ("temperature", "top_p"):
        if body.get(name, 1) != 1:
            said = (
                f"Unsupported value: '{name}' does not support {body[name]} with this model. "
                "Only the default (1) value is supported."
            )
            return 400, _openai_error(said, name, "unsupported_value")
    if "stop" in body:
        said = "Unsupported parameter: 'stop' is not supported with this model."
        return 400, _openai_error(said, "stop", "unsupported_parameter")
    n = body.get("n", 1)
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 80 * n,
        "completion_tokens_details": {"reasoning_tokens": 64 * n},
    }
    return 200, chat_reply(*({"content": JSON_REPLY, "refusal": None} for _ in range(n)), usage=usage)


def four_stops_openai(path: str, body: Body) -> Answer:
    """OpenAI takes up to four stop strings."""
    if len(body.get("stop", [])) > 4:
        said = f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got {len(body['stop'])}."
        return 400, _openai_error(said, "stop", "array_above_max_length")
    return 200, chat_reply({"content": JSON_REPLY})


def _openai_error(message: str, param: str, code: str) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def responses_openai(path: str, body: Body) -> Answer:
    """The responses API: other names, one reply a call, thought beside the message, an ending that is no reason."""
    if path != "/v1/responses":
        return 404, {"error": {"message": "Unknown path", "type": "invalid_request_error"}}
    for name in ("messages", "n", "stop", "max_tokens", "response_format"):
        if name in body:
            return 400, _openai_error(f"Unsupported parameter: '{name}'.", name, "unsupported_parameter")
    cut = body["max_output_tokens"] < 16
    text = {"type": "output_text", "text": JSON_REPLY[: 9 if cut else None], "annotations": []}
    output = [
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]},
    ]
    details = {"incomplete_details": {"reason": "max_output_tokens"}} if cut else {}
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return 200, {
        "object": "response",
        "status": "incomplete" if cut else "completed",
        "output": output,
        "usage": usage,
    } | details


def ollama(path: str, body: Body) -> Answer:
    """Ollama: serves under /v1, ``n`` and ``tool_choice`` are ignored, a model that is not pulled is a 404."""
    if not path.startswith("/v1/"):
        return 404, "404 page not found"
    if body["model"] != "fake-model":
        said = f'model "{body["model"]}" not found, try pulling it first'
        return 404, {"error": {"message": said, "type": "api_error", "param": None, "code": None}}
    if path == "/v1/completions":
        choice = {"index": 0, "text": "2", "finish_reason": "stop"}
        return 200, {
            "object": "text_completion",
            "choices": [choice],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1},
        }
    is_json = body.get("response_format", {}).get("type") in ("json_schema", "json_object")
    return 200, chat_reply({"content": JSON_REPLY if is_json else "Well: 2"}, system_fingerprint="fp_ollama")


def llama_cpp(path: str, body: Body) -> Answer:
    """llama.cpp's server: refusals are exceptions with status 500; the reply has timings; any model name will do."""
    if body.get("n", 1) != 1:
        return 500, {"error": {"code": 500, "message": "Only one completion choice is allowed", "type": "server_error"}}
    if "tools" in body:
        said = "tools param requires --jinja flag"
        return 500, {"error": {"code": 500, "message": said, "type": "server_error"}}
    if len(json.dumps(body)) > 4000:
        said = "the request exceeds the available context size, try increasing it"
        return 400, {"error": {"code": 400, "message": said, "type": "exceed_context_size_error", "n_ctx": 512}}
    reply = chat_reply({"content": JSON_REPLY if "response_format" in body else "2"})
    return 200, {**reply, "timings": {"prompt_n": 9, "predicted_n": 5, "predicted_per_second": 50.0}}


def loading_llama_cpp(loads: int) -> Callable[[str, Body], Answer]:
    """llama.cpp's server while it loads its model: 503 until it is done."""
    left = [loads]

    def answer(path: str, body: Body) -> Answer:
        if left[0]:
            left[0] -= 1
            return 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
        return llama_cpp(path, body)

    return answer


def vllm(path: str, body: Body) -> Answer:
    """vLLM: several choices in any order, stop_reason and prompt_logprobs beside them, thought apart from content, and
    errors whose code is the status."""
    if body["model"] != "fake-model":
        said = f"The model `{body['model']}` does not exist."
        return 404, {"error": {"message": said, "type": "NotFoundError", "param": None, "code": 404}}
    prompt = body.get("prompt") or json.dumps(body.get("messages"))
    if len(prompt) > 3000:
        said = (
            "This model's maximum context length is 512 tokens. However, you requested 1064 tokens (1000 in the "
            "messages, 64 in the completion). Please reduce the length of the messages or completion."
        )
        return 400, {"object": "error", "message": said, "type": "BadRequestError", "param": None, "code": 400}
    n = body.get("n", 1)
    choices = [
        {"index": at, "finish_reason": "stop", "stop_reason": "\n\n", "prompt_logprobs": None}
        | ({"text": f"text {at}"} if "prompt" in body else {"message": _thinking(at, body)})
        for at in reversed(range(n))
    ]
    usage = {"prompt_tokens": 9, "completion_tokens": 5 * n, "prompt_tokens_details": None}
    return 200, {"object": "chat.completion", "choices": choices, "usage": usage, "prompt_logprobs": None}


def _thinking(at: int, body: Body) -> Body:
    content = JSON_REPLY if "response_format" in body else f"text {at}"
    return {"role": "assistant", "content": content, "reasoning_content": "let me think", "tool_calls": []}


def tools_only(path: str, body: Body) -> Answer:
    """A server that knows functions and no response_format, and names what it refuses as pydantic does."""
    if "response_format" in body:
        said = {"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}
        return 422, {"detail": [said]}
    if "tools" not in body:
        return 200, chat_reply({"content": "2"})
    function = {"name": body["tool_choice"]["function"]["name"], "arguments": JSON_REPLY}
    call = {"id": "call_1", "type": "function", "function": function}
    return 200, chat_reply({"content": None, "tool_calls": [call]}, finish="tool_calls")


def ignores_schemas(path: str, body: Body) -> Answer:
    """A server that accepts json_schema and functions and writes prose all the same; json_object it knows."""
    if body.get("response_format") == {"type": "json_object"}:
        return 200, chat_reply({"content": JSON_REPLY})
    return 200, chat_reply({"content": "The sum of one and one is two."})


def eight_choices(path: str, body: Body) -> Answer:
    """A provider that allows eight choices a call."""
    n = body.get("n", 1)
    if n > 8:
        return 400, _openai_error(f"Invalid value for 'n': {n}. Must be at most 8.", "n", "integer_above_max_value")
    return 200, chat_reply(*({"content": f"text {at}"} for at in range(n)))


def no_usage(path: str, body: Body) -> Answer:
    """A proxy that leaves usage out."""
    return 200, chat_reply({"content": "2"}, usage={})
