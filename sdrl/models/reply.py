"""Reads the bytes of a 200 reply, strictly: what is not the whole reply it should be is a fault, never a row.

Knows the three shapes of the OpenAI protocol (chat, completions, responses) and what servers leave out of them: choices
that are all numbered 0, usage that is missing, content that is null because only thought was written.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

from sdrl.models.faults import CallFault

_CACHED = ("prompt_cache_hit_tokens", "cached_tokens")  # where providers without details say it
Api = Literal["chat", "completions", "responses", "embeddings"]
# How the responses API says what the others say by finish_reason.
_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


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


def read_reply(content: bytes, api: Api, *, tool: str | None = None) -> Reply:
    """The reply in ``content``; ``tool`` names the one function that was asked for, whose arguments are the text.

    Raises CallFault: ``malformed`` for anything that is not a whole reply, ``server`` for a failure it reports.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise CallFault("malformed", f"status 200, but the body is not JSON: {_head(content)}", charged=True) from None
    if api == "responses":
        return _read_response(data, content)
    if api == "embeddings":
        return _read_embedding(data, content)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise CallFault("malformed", f"status 200, but the body has no choices: {_head(content)}", charged=True)
    choices = tuple(_choice(item, place, api, tool) for place, item in enumerate(data["choices"]))
    if not choices:
        raise CallFault("malformed", "the reply has no choices", charged=True)
    places = [choice.index for choice in choices]
    if len(set(places)) != len(places):  # servers that number every choice 0: their order is all there is
        choices = tuple(Choice(i, c.text, c.finish_reason, c.refusal) for i, c in enumerate(choices))
    return _with_usage(choices, data.get("usage"), "prompt_tokens", "completion_tokens")


def _read_embedding(data: object, content: bytes) -> Reply:
    """The one vector that was asked for, as the text of a choice."""
    try:
        vector = data["data"][0]["embedding"]  # type: ignore[index]
        numbers = [float(each) for each in vector]
    except (TypeError, LookupError, ValueError):
        raise CallFault("malformed", f"status 200, but no embedding: {_head(content)}", charged=True) from None
    if not numbers or not all(map(math.isfinite, numbers)):
        raise CallFault("malformed", "the embedding is empty, or holds what is no number", charged=True)
    usage = data.get("usage") if isinstance(data, dict) else None
    prompt = _count(usage, "prompt_tokens")
    text = json.dumps([round(each, 6) for each in numbers], separators=(",", ":"))
    return Reply((Choice(0, text, "stop"),), prompt or 0, 0, 0, prompt is not None)


def _with_usage(choices: tuple[Choice, ...], usage: object, sent: str, made: str) -> Reply:
    prompt, completion = _count(usage, sent), _count(usage, made)
    if prompt is None or completion is None:
        return Reply(choices, prompt or 0, 0, completion or 0, False)
    assert isinstance(usage, dict)
    cached = _count(usage.get(f"{sent}_details"), "cached_tokens")
    if cached is None:
        cached = max(_count(usage, name) or 0 for name in _CACHED)
    return Reply(choices, prompt, cached, _with_reasoning(usage, prompt, completion, f"{made}_details"), True)


def _with_reasoning(usage: dict[str, Any], prompt: int, completion: int, details: str) -> int:
    """Completion tokens as they are billed, reasoning among them.

    OpenAI, and most who speak its protocol, count reasoning in the completion and repeat it in the details. Others
    report it beside the completion: then the total is larger than both parts, or reasoning larger than the whole that
    it should be part of. Where neither shows, it is taken as counted.
    """
    reasoning = _count(usage.get(details), "reasoning_tokens") or _count(usage, "reasoning_tokens") or 0
    apart = completion + reasoning if reasoning > completion else completion
    return max(apart, (_count(usage, "total_tokens") or 0) - prompt)


def _choice(item: object, place: int, api: Api, tool: str | None) -> Choice:
    if not isinstance(item, dict):
        raise CallFault("malformed", "a choice of the reply is no object", charged=True)
    index = item.get("index")
    index = index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else place
    finish = str(item.get("finish_reason") or "")
    refusal: object = None
    if api == "completions":
        text: object = item.get("text")
    else:
        message = item.get("message")
        if not isinstance(message, dict):
            raise CallFault("malformed", "a choice of the reply has no message", charged=True)
        text, refusal = message.get("content"), message.get("refusal")
        arguments = _arguments(message, tool) if tool is not None else None
        if arguments is not None:
            return Choice(index, arguments, "length" if finish == "length" else "stop", str(refusal or ""))
    if text is None and (refusal or finish):
        text = ""
    if not isinstance(text, str):
        raise CallFault("malformed", "a choice of the reply has no text", charged=True)
    return Choice(index, text, finish, str(refusal or ""))


def _arguments(message: dict[str, Any], tool: str) -> str | None:
    """The arguments of the first call of ``tool``: text, or (some servers) an object."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") == tool:
            found = function.get("arguments")
            return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return None


def _read_response(data: object, content: bytes) -> Reply:
    """A reply of the responses API: always one choice."""
    if not isinstance(data, dict) or not isinstance(data.get("output"), list):
        raise CallFault("malformed", f"status 200, but the body has no output: {_head(content)}", charged=True)
    status = str(data.get("status") or "completed")
    if status not in ("completed", "incomplete"):
        said = data.get("error")
        said = said.get("message") if isinstance(said, dict) else said
        raise CallFault("server", f"the response is {status}: {said or 'no reason given'}", charged=True)
    texts, refusals = [], []
    for item in data["output"]:
        if isinstance(item, dict) and item.get("type") == "message":
            for part in item.get("content") or ():
                if isinstance(part, dict) and part.get("type") == "output_text":
                    texts.append(str(part.get("text") or ""))
                elif isinstance(part, dict) and part.get("type") == "refusal":
                    refusals.append(str(part.get("refusal") or ""))
    if status == "completed" and not texts and not refusals:
        raise CallFault("malformed", "the response holds no message", charged=True)
    details = data.get("incomplete_details")
    why = str(details.get("reason")) if isinstance(details, dict) else ""
    finish = "stop" if status == "completed" else _INCOMPLETE.get(why, "length")
    choice = Choice(0, "".join(texts), finish, "".join(refusals))
    return _with_usage((choice,), data.get("usage"), "input_tokens", "output_tokens")


def _count(source: object, name: str) -> int | None:
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _head(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())
