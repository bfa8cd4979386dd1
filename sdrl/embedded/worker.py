"""The computing side of the server: one model per thread or process, loaded on first use.

`server.py` runs these functions in a pool. State is one module global per process, set by `prepare`; a worker process
ends itself when the server that started it is gone, even by SIGKILL.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from sdrl.embedded import embedder
from sdrl.embedded.protocol import Chat, ModelFolderError, Reply, Role, Sampling, ServeError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker needs to load its model; `rates` overrides the scripted instructor's declared rates."""

    role: str
    folder: Path | None
    threads: int = 1
    truth: Path | None = None
    rates: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _State:
    settings: Settings | None = None
    role: Role | None = None


_state = _State()


def prepare(settings: Settings) -> None:
    """Pool initialiser: remember what to load; in a worker process also watch the parent."""
    _state.settings = settings
    _state.role = None
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os._exit(0)

        threading.Thread(target=follow, daemon=True).start()


def load() -> str:
    """Load the model and return its own name. Raises ModelFolderError, ValueError for an unknown rate."""
    if _state.settings is not None and _state.settings.role == "embedder":
        return embedder.NAME
    return _role().name


def chat(request: Chat) -> Reply:
    """One chat request. Raises ServeError."""
    return _role().chat(request)


def complete(prompt: str, sampling: Sampling) -> Reply:
    """One raw prompt. Raises ServeError."""
    return _role().complete(prompt, sampling)


def embed(text: str) -> tuple[list[float], int]:
    """The vector of a text, and its tokens. Raises ServeError where the role is another."""
    if _state.settings is None or _state.settings.role != "embedder":
        raise ServeError(400, "this server makes no embeddings", "unsupported_endpoint")
    return embedder.embed(text), embedder.count(text)


def _role() -> Role:
    if _state.role is None:
        settings = _state.settings
        if settings is None:
            raise RuntimeError("a worker was used before prepare()")
        _state.role = _open(settings)
    return _state.role


def _open(settings: Settings) -> Role:
    if settings.role == "embedder":
        raise ServeError(400, "the embedder answers /v1/embeddings only", "unsupported_endpoint")
    if settings.role == "base":
        from sdrl.embedded.base import BaseModel

        if settings.folder is None:
            raise ModelFolderError("--role base needs --model FOLDER")
        return BaseModel(settings.folder, threads=settings.threads)
    from sdrl.embedded.instructor import ScriptedInstructor

    return ScriptedInstructor.with_rates(settings.rates, settings.truth)
