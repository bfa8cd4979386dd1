"""One endpoint of the OpenAI protocol: builds the body of a call, sends it once, reads the reply strictly.

A 200 that is not the JSON it should be is a fault, never a row. Retries are ``model``'s, connections ``transport``'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from sdrl.models.faults import CallFault, Unsupported, from_status, from_transport
from sdrl.models.redact import LEAST_SECRET, MASK, redact
from sdrl.models.request import Request
from sdrl.models.transport import Answer, HttpTransport, Transport, require_aiohttp

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_KEPT_REPLY = 4000


@dataclass(frozen=True)
class Endpoint:
    """Where a role's model is and how it is asked. ``model`` is what the endpoint calls it; the key is never shown."""

    role: str
    base_url: str
    model: str
    key: str = field(default="", repr=False)
    key_env: str | None = None
    concurrency: int = 256
    sends_seed: bool = False
    structured: Literal["auto", "json_schema", "json_object", "off"] = "auto"
    extra: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 600.0

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return (urlsplit(self.base_url).hostname or "") in LOOPBACK


@dataclass(frozen=True)
class Choice:
    """One of a reply's choices. ``refusal`` is the model's own refusal text, if any."""

    index: int
    text: str
    finish_reason: str
    refusal: str = ""


@dataclass(frozen=True)
class Reply:
    """A whole reply: its choices by index, and usage; ``usage_known`` is false where the endpoint sent none."""

    choices: tuple[Choice, ...]
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    usage_known: bool


class Client:
    """Sends one call at a time; many may be in flight. Close it with ``close``."""

    def __init__(self, endpoint: Endpoint, transport: Transport | None = None) -> None:
        self.endpoint = endpoint
        self.max_tokens_name = "max_completion_tokens" if "api.openai.com" in endpoint.base_url else "max_tokens"
        self.structured: Literal["json_schema", "json_object", "off"] = (
            "json_schema" if endpoint.structured == "auto" else endpoint.structured
        )
        self._transport = transport or _open_transport(endpoint)

    def body(self, request: Request, first: int, n: int) -> dict[str, Any]:
        """The JSON body that asks for draws ``first`` to ``first + n - 1``. Null sampling keys are left out."""
        body: dict[str, Any] = {"model": self.endpoint.model}
        if request.prompt is not None:
            body["prompt"] = request.prompt
        else:
            body["messages"] = [dict(message) for message in request.messages or ()]
        for name, value in request.sampling.items():
            if value is None or value == []:
                continue
            body[self.max_tokens_name if name == "max_tokens" and request.prompt is None else name] = value
        if n > 1:
            body["n"] = n
        if self.endpoint.sends_seed:
            body["seed"] = (request.seed + first) % 2**63
        if request.schema is not None and self.structured != "off":
            body["response_format"] = self._response_format(request)
        return {**body, **request.extra}

    def _response_format(self, request: Request) -> dict[str, Any]:
        if self.structured == "json_object":
            return {"type": "json_object"}
        schema = {"name": request.schema_name or "reply", "schema": dict(request.schema or {}), "strict": True}
        return {"type": "json_schema", "json_schema": schema}

    def adapt(self, error: Unsupported) -> bool:
        """Write a refused parameter another way from now on; False when there is no other way.

        True also when a call sent before an earlier change reports the old way once more.
        """
        if error.parameter == "max_tokens" and self.max_tokens_name != "max_completion_tokens":
            self.max_tokens_name = "max_completion_tokens"
            return True
        if error.parameter == "response_format" and self.endpoint.structured == "auto" and self.structured != "off":
            if error.sent == self.structured:
                self.structured = "json_object" if self.structured == "json_schema" else "off"
            return True
        return error.sent is not None and error.sent != self._way(error.parameter)

    def _way(self, parameter: str) -> object:
        return {"max_tokens": self.max_tokens_name, "response_format": self.structured}.get(parameter)

    async def send(self, body: Mapping[str, Any], *, chat: bool) -> Reply:
        """Send one call. Raises CallFault, RowRefused, Unsupported or SdrlError (see ``faults``)."""
        path = "/chat/completions" if chat else "/completions"
        ways = {"max_tokens": self.max_tokens_name, "response_format": self.structured}
        try:
            answer = await self._transport.post(path, json.dumps(body).encode())
        except Exception as error:  # the border to the network: what is no fault of the connection is raised again
            fault = from_transport(error)
            if fault is None:
                raise
            raise CallFault(fault.kind, self._clean(fault.reason), charged=fault.charged) from None
        if answer.status == 200:
            return self._read(answer.content, chat=chat)
        refusal = self._refusal(answer)
        if isinstance(refusal, Unsupported):
            refusal.asked_n, refusal.sent = int(body.get("n", 1)), ways.get(refusal.parameter)
        raise refusal

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    def _read(self, content: bytes, *, chat: bool) -> Reply:
        key = self.endpoint.key.encode()
        if len(key) >= LEAST_SECRET and key in content:  # a proxy that echoes what it was sent
            content = content.replace(key, MASK.encode())
        try:
            return read_reply(content, chat=chat)
        except CallFault as fault:
            fault.reply = self._clean(content[:_KEPT_REPLY].decode("utf-8", "replace"))
            raise

    def _refusal(self, answer: Answer) -> Exception:
        where, role, variable = self.endpoint.base_url, self.endpoint.role, self.endpoint.key_env
        body = error_body(answer.content)
        return from_status(
            answer.status, body, answer.headers, role=role, where=where, clean=self._clean, variable=variable
        )

    def _clean(self, text: str) -> str:
        return redact(text, (self.endpoint.key,))


def read_reply(content: bytes, *, chat: bool) -> Reply:
    """Read the bytes of a 200 reply. Raises CallFault ``malformed`` for anything that is not a whole reply."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise CallFault("malformed", f"status 200, but the body is not JSON: {_head(content)}", charged=True) from None
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise CallFault("malformed", f"status 200, but the body has no choices: {_head(content)}", charged=True)
    choices = tuple(_choice(item, place, chat=chat) for place, item in enumerate(data["choices"]))
    if not choices:
        raise CallFault("malformed", "the reply has no choices", charged=True)
    places = [choice.index for choice in choices]
    if len(set(places)) != len(places):  # servers that number every choice 0: their order is all there is
        choices = tuple(Choice(i, c.text, c.finish_reason, c.refusal) for i, c in enumerate(choices))
    usage = data.get("usage")
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    details = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    known = prompt is not None and completion is not None
    return Reply(choices, prompt or 0, _count(details, "cached_tokens") or 0, completion or 0, known)


def _choice(item: object, place: int, *, chat: bool) -> Choice:
    if not isinstance(item, dict):
        raise CallFault("malformed", "a choice of the reply is no object", charged=True)
    index = item.get("index")
    index = index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else place
    finish = str(item.get("finish_reason") or "")
    if not chat:
        text: object = item.get("text")
        refusal: object = None
    else:
        message = item.get("message")
        if not isinstance(message, dict):
            raise CallFault("malformed", "a choice of the reply has no message", charged=True)
        text, refusal = message.get("content"), message.get("refusal")
    if text is None and (refusal or finish):
        text = ""
    if not isinstance(text, str):
        raise CallFault("malformed", "a choice of the reply has no text", charged=True)
    return Choice(index, text, finish, str(refusal or ""))


def _count(source: object, name: str) -> int | None:
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _head(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())


def error_body(content: bytes) -> object:
    """The body of a refusal: JSON where it is JSON, else its text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def _open_transport(endpoint: Endpoint) -> Transport:
    """No proxy for loopback: an environment that names one means the network."""
    require_aiohttp()
    return HttpTransport(
        endpoint.base_url,
        endpoint.key,
        connections=endpoint.concurrency,
        timeout_s=endpoint.timeout_s,
        use_proxy=not endpoint.is_loopback,
    )
