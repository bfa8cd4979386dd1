"""From a plan to a ``Model``: which endpoint a role has, its key, and the server that is started for it when needed.

Nothing starts and no key is needed before a request misses the cache, so a finished run resumes without either.
Keys come from the environment variable that the spec names and go nowhere but into the request header.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sdrl.compiler.identities import instructor_identity
from sdrl.compiler.plan import Plan
from sdrl.compiler.schedule import MOST_LINES
from sdrl.models.batches import Batches
from sdrl.models.breaker import RetryPolicy
from sdrl.models.capabilities import forget, recall, record_key, remember
from sdrl.models.client import Client, Endpoint
from sdrl.models.commands import embedded_base, embedded_embedder, embedded_instructor
from sdrl.models.key_owners import refuse_other_owner
from sdrl.models.ledger import Ledger, Price
from sdrl.models.line import Wanted
from sdrl.models.model import Model, ModelSettings
from sdrl.models.progress import Emit
from sdrl.models.redact import redact
from sdrl.models.servers import Server, ServerPlan
from sdrl.models.vllm import served_name, vllm_server
from sdrl.models.weights import Weights, refuse_changed_model, refuse_changed_weights, weights_of
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Embedder, Instructor, Models
from sdrl.spec.model import Server as Spread

EMBEDDED_IN_FLIGHT = 16  # it works on one or a few requests at a time; more in flight would only wait there
BATCH_POLICY = RetryPolicy(  # a row's bad luck is its own, and every try of it takes hours
    attempts=3,
    most_attempts=3,
    refusals=20,
    first_delay=0.01,
    most_delay=0.1,
    silent=7 * 86400.0,
    lost_rows=MOST_LINES,
    open_after=MOST_LINES + 1,
)
MANAGED_TIMEOUT_S = 3600.0  # a managed child is watched by its process; a slow machine is no fault


@dataclass(frozen=True)
class _Served:
    """Where a role is reached: an endpoint that runs, or a server to start."""

    endpoint: Endpoint
    server: ServerPlan | None = None


@asynccontextmanager
async def open_model(
    role: str,
    plan: Plan,
    store_dir: Path,
    log_dir: Path,
    ledger: Ledger,
    emit: Emit,
    *,
    offline: bool = False,
    model_override: Path | None = None,
) -> AsyncIterator[Model]:
    """The model of ``role`` (``instructor``, ``base``, ``embedder``); ``model_override`` is a weights folder served in
    the base's place.

    ``log_dir`` is the run's ``logs`` folder. ``store_dir`` is where ``ledger``'s cache lies. Leaving the context closes
    connections and ends the child. Raises SdrlError when the plan names no models.
    """
    models = plan.settings.models
    if models is None:
        raise SdrlError("E846", "the plan names no models", help="add models.instructor and models.base to the spec")
    name = "trained" if model_override else role

    def serve() -> _Served:
        if role == "instructor":
            return _serve_instructor(models.instructor, plan, truth=store_dir / "truth.jsonl")
        if role == "embedder":
            return _serve_embedder(models.embedder, _hidden(models))
        return _serve_base(name, models, plan, model_override)

    settings = replace(_settings(role, models), wanted=wanted_of(role, plan, store_dir))
    batches = None
    if role == "instructor" and models.instructor.batch:
        batches = Batches(name, ledger, store_dir, emit)
        settings = replace(settings, wanted=None, concurrency=MOST_LINES, policy=BATCH_POLICY, batches=batches)
    opening = _Opening(name, serve, log_dir, emit, batches)
    model = Model(name, ledger, None if offline else opening.connect, emit, settings, opening.check)
    try:
        yield model
    finally:
        try:
            await model.close()
        finally:
            await opening.close()


class _Opening:
    """Starts the server (if one is to be started) and makes the client, at the first request that needs them."""

    def __init__(
        self, name: str, serve: Callable[[], _Served], log_dir: Path, emit: Emit, batches: Batches | None
    ) -> None:
        self._name = name
        self._serve = serve
        self._log_dir = log_dir
        self._emit = emit
        self._batches = batches
        self._server: Server | None = None

    async def connect(self) -> Client:
        """The client; raises SdrlError when a key is missing or the server does not start."""
        served = self._serve()
        endpoint = served.endpoint
        if served.server is not None:
            server = Server(served.server, self._log_dir)
            await server.start()
            self._server = server
            self._emit("server_started", {"role": self._name, "pid": server.pid, "url": server.base_url})
            endpoint = replace(endpoint, base_url=server.base_url)
        return Client(endpoint, self._batches.at(endpoint) if self._batches is not None else None)

    def check(self) -> None:
        """Raise when the child has ended by itself."""
        if self._server is not None:
            self._server.check()

    async def close(self) -> None:
        """End the child."""
        if self._server is not None:
            server, self._server = self._server, None
            pid = server.pid
            await server.stop()
            self._emit("server_stopped", {"role": self._name, "pid": pid})


def wanted_of(role: str, plan: Plan, store_dir: Path) -> Wanted | None:
    """What the plan asks a role's endpoint for; None where sdrl starts the server itself and knows what it can."""
    models = plan.settings.models
    if models is None or role == "embedder":
        return None
    settings = plan.settings
    if role == "instructor":
        where, model, api = models.instructor.endpoint, models.instructor.model, models.instructor.api
        blocks = {"synthesize.sampling": settings.synthesize.sampling, "vote.sampling": settings.vote.sampling}
        wanted = {name: block.resolved() for name, block in blocks.items()}
    else:
        where, model, api = models.base.serve, models.base.model, "completions"
        wanted = {"score.sampling": settings.score.sampling.resolved()}
        wanted |= {f"evaluate.{one.name}.sampling": one.sampling for one in plan.evaluations}
    if where in ("embedded", "vllm"):
        return None
    key = record_key(where, model, api)
    return Wanted(
        wanted,
        recall=lambda: recall(store_dir, key),
        remember=lambda can: remember(store_dir, key, redact(where), model, can),
        forget=lambda: forget(store_dir, key),
    )


def _settings(role: str, models: Models) -> ModelSettings:
    if role == "embedder":
        return ModelSettings(models.embedder.concurrency if models.embedder else 1)
    if role == "instructor":
        instructor = models.instructor
        most = EMBEDDED_IN_FLIGHT if instructor.is_embedded else instructor.concurrency
        flattens = instructor.api == "completions"
        price = Price.of(instructor.price)
        return ModelSettings(min(most, instructor.concurrency), price, instructor.extra, flattens=flattens)
    most = EMBEDDED_IN_FLIGHT if models.base.serve == "embedded" else models.base.concurrency
    return ModelSettings(min(most, models.base.concurrency))


def _serve_instructor(instructor: Instructor, plan: Plan, truth: Path) -> _Served:
    """Where the instructor is; raises SdrlError when its key is missing."""
    if instructor.batch and instructor.endpoint in ("embedded", "vllm"):
        what = f"models.instructor: {instructor.endpoint} has no batch API"
        raise SdrlError("E845", what, help="write 'batch: false': a server of your own is asked directly")
    endpoint = Endpoint(
        "instructor",
        instructor.endpoint,
        instructor.model,
        concurrency=instructor.concurrency,
        structured=instructor.structured,
        api=instructor.api,
    )
    hidden = _hidden(plan.settings.models)
    if instructor.endpoint in ("embedded", "vllm"):
        found = instructor_identity(instructor, plan.base_dir or Path.cwd())
        refuse_changed_model("instructor", instructor.model, found, plan.identities["instructor"])
    if instructor.endpoint == "embedded":
        endpoint = replace(endpoint, sends_seed=True, timeout_s=MANAGED_TIMEOUT_S, concurrency=EMBEDDED_IN_FLIGHT)
        return _Served(endpoint, embedded_instructor("instructor", truth, hidden))
    if instructor.endpoint == "vllm":
        weights = weights_of(instructor.model, plan.identities["instructor"], plan.base_dir)
        endpoint = replace(endpoint, model=served_name("instructor"), sends_seed=True, timeout_s=MANAGED_TIMEOUT_S)
        return _Served(endpoint, vllm_server("instructor", weights, Spread(), hidden))
    key = read_key(instructor.key_env, "instructor", endpoint)
    return _Served(replace(endpoint, key=key, key_env=instructor.key_env))


def _serve_embedder(embedder: Embedder | None, hidden: frozenset[str]) -> _Served:
    """Where the embedder is; raises SdrlError when there is none, or its key is missing."""
    if embedder is None:
        raise SdrlError("E846", "the plan names no embedder", help="add models.embedder to the spec")
    endpoint = Endpoint(
        "embedder", embedder.endpoint, embedder.model, concurrency=embedder.concurrency, api="embeddings"
    )
    if embedder.is_embedded:
        endpoint = replace(endpoint, timeout_s=MANAGED_TIMEOUT_S, concurrency=EMBEDDED_IN_FLIGHT)
        return _Served(endpoint, embedded_embedder("embedder", hidden))
    key = read_key(embedder.key_env, "embedder", endpoint)
    return _Served(replace(endpoint, key=key, key_env=embedder.key_env))


def _serve_base(name: str, models: Models, plan: Plan, override: Path | None) -> _Served:
    """Where the base model is, or the model that training made (``override``), served in the same way."""
    base = models.base
    serve = base.serve
    if override is not None:
        weights = Weights(override.resolve(), override.name)
        if serve not in ("embedded", "vllm"):
            serve = "embedded"  # a server that somebody else runs cannot be given new weights
    else:
        weights = weights_of(base.model, plan.identities["base"], plan.base_dir)
        if weights.folder is not None:
            refuse_changed_weights("base", weights.folder, plan.identities["base"])
    hidden = _hidden(models)
    endpoint = Endpoint(
        name, serve, base.model, concurrency=base.concurrency, sends_seed=True, timeout_s=MANAGED_TIMEOUT_S
    )
    if serve == "embedded":
        server = embedded_base(name, weights.local(), hidden)
        return _Served(replace(endpoint, concurrency=EMBEDDED_IN_FLIGHT), server)
    if serve == "vllm":
        server = vllm_server(name, weights, base.server, hidden, gpus=plan.settings.hardware.gpus)
        return _Served(replace(endpoint, model=served_name(name)), server)
    return _Served(replace(endpoint, timeout_s=600.0))


def _hidden(models: Models | None) -> frozenset[str]:
    """Environment variables that hold keys: no child is given them."""
    roles = (models.instructor, models.embedder) if models else ()
    return frozenset(role.key_env for role in roles if role is not None and role.key_env)


def read_key(variable: str | None, role: str, endpoint: Endpoint) -> str:
    """The key from the environment. An endpoint on this machine may do without one.

    Raises:
        SdrlError: the variable is not set, or a remote endpoint has none.
    """
    if variable is None:
        if endpoint.is_loopback:
            return ""
        raise SdrlError(
            "E819",
            f"models.{role}: {endpoint.base_url} needs a key, and the spec names no variable that holds it",
            help=f"add 'key_env: NAME' under models.{role} and set NAME in the environment",
        )
    key = os.environ.get(variable, "").strip()
    if not key and not endpoint.is_loopback:
        raise SdrlError(
            "E819",
            f"models.{role}: the environment variable {variable}, which is to hold the key, is not set",
            help=f"export {variable}=..., then run the same command again",
        )
    if key and not endpoint.is_loopback:
        refuse_other_owner(variable, role, endpoint.base_url)
    return key
