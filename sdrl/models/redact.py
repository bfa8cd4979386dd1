"""Takes secrets out of every text that is kept or shown: the endpoint's own key, and anything that looks like a key."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
LEAST_SECRET = 4  # characters; shorter ones are no secrets, and replacing "x" would shred the text
MAX_ERROR_CHARS = 2000
_LOOKS_SECRET = (
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(
        r"(?i)((?:api[-_]?key|authorization|token|secret|password)[\"']?\s*[:=]\s*[\"']?)(?!bearer\b)[^\s\"',}]{6,}"
    ),
    re.compile(r"()\b(?:sk|pk|rk|hf|gsk|xai|key)[-_][A-Za-z0-9_*-]{8,}"),
)


def redact(text: str, secrets: Iterable[str] = (), *, most: int = MAX_ERROR_CHARS) -> str:
    """``text`` without ``secrets`` and without key-like words, at most ``most`` characters."""
    for secret in secrets:
        if len(secret) >= LEAST_SECRET:
            text = text.replace(secret, MASK)
    text = text[: most * 2]
    for pattern in _LOOKS_SECRET:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text if len(text) <= most else text[: most - 1] + "…"
