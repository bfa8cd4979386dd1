"""What a scalar's text means where the schema asks for a number, a truth value, null, or anything.

YAML 1.2 core schema: ``1e-6`` is a number, ``no`` and ``012`` are what they look like, ``12:30`` is a text. A text
field never comes here: it takes the scalar's own text.
"""

from __future__ import annotations

import re
from typing import Any

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MOST_DIGITS = 400
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def as_number(text: str) -> int | float | None:
    """The number a plain text writes, or None. Never infinite, never NaN."""
    if len(text) > _MOST_DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else None
    return None


def as_anything(text: str, plain: bool) -> Any:
    """The value of a scalar where the schema says nothing: YAML 1.2 for plain text, text when quoted."""
    if not plain:
        return text
    if text in NULLS:
        return None
    if text in TRUTHS:
        return TRUTHS[text]
    number = as_number(text)
    return text if number is None else number
