"""One endpoint of the OpenAI protocol: builds the body of a call as the endpoint can read it, and sends it once.

What it can is ``can``, learnt elsewhere (``probe``). Retries are ``model``'s, connections ``transport``'s, what a reply
means is ``reply``'s, what a refusal means ``faults``'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from sdrl.compiler.schedule import DRAWS_PER_CALL
from sdrl.models.capabilities import Capabilities, Structured, asked_otherwise
from sdrl.models.faults import CallFault, Unsupported, from_status, from_transport
from sdrl.models.redact import LEAST_SECRET, MASK, redact
from sdrl.models.replicas import Replicas, addresses
from sdrl.models.reply import Api, Reply, read_reply
from sdrl.models.request import Request
from sdrl.models.transport import Answer, HttpTransport, Transport, require_aiohttp

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_KEPT_REPLY = 4000
_PATHS: Mapping[Api, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "responses": "/responses",
    "embeddings": "/embeddings",
}


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
    api: Api = "chat"
    structured: Literal["auto", "json_schema", "tools", "json_object", "off"] = "auto"
    extra: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 600.0

    @property
    def is_loopback(self) -> bool:
        """Whether it, or each of its replicas, is on this machine."""
        return all((urlsplit(url).hostname or "") in LOOPBACK for url in addresses(self.base_url) or ("",))


class Client:
    """Sends one call at a time; many may be in flight. Close it with ``close``."""

    def __init__(self, endpoint: Endpoint, transport: Transport | None = None, can: Capabilities | None = None) -> None:
        self.endpoint = endpoint
        self.can = can or first_guess(endpoint)
        self._transport = transport or _open_transport(endpoint)

    def api(self, request: Request) -> Api:
        """The API that a request goes to: a raw prompt is always a completion."""
        if self.endpoint.api == "embeddings":
            return "embeddings"
        return "completions" if request.prompt is not None else self.endpoint.api

    def body(self, request: Request, first: int, n: int) -> dict[str, Any]:
        """The JSON body that asks for draws ``first`` to ``first + n - 1``. Null sampling keys are left out."""
        api, can = self.api(request), self.can
        body: dict[str, Any] = {"model": self.endpoint.model}
        if api == "embeddings":
            return {**body, "input": request.prompt, "encoding_format": "float"}
        if api == "completions":
            body["prompt"] = request.prompt
        elif api == "chat":
            body["messages"] = [dict(message) for message in request.messages or ()]
        else:
            body |= {"input": [dict(message) for message in request.messages or ()], "store": False}
        for name, value in request.sampling.items():
            if value is None or value == []:
                continue
            body[self._token_limit(api) if name == "max_tokens" else name] = value
        if n > 1:
            body["n"] = n
        if self.endpoint.sends_seed and "seed" not in can.refused:
            body["seed"] = (request.seed + first) % 2**63
        if request.schema is not None and can.structured != "off":
            body |= _structured(request.schema_name or "reply", request.schema, can.structured, api)
        return {**body, **request.extra}

    def _token_limit(self, api: Api) -> str:
        return {"responses": "max_output_tokens", "completions": "max_tokens"}.get(api, self.can.max_tokens)

    def adapt(self, error: Unsupported, request: Request) -> bool:
        """Ask in another way from now on; False when there is none.

        True also when a call sent before an earlier change reports the old way once more.
        """
        if error.sent_as != self.can.way:  # changed meanwhile, perhaps by the very same refusal
            return True
        found = asked_otherwise(
            self.can,
            error.parameter,
            error.reason,
            asked_n=error.asked_n,
            is_auto=self.endpoint.structured == "auto",
            api=self.api(request),
        )
        if found is None:
            return False
        self.can = found
        return True

    async def send(self, body: Mapping[str, Any], api: Api) -> Reply:
        """Send one call. Raises CallFault, RowRefused, Unsupported or SdrlError (see ``faults``)."""
        sent_as = self.can.way
        try:
            answer = await self._transport.post(_PATHS[api], json.dumps(body).encode())
        except Exception as error:  # the border to the network: what is no fault of the connection is raised again
            fault = from_transport(error)
            if fault is None:
                raise
            raise CallFault(fault.kind, self._clean(fault.reason), charged=fault.charged) from None
        if answer.status == 200:
            return self._read(answer.content, api, body)
        refusal = self._refusal(answer, body)
        if isinstance(refusal, Unsupported):
            refusal.asked_n, refusal.sent_as = int(body.get("n", 1)), sent_as
        raise refusal

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    def _read(self, content: bytes, api: Api, body: Mapping[str, Any]) -> Reply:
        tool = body["tools"][0]["function"]["name"] if "tool_choice" in body and body.get("tools") else None
        key = self.endpoint.key.encode()
        if len(key) >= LEAST_SECRET and key in content:  # a proxy that echoes what it was sent
            content = content.replace(key, MASK.encode())
        try:
            return read_reply(content, api, tool=tool)
        except CallFault as fault:
            fault.reply = self._clean(content[:_KEPT_REPLY].decode("utf-8", "replace"))
            raise

    def _refusal(self, answer: Answer, body: Mapping[str, Any]) -> Exception:
        endpoint = self.endpoint
        return from_status(
            answer.status,
            error_body(answer.content),
            answer.headers,
            role=endpoint.role,
            where=endpoint.base_url,
            clean=self._clean,
            variable=endpoint.key_env,
            sent=frozenset(body),
        )

    def _clean(self, text: str) -> str:
        return redact(text, (self.endpoint.key,))


def first_guess(endpoint: Endpoint) -> Capabilities:
    """How an endpoint is asked before anything is known of it."""
    is_openai = "api.openai.com" in endpoint.base_url
    return Capabilities(
        choices=1 if endpoint.api == "responses" else DRAWS_PER_CALL,  # the responses API cannot ask for several
        structured="json_schema" if endpoint.structured == "auto" else endpoint.structured,
        max_tokens="max_completion_tokens" if is_openai else "max_tokens",
    )


def _structured(name: str, schema: Mapping[str, Any], way: Structured, api: Api) -> dict[str, Any]:
    """The body fields that ask for JSON."""
    named = {"name": name, "schema": dict(schema), "strict": True}
    if api == "responses":
        return {
            "text": {"format": {"type": "json_object"} if way == "json_object" else {"type": "json_schema", **named}}
        }
    if way == "json_object":
        return {"response_format": {"type": "json_object"}}
    if way == "tools" and api == "chat":
        function = {"name": name, "description": "The reply.", "parameters": dict(schema)}
        return {
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def error_body(content: bytes) -> object:
    """The body of a refusal: JSON where it is JSON, else its text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "replace")


def _open_transport(endpoint: Endpoint) -> Transport:
    """No proxy for loopback: an environment that names one means the network."""
    require_aiohttp()
    each = [
        HttpTransport(
            url,
            endpoint.key,
            connections=endpoint.concurrency,
            timeout_s=endpoint.timeout_s,
            use_proxy=not endpoint.is_loopback,
        )
        for url in addresses(endpoint.base_url) or (endpoint.base_url,)
    ]
    return each[0] if len(each) == 1 else Replicas(each)
