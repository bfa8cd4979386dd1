"""The part of the OpenAI protocol that the embedded models speak: requests in, rows out, errors in OpenAI's shape.

Reads a decoded JSON body and returns frozen records; knows no HTTP library and no model. Keys that this server cannot
honour are refused by name (400) instead of being ignored, so that a probe of its abilities finds out the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_ROWS = 4096

# Keys with no effect on the reply: accepted and dropped.
_IGNORED = frozenset({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"})
# Keys that are accepted only with the value that means "off".
_OFF_ONLY: dict[str, tuple[object, ...]] = {
    "stream": (None, False),
    "stream_options": (None,),
    "echo": (None, False),
    "logprobs": (None, False, 0),
    "top_logprobs": (None, 0),
    "best_of": (None,),
    "suffix": (None, ""),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "repetition_penalty": (None, 1),
    "min_p": (None, 0),
    "logit_bias": (None, {}),
    "tools": (None, []),
    "tool_choice": (None, "none"),
    "functions": (None, []),
    "parallel_tool_calls": (None, True, False),
    "modalities": (None, ["text"]),
    "reasoning_effort": (None,),
}


class ModelFolderError(Exception):
    """The folder holds no model that can be served; the text says what is missing."""


class ServeError(Exception):
    """A request that gets an error reply: HTTP status and the fields of OpenAI's error object."""

    def __init__(self, status: int, message: str, code: str, *, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
        self.param = message.partition(":")[0] if code in ("invalid_value", "unsupported_parameter") else None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all fields: a refusal may come from a worker process."""
        return _rebuild, (self.status, self.message, self.code, self.kind)

    def body(self) -> dict[str, dict[str, str | None]]:
        """The JSON body of the reply."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def _rebuild(status: int, message: str, code: str, kind: str) -> ServeError:
    return ServeError(status, message, code, kind=kind)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw: n rows; temperature 0 is greedy; top_k 0 and top_p 1 are off; row i is seeded with seed + i."""

    n: int
    temperature: float
    top_p: float
    top_k: int
    max_tokens: int | None
    stop: tuple[str, ...]
    seed: int
    end_ids: tuple[int, ...] = ()
    """Tokens that end a row besides the model's own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One drawn completion; `tokens` counts what was generated, an end token included."""

    text: str
    finish_reason: Literal["stop", "length"]
    tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """All rows of one prompt, in row order."""

    rows: tuple[Row, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message with its text parts joined."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A checked chat request; `schema_name` and `schema` come from response_format json_schema."""

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    schema_name: str | None
    schema: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Completion:
    """A checked completions request: one or more prompts, each computed apart."""

    model: str
    prompts: tuple[str, ...]
    sampling: Sampling


class Role(Protocol):
    """What a model behind the server offers. Both calls block, may raise ServeError, and must be pure functions."""

    name: str

    def chat(self, request: Chat) -> Reply:
        """Answer a conversation."""
        ...

    def complete(self, prompt: str, sampling: Sampling) -> Reply:
        """Continue a raw prompt."""
        ...


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: str


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]

    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class _JsonSchema(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)
    name: str
    body: dict[str, Any] | None = Field(default=None, alias="schema")


class _ResponseFormat(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema | None = None


class _Common(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: str
    n: int | None = Field(default=None, ge=1, le=MAX_ROWS)
    temperature: float | None = Field(default=None, ge=0, le=10)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    seed: int | None = None

    def sampling(self, max_tokens: int | None) -> Sampling:
        """The draw's settings. A missing seed means 0, not chance: every reply here can be had again."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            n=self.n or 1,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            top_k=max(0, self.top_k or 0),
            max_tokens=max_tokens,
            stop=tuple(text for text in stop if text),
            seed=self.seed or 0,
            end_ids=tuple(self.stop_token_ids or ()),
        )


class _ChatBody(_Common):
    messages: list[_Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    response_format: _ResponseFormat | None = None


class _CompletionBody(_Common):
    prompt: str | list[str]


class _EmbeddingsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: str
    input: str | list[str]
    encoding_format: Literal["float"] = "float"


def read_chat(body: object) -> Chat:
    """Check the body of POST /v1/chat/completions. Raises ServeError 400 naming the key at fault."""
    try:
        parsed = _ChatBody.model_validate(_honourable(body))
    except ValidationError as error:
        raise _invalid(error) from error
    form = parsed.response_format
    named = form.json_schema if form is not None and form.type == "json_schema" else None
    if form is not None and form.type == "json_schema" and named is None:
        raise ServeError(400, "response_format.json_schema is missing", "invalid_value")
    asked = "json_object" if form is not None and form.type == "json_object" else None
    return Chat(
        model=parsed.model,
        messages=tuple(Message(message.role, message.text()) for message in parsed.messages),
        sampling=parsed.sampling(parsed.max_completion_tokens or parsed.max_tokens),
        schema_name=named.name if named else asked,
        schema=named.body if named else None,
    )


def read_completion(body: object) -> Completion:
    """Check the body of POST /v1/completions. Raises ServeError 400 naming the key at fault."""
    try:
        parsed = _CompletionBody.model_validate(_honourable(body))
    except ValidationError as error:
        raise _invalid(error) from error
    prompts = (parsed.prompt,) if isinstance(parsed.prompt, str) else tuple(parsed.prompt)
    if not prompts:
        raise ServeError(400, "prompt: an empty list", "invalid_value")
    # 16 is the default of the protocol for this endpoint.
    return Completion(parsed.model, prompts, parsed.sampling(parsed.max_tokens or 16))


def read_embeddings(body: object) -> tuple[str, tuple[str, ...]]:
    """The model's name and the texts of an embeddings request. Raises ServeError 400."""
    try:
        read = _EmbeddingsBody.model_validate(body)
    except ValidationError as error:
        raise _invalid(error) from error
    return read.model, (read.input,) if isinstance(read.input, str) else tuple(read.input)


def _honourable(body: object) -> dict[str, Any]:
    """The body without the keys that have no effect; refuses what this server cannot do."""
    if not isinstance(body, dict):
        raise ServeError(400, "the body must be a JSON object", "invalid_json")
    kept: dict[str, Any] = {}
    for key, value in body.items():
        if key in _OFF_ONLY:
            if value not in _OFF_ONLY[key]:
                raise ServeError(400, f"{key}: not supported by this embedded server", "unsupported_parameter")
        elif key not in _IGNORED:
            kept[key] = value
    return kept


def _invalid(error: ValidationError) -> ServeError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "body"
    code = "unsupported_parameter" if first["type"] == "extra_forbidden" else "invalid_value"
    return ServeError(400, f"{where}: {first['msg']}", code)
