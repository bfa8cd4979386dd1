"""Canonical JSON and sha256: one spelling of a value, so that equal things have equal hashes on every machine.

Reads nothing, writes nothing. Floats never enter a hash as floats: ``hashable`` turns them into plain decimal strings
(``1e-06`` becomes ``"0.000001"``), so neither a JSON library nor a platform can spell them differently.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring as _text
from typing import Any


def decimal_text(value: float) -> str:
    """The shortest decimal that reads back as ``value``, without exponent; ValueError for nan and inf."""
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a plan")
    text = format(Decimal(repr(value)), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def hashable(value: Any) -> Any:
    """``value`` with floats as decimal strings, tuples as lists and string keys; TypeError for anything not JSON."""
    kind = type(value)  # the plain types first: every request is hashed, and isinstance on unions and ABCs is slow
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        return {key if type(key) is str else str(key): hashable(item) for key, item in value.items()}
    if kind is list:
        return [hashable(item) for item in value]
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, Mapping):
        return {str(key): hashable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hashable(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a plan")


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def canonical_json(value: Any) -> bytes:
    """One line, sorted keys, UTF-8, no NaN: the bytes that are hashed."""
    return _ENCODER.encode(hashable(value)).encode("utf-8", "surrogatepass")


# Line ends to some readers (str.splitlines among them) though not to JSON; always written as escapes.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_line(value: Any) -> bytes:
    """One line of JSON Lines, canonical, that no reader splits in two."""
    return _as_line(canonical_json(value).decode("utf-8", "surrogatepass"))


def text_line(fields: Mapping[str, str | Mapping[str, str]]) -> bytes:
    """As ``json_line`` for an object of texts and maps of texts whose keys are sorted: five times as fast.

    Evaluation sets have tens of thousands of rows, and the generic way is most of what compiling them takes.
    """
    cells = [f'"{key}":{_text(value) if isinstance(value, str) else _texts(value)}' for key, value in fields.items()]
    return _as_line("{" + ",".join(cells) + "}")


def _texts(texts: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{_text(key)}:{_text(texts[key])}" for key in sorted(texts)) + "}"


def _as_line(text: str) -> bytes:
    if not text.isascii():
        text = text.translate(_LINE_ENDS)
    return (text + "\n").encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """Sha256 (hex) of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_text(text: str) -> str:
    """Sha256 (hex) of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_bytes(content: bytes) -> str:
    """Sha256 (hex) of bytes."""
    return hashlib.sha256(content).hexdigest()


def pretty_json(value: Any) -> bytes:
    """Indented, sorted keys, UTF-8, final newline: the bytes that are written for people and machines."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2)
    return (text + "\n").encode("utf-8", "surrogatepass")


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves of a JSON tree by dotted path; empty containers are leaves."""
    if isinstance(value, Mapping) and value:
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple) and value:
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {path: value}
    leaves: dict[str, Any] = {}
    for key, item in items:
        leaves.update(flatten(item, f"{path}.{key}" if path else key))
    return leaves
