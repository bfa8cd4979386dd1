"""What an endpoint can, and what follows for the spec: learnt once, kept in ``STORE/endpoints.json``.

A record belongs to an address, a model and an API. It is about how to ask, never about what was answered, so a lost
or stale record costs a few calls and nothing else. Knows no HTTP.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sdrl.compiler.schedule import DRAWS_PER_CALL
from sdrl.spec.diagnostics import SdrlError

FILE_NAME = "endpoints.json"
RECORD_VERSION = 1
Structured = Literal["json_schema", "tools", "json_object", "off"]
STRUCTURED: tuple[Structured, ...] = ("json_schema", "tools", "json_object", "off")  # best first
TOKEN_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_JSON_FIELDS = frozenset({"response_format", "tools", "tool_choice", "text"})
# Which sampling block a kind of request comes from.
_BLOCKS = {"solve": "vote.sampling", "answer": "score.sampling"}
SOME_CHOICES = 8  # where 64 are too many: the least that a provider is known to allow beside one


@dataclass(frozen=True)
class Capabilities:
    """How an endpoint is asked. The default is the whole protocol, which is what servers of our own speak.

    ``choices``: draws that one call may ask for. ``refused``: body fields that it refuses, with what it said.
    ``accepted``: body fields that a call with a good reply had. ``reasons``: what was found and is worth knowing.
    """

    choices: int = DRAWS_PER_CALL
    structured: Structured = "json_schema"
    max_tokens: str = "max_tokens"
    refused: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    usage: bool = True
    reasons: tuple[str, ...] = ()

    @property
    def way(self) -> tuple[object, ...]:
        """All that decides how a body is written."""
        return (self.choices, self.structured, self.max_tokens, *sorted(self.refused))

    def because(self, reason: str, **changes: Any) -> Capabilities:
        """The same with ``changes``, and the reason for them."""
        return replace(self, **changes, reasons=(*self.reasons, reason))

    def refusing(self, name: str, said: str) -> Capabilities:
        """The same, knowing that the body field ``name`` is refused."""
        return self.because(f"{name} is refused: {said}", refused={**self.refused, name: said})

    def way_down(self, api: str) -> Structured | None:
        """The next best way to ask for JSON; None when this is the last."""
        left = STRUCTURED[STRUCTURED.index(self.structured) + 1 :]
        return next((way for way in left if way != "tools" or api == "chat"), None)

    def as_dict(self) -> dict[str, Any]:
        """For the ``endpoint`` event and for the store; the reasons apart."""
        return {
            "choices": self.choices,
            "structured": self.structured,
            "max_tokens": self.max_tokens,
            "refused": dict(sorted(self.refused.items())),
            "accepted": sorted(self.accepted),
            "usage": self.usage,
        }


def record_key(base_url: str, model: str, api: str) -> str:
    """What a record is kept under."""
    return hashlib.sha256("\x1f".join((base_url.rstrip("/"), model, api)).encode()).hexdigest()[:32]


def recall(store: Path, key: str) -> Capabilities | None:
    """The record of an endpoint; None when there is none that this version reads."""
    entry: Any = _read(store).get(key)
    try:
        return Capabilities(
            choices=max(1, min(DRAWS_PER_CALL, int(entry["choices"]))),
            structured=STRUCTURED[STRUCTURED.index(entry["structured"])],
            max_tokens=TOKEN_LIMITS[TOKEN_LIMITS.index(entry["max_tokens"])],
            refused={str(name): str(said) for name, said in entry["refused"].items()},
            accepted=frozenset(str(name) for name in entry["accepted"]),
            usage=bool(entry["usage"]),
            reasons=tuple(str(reason) for reason in entry["reasons"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def remember(store: Path, key: str, base_url: str, model: str, found: Capabilities) -> None:
    """Keep a record; a store that cannot be written loses it, which costs the next run a few calls."""
    entries = _read(store)
    entries[key] = {"base_url": base_url, "model": model, **found.as_dict(), "reasons": list(found.reasons)}
    _write(store, entries)


def forget(store: Path, key: str) -> None:
    """Take a record away, so that the endpoint is asked anew."""
    entries = _read(store)
    if entries.pop(key, None) is not None:
        _write(store, entries)


def _write(store: Path, entries: Mapping[str, Any]) -> None:
    text = json.dumps({"version": RECORD_VERSION, "endpoints": entries}, indent=1, sort_keys=True)
    with contextlib.suppress(OSError):
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=store, prefix=".endpoints-", delete=False, encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(file.name, store / FILE_NAME)


def _read(store: Path) -> dict[str, Any]:
    try:
        data = json.loads((store / FILE_NAME).read_text("utf-8"))
        entries = data["endpoints"] if data["version"] == RECORD_VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return entries if isinstance(entries, dict) else {}


def asked_otherwise(
    can: Capabilities, name: str, said: str, *, asked_n: int, is_auto: bool, api: str
) -> Capabilities | None:
    """How to ask an endpoint that refused the body field ``name``; None where the spec must say it in another way."""
    if name == "n" and asked_n > 1:
        fewer = SOME_CHOICES if asked_n > SOME_CHOICES else 1
        return can.because(f"{asked_n} draws a call are refused, so {fewer} at a time: {said}", choices=fewer)
    if name in TOKEN_LIMITS[:2] and api == "chat":
        other = next(limit for limit in TOKEN_LIMITS if limit != name)
        if other in can.refused:
            return None
        return can.refusing(name, said).because(f"{other} is sent in its place", max_tokens=other)
    if name in _JSON_FIELDS and is_auto and (way := can.way_down(api)) is not None:
        return can.because(f"{can.structured} is refused, so {way}: {said}", structured=way)
    if name == "seed":
        return can.refusing(name, said).because("no seed is sent: draws of one request differ by chance alone")
    return None


def key_path(role: str, kind: str, name: str) -> str:
    """The key of the spec that a body field comes from.

    >>> key_path("instructor", "solve", "temperature")
    'vote.sampling.temperature'
    """
    if name in _JSON_FIELDS:
        return f"models.{'base' if role == 'trained' else role}.structured"
    key = "max_tokens" if name in TOKEN_LIMITS else name
    return f"{_BLOCKS.get(kind, 'synthesize.sampling')}.{key}"


def unsupported(role: str, where: str, paths: Iterable[str], said: str) -> SdrlError:
    """The one error for a key of the spec that an endpoint refuses."""
    named = ", ".join(sorted(set(paths)))
    key = named.split(", ")[0].rpartition(".")[2]
    if ".extra." in named:
        mend = f"take {key} out of models.{role}.extra"
    elif key == "structured":
        mend = "write 'structured: auto', which asks in a way that this endpoint knows"
    elif key == "stop":
        mend = "write fewer stop strings (OpenAI takes four), or 'stop: null'"
    else:
        mend = f"write '{key}: null', which leaves it out"
    return SdrlError("E814", f"{named}: the {role}'s endpoint {where} refuses {key} ({said})", help=mend)
