"""A model that helps to write a spec: asked for a sentence and typed edits through ``instructor``, and streamed.

Any OpenAI-compatible endpoint. The reply is a typed object; what it holds is data, checked by ``Edit.from_json``, and
nobody here applies it. One call a turn; a reply that is no such object is asked for once more. Not for runs: their
requests go through ``model``, which caches and counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, Field, ValidationError

from sdrl.models.client import LOOPBACK
from sdrl.models.key_owners import refuse_other_owner
from sdrl.models.redact import redact
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit

TIMEOUT_S = 120.0
MOST_EDITS = 30


class Reply(NamedTuple):
    """What the model answered: what it says, the edits it proposes, and one reason for them."""

    text: str
    edits: tuple[Edit, ...]
    why: str


class Answering(Protocol):
    """How an assistant is asked; tests have a scripted fake of it."""

    async def __call__(
        self, where: tuple[str, str, str], messages: Sequence[tuple[str, str]], said: Callable[[str], None]
    ) -> Reply:
        """Ask (model, endpoint, key_env); ``said`` is handed each new piece of the text. Raises SdrlError."""


class ProposedEdit(BaseModel):
    """One change of the definition."""

    operation: Literal["set", "insert", "remove", "move"]
    path: str = Field(description="dotted path, such as task.description or demos.-")
    value: Any = Field(default=None, description="plain JSON value for set and insert")
    to: int | None = Field(default=None, description="new index, for move alone")


class Proposal(BaseModel):
    """What to say to the person, and the changes to propose."""

    text: str = Field(description="a few plain sentences for the person")
    why: str = Field(default="", description="one sentence: why these edits")
    edits: list[ProposedEdit] = Field(default_factory=list)
    end: Literal["end"] = Field(description='always "end", as the last key: without it the reply was cut off')


async def ask(where: tuple[str, str, str], messages: Sequence[tuple[str, str]], said: Callable[[str], None]) -> Reply:
    """Ask the model once; ``said`` is handed each new piece of its text.

    Raises:
        SdrlError: no key, a refusal, a cut connection, or a reply that is no proposal; with the next step.
    """
    model, endpoint, key_env = where
    key = _key(endpoint, key_env)
    try:
        import instructor
        import openai
        from instructor.core.exceptions import InstructorError
    except ImportError as error:
        message = f"a model that helps needs the package {error.name}"
        raise SdrlError("E844", message, help="pip install 'sdrl[run]'; /interview does without a model") from error

    told: list[dict[str, str]] = [{"role": role, "content": text} for role, text in messages]
    client = openai.AsyncOpenAI(base_url=endpoint, api_key=key or "none", max_retries=0, timeout=TIMEOUT_S)
    typed = instructor.from_openai(client, mode=instructor.Mode.JSON)
    last, sent = None, ""
    try:
        async with client:
            async for last in typed.create_partial(Proposal, messages=told, model=model, max_retries=1):
                text = last.text or ""
                if text.startswith(sent) and text != sent:
                    said(text[len(sent) :])
                    sent = text
    except (openai.APIError, InstructorError, ValidationError, ValueError) as error:
        refusal = _caused_by(error, openai.APIError)
        raise (_unreadable() if refusal is None else _told(refusal, endpoint, key_env, key)) from None
    return _reply(last)


def _reply(last: Any) -> Reply:
    if last is None or not last.text or last.end is None:
        raise _unreadable()
    edits = []
    for proposed in (last.edits or [])[:MOST_EDITS]:
        data = {key: value for key, value in proposed.model_dump().items() if value is not None or key == "value"}
        if data.get("operation") not in ("set", "insert"):
            data.pop("value", None)
        try:
            edits.append(Edit.from_json(data))
        except SdrlError as error:
            raise SdrlError("", f"the model proposed an edit that is none: {error.message}", help="ask again") from None
    return Reply(last.text, tuple(edits), last.why or "")


def _unreadable() -> SdrlError:
    message = "the model's reply was cut off, or is not the object it was asked for; nothing was changed"
    return SdrlError("", message, help="ask again, or choose another model: /model MODEL ENDPOINT KEY_ENV")


def _key(endpoint: str, key_env: str) -> str:
    """The key from its variable; an endpoint on this machine may do without."""
    from urllib.parse import urlsplit

    host = urlsplit(endpoint).hostname or ""
    if not key_env:
        if host in LOOPBACK:
            return ""
        raise SdrlError("", f"{host or endpoint} needs a key", help="name its variable: /model MODEL ENDPOINT KEY_ENV")
    try:
        refuse_other_owner(key_env, "assistant", endpoint)
    except SdrlError as error:
        raise SdrlError(error.code, error.message.removeprefix("models.assistant: "), help=error.help) from None
    key = os.environ.get(key_env, "").strip()
    if not key:
        help_ = f"leave, export {key_env}, and come back; /interview does without a model"
        raise SdrlError("", f"the variable {key_env}, which is to hold the key, is not set", help=help_)
    return key


def _caused_by(error: BaseException | None, kind: type[Exception]) -> Exception | None:
    """The error of a kind that an error was raised from, itself included."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error


def _told(error: Exception, endpoint: str, key_env: str, key: str) -> SdrlError:
    """An error of the endpoint in one line, with the next step."""
    import openai

    said = redact(str(getattr(error, "message", error)), [key] if key else [], most=200)
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return SdrlError("", f"{endpoint} refused the key: {said}", help=f"check {key_env or 'the key'}")
    if isinstance(error, openai.RateLimitError):
        return SdrlError("", f"{endpoint} asks to wait, or the quota is used up: {said}", help="send it again later")
    if isinstance(error, openai.APITimeoutError):
        return SdrlError("", f"{endpoint} did not answer in {TIMEOUT_S:.0f} s", help="send it again")
    if isinstance(error, openai.APIConnectionError):
        return SdrlError("", f"{endpoint} cannot be reached, or the connection was cut", help="check it, send it again")
    return SdrlError("", f"{endpoint} answered with an error: {said}", help="check the model's name: /model")
