"""What can go wrong with one call: worth another try (``CallFault``), one row's own fault, or the end of the run.

Reads aiohttp's exceptions. Decides by status and error code; reads the prose only where no code exists.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from sdrl.spec.diagnostics import SdrlError

FaultKind = Literal["refused", "server", "timeout", "dropped", "unreachable", "malformed", "wrong_n", "ending"]
_QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded", "credit_exhausted"}
)
_GAVE_UP_WAITING = frozenset({408, 504, 524})  # a gateway's words: the model behind it may have answered, and is paid
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_TOO_LONG = frozenset({"context_length_exceeded", "string_above_max_length", "request_too_large"})
# the scripted instructor's own words for what is none of its skills
_NO_SKILL = frozenset({"unknown_skill", "unsupported_schema", "missing_block"})
_TOO_LONG_TEXT = re.compile(
    r"(?i)maximum context length|context (?:length|window|size)|too many tokens|prompt is too long"
)

_ONE_CHOICE_TEXT = re.compile(r"(?i)only one (?:completion )?choice|multiple (?:completions|choices)")
_NEVER_REFUSED = frozenset({"model", "messages", "prompt", "input"})  # without these there is no request


class CallFault(Exception):
    """One call failed in a way that another try may mend. ``charged``: the provider may have charged for it."""

    def __init__(
        self, kind: FaultKind, reason: str, *, retry_after: float | None = None, charged: bool = False
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after
        self.charged = charged
        self.reply: str | None = None


class RowRefused(Exception):
    """The endpoint will not answer this one request; others are not affected. ``status`` is the draw's."""

    def __init__(self, status: Literal["filtered", "failed"], reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Unsupported(Exception):
    """The endpoint refuses one field of the body, which may be askable in another way.

    ``asked_n`` and ``sent_as`` (the capabilities that the body was built by) say how it was asked.
    """

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(reason)
        self.parameter = parameter
        self.reason = reason
        self.asked_n = 1
        self.sent_as: object = None


def from_status(
    status: int,
    body: object,
    headers: Mapping[str, str],
    *,
    role: str,
    where: str,
    clean: Callable[[str], str],
    variable: str | None = None,
    sent: Collection[str] = (),
) -> Exception:
    """The exception that an HTTP error status means: CallFault, RowRefused, Unsupported or SdrlError.

    ``clean`` takes secrets out of what the endpoint said; ``variable`` is the environment variable of the key; ``sent``
    are the body's fields.
    """
    code, message, parameter = _error_fields(body)
    message = clean(message)
    said = f"HTTP {status}: {message}" if message else f"HTTP {status}"
    if code in _QUOTA or status == 402:
        return SdrlError(
            "E813",
            f"{role}: the provider's quota is used up ({said})",
            help="add credit, then run the same command again",
        )
    if status in (408, 409, 425, 429, 503, 529):
        kind: FaultKind = "timeout" if status in (408, 409, 425) else "refused"
        return CallFault(kind, said, retry_after=retry_after(headers), charged=status in _GAVE_UP_WAITING)
    if status >= 500 and (refused := _refused_by_exception(message, sent)):
        return Unsupported(refused, said)
    if status >= 500:
        return CallFault("server", said, retry_after=retry_after(headers), charged=status in _GAVE_UP_WAITING)
    if status in (401, 403):
        return _refused_key(status, said, role, where, variable)
    if 300 <= status < 400:
        return SdrlError(
            "E815",
            f"{role}: {where} sends elsewhere ({said}, to {clean(headers.get('Location', 'nowhere'))})",
            help="write the address that it sends to as the endpoint",
        )
    if status == 404:
        return SdrlError(
            "E815",
            f"{role}: {where} does not know the model or the path ({said})",
            help=_where_help(where),
        )
    return _bad_request(status, code, message, parameter, said, role, sent)


def _bad_request(
    status: int, code: str, message: str, parameter: str, said: str, role: str, sent: Collection[str]
) -> Exception:
    if code in _FILTERED:
        return RowRefused("filtered", said)
    if code in _TOO_LONG or status == 413 or _TOO_LONG_TEXT.search(message):
        return RowRefused("failed", said)
    if code in _NO_SKILL:
        return SdrlError(
            "E503",
            f"{role}: the embedded instructor cannot do this ({message})",
            help="take the shipped prompts, or name a language model in models.instructor",
        )
    top = re.split(r"[.\[]", parameter)[0]
    if top in sent:
        return Unsupported(top, said)
    if name := _refused_in_words(message, sent):
        return Unsupported(name, said)
    return SdrlError(
        "E814",
        f"{role}: the endpoint refuses the request ({said})",
        help="the spec asks for something this endpoint cannot; null leaves a sampling key out",
    )


def _refused_in_words(message: str, sent: Collection[str]) -> str:
    """The body field that a refusal names in its prose; empty when it names none that was sent."""
    for name in sorted(set(sent) - _NEVER_REFUSED, key=len, reverse=True):
        quoted = re.escape(name)
        if re.search(rf"(?i)[`'\"]{quoted}[`'\"]|^{quoted}:|\bparameter:? {quoted}\b", message):
            return name
    return _refused_by_exception(message, sent)


def _refused_by_exception(message: str, sent: Collection[str]) -> str:
    """The same for servers whose refusals are plain exceptions: llama.cpp sends these with status 500."""
    if "n" in sent and _ONE_CHOICE_TEXT.search(message):
        return "n"
    if "tools" in sent and "--jinja" in message:
        return "tools"
    named = re.match(r"Unsupported param: (\w+)", message)
    return named[1] if named and named[1] in sent else ""


def _where_help(where: str) -> str:
    path = where.rstrip("/").rpartition("://")[2].partition("/")[2]
    return "check models and endpoint in the spec" + (
        "" if path else f": most servers answer under {where.rstrip('/')}/v1"
    )


def _refused_key(status: int, said: str, role: str, where: str, variable: str | None) -> SdrlError:
    if status == 401:
        named = f"the environment variable {variable}" if variable else f"models.{role}.key_env: it names no variable"
        return SdrlError("E811", f"{role}: {where} refuses the key ({said})", help=f"check {named}")
    return SdrlError(
        "E812", f"{role}: {where} forbids this ({said})", help="the key lacks the right for this model or region"
    )


def from_transport(error: Exception) -> CallFault | None:
    """A call that got no HTTP reply: refused connection, time-out or a connection that broke; None for anything else.

    What openai's client raises around these is understood too: the cause is looked for in the whole chain.
    """
    import aiohttp

    chain = list(_chain(error))
    if not any(isinstance(item, aiohttp.ClientError | OSError | TimeoutError) for item in chain):
        return None
    reason = next((str(item) for item in reversed(chain) if str(item)), type(error).__name__)
    if any(isinstance(item, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for item in chain):
        return CallFault("unreachable", reason)
    if any(
        isinstance(item, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionError)
        for item in chain
    ):
        return CallFault("dropped", f"the connection broke: {reason}", charged=True)
    if any(isinstance(item, TimeoutError) for item in chain):
        return CallFault("timeout", f"no reply in time: {reason}", charged=True)
    return CallFault("dropped", f"{type(error).__name__}: {reason}", charged=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait; None when it does not say or says nonsense."""
    if (milli := headers.get("retry-after-ms")) is not None:
        return _seconds(milli, 1000.0)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _seconds(value, 1.0)
    if seconds is not None:
        return seconds
    date = email.utils.parsedate_tz(value)
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None


def _seconds(text: str, scale: float) -> float | None:
    try:
        value = float(text) / scale
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found and len(found) < 10:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found


def _error_fields(body: object) -> tuple[str, str, str]:
    """Code, message and parameter of an error body in any of the shapes that servers use."""
    inner: Any = body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
    if isinstance(inner, Mapping):
        message = inner.get("message") or inner.get("detail") or ""
        return str(inner.get("code") or inner.get("type") or ""), str(message), str(inner.get("param") or "")
    return "", re.sub(r"\s+", " ", str(inner or ""))[:500], ""
