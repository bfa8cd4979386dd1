"""What is asked of a model and what comes back: ``Request`` with its content key, ``Draw``. Pure data; no HTTP.

The key is made of what the model sees (rendered messages or prompt, model identity, sampling, schema, seed, extra
fields) and of nothing else: no URL, port, price or time, so a moved server or a reverted spec costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from sdrl.compiler.canonical import canonical_json

KEY_VERSION = 1
DrawStatus = Literal["ok", "truncated", "filtered", "failed"]
Message = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One rendered request; its draws differ by index alone. Exactly one of ``messages`` and ``prompt`` is given.

    ``model`` is the identity frozen in the plan (dated API name, hub@revision or weights hash), not what an endpoint
    calls it. ``sampling`` is the resolved block; its null values are not sent. ``accept_truncated`` says that a reply
    cut at ``max_tokens`` is an ordinary draw of this kind of request (probe, score, evaluate). ``extra`` are further
    body fields (the spec's ``models.instructor.extra``); ``Model`` fills them in.
    """

    kind: str
    model: str
    messages: Sequence[Message] | None
    prompt: str | None
    sampling: Mapping[str, Any]
    schema_name: str | None
    schema: Mapping[str, Any] | None
    seed: int
    accept_truncated: bool
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.messages is None) == (self.prompt is None):
            raise ValueError("a request has either messages or a prompt")

    @cached_property
    def body(self) -> bytes:
        """The canonical JSON that is hashed and stored: all that decides what a model replies, the draw index apart."""
        content: dict[str, Any] = {"version": KEY_VERSION, "model": self.model, "seed": self.seed}
        if self.prompt is not None:
            content["prompt"] = self.prompt
        else:
            content["messages"] = [dict(message) for message in self.messages or ()]
        content["sampling"] = {name: _plain(value) for name, value in self.sampling.items() if value not in (None, [])}
        if self.schema is not None:
            content["schema"] = {"name": self.schema_name, "schema": _plain(self.schema)}
        if self.extra:
            content["extra"] = _plain(self.extra)
        return canonical_json(content)

    @cached_property
    def key(self) -> str:
        """Sha256 (hex) of ``body``."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Draw:
    """One sampled reply to a request, new or from the cache.

    ``status``: ``ok``; ``truncated`` (cut at max_tokens, ``text`` is what there is); ``filtered`` (the provider
    refused); ``failed`` (no reply after all tries). ``reason`` says why it is not ok. ``prompt_tokens`` are the
    call's, ``completion_tokens`` this draw's (shared out by length where one call made several).
    """

    request_key: str
    index: int
    text: str
    finish_reason: str
    status: DrawStatus
    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached: bool


def _plain(value: Any) -> Any:
    """``value`` with whole floats as integers, so that ``temperature: 1`` and ``1.0`` are one request."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
