"""Scenes of endpoints that die, servers that end, and libraries and weights that are not there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from sdrl.models.key_owners import refuse_other_owner
from sdrl.models.servers import Server, ServerPlan
from sdrl.models.vllm import vllm_server
from sdrl.models.weights import Weights
from sdrl.spec.model import Server as Spread
from tests.diagnostics.scene import Stage, scene
from tests.diagnostics.scenes_compile import no_hub
from tests.diagnostics.scenes_run import instructor, refused, run
from tests.end_to_end.fake_openai import fake_openai

FAKE_SERVER = Path(__file__).parents[1] / "models" / "fake_server.py"


def fails_in_a_loop(stage: Stage, attempt: Coroutine[Any, Any, Any]) -> None:
    """Await what raises the error."""
    stage.fails(lambda: asyncio.run(attempt))


def fake_server(*flags: str) -> ServerPlan:
    """A base model's server of the standard library alone."""
    return ServerPlan("base", (sys.executable, "-S", str(FAKE_SERVER), "--ready-file", "{ready}", *flags), "file", 180)


@scene("E816")
def an_address_where_nobody_listens(stage: Stage) -> None:
    from tests.models.parts import HASTY, ask, opened

    async def attempt() -> None:
        async with opened(stage.folder, "http://127.0.0.1:1/v1", policy=HASTY) as bench:
            await bench.model.draw(ask(), [0])

    fails_in_a_loop(stage, attempt())


@scene("E817")
def an_endpoint_that_begins_to_fail(stage: Stage) -> None:
    from tests.models.parts import HASTY, ask, opened

    replies: Iterator[tuple[int, Any]] = iter([(200, ["#### 4"])])
    failing = refused(503, "overloaded")

    async def attempt(url: str) -> None:
        async with opened(stage.folder, url, policy=HASTY) as bench:
            await bench.model.draw(ask(), [0])
            await bench.model.draw(ask("3 + 3?"), [0])

    with fake_openai(lambda path, body: next(replies, None) or failing(path, body)) as url:
        fails_in_a_loop(stage, attempt(url))


@scene("E849")
def a_providers_key_for_somebody_else(stage: Stage) -> None:
    stage.fails(lambda: refuse_other_owner("OPENAI_API_KEY", "instructor", "https://elsewhere.example/v1"))


@scene("E841")
def a_server_that_cannot_load_its_model(stage: Stage) -> None:
    fails_in_a_loop(stage, Server(fake_server("--fail"), stage.folder / "logs").start())


@scene("E842")
def a_server_that_is_killed(stage: Stage) -> None:
    async def attempt() -> None:
        server = Server(fake_server(), stage.folder / "logs")
        await server.start()
        os.kill(server.pid, signal.SIGKILL)
        try:
            for _ in range(1000):
                server.check()
                time.sleep(0.01)
        finally:
            await server.stop()

    fails_in_a_loop(stage, attempt())


@scene("E844")
def a_run_without_its_extra(stage: Stage) -> None:
    with mock.patch.dict(sys.modules, {"aiohttp": None, "openai": None}):
        run(stage, instructor)


@scene("E847")
def weights_that_the_hub_does_not_give(stage: Stage) -> None:
    with no_hub(), mock.patch("huggingface_hub.constants.HF_HUB_CACHE", str(stage.folder / "hub")):
        stage.fails(Weights(None, "owner/model", "c0ffee").local)


@scene("E848")
def vllm_where_it_is_not_installed(stage: Stage) -> None:
    with mock.patch("sdrl.models.vllm._versions", lambda python: {}), mock.patch.dict(os.environ):
        os.environ.pop("SDRL_VLLM_PYTHON", None)
        stage.fails(lambda: vllm_server("base", Weights(None, "owner/model"), Spread()))
