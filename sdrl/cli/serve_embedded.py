"""``sdrl serve-embedded``: the embedded models as an OpenAI-compatible server on this machine, in the foreground.

Prints where each one serves and a request to try, then waits until it is interrupted. Binds to loopback only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.models.servers import Server, ServerPlan

WATCH_S = 0.5
MOST_PORT = 65_535
PROBLEM = "Hana brings 7 barrels to the library. A storm destroys 2 of them. How many barrels is that now?"
INSTRUCTION = "Work step by step and write the final number after ####."
# role -> path and body of a request to try
EXAMPLES: dict[str, tuple[str, dict[str, object]]] = {
    "instructor": (
        "/chat/completions",
        {
            "model": "scripted-instructor",
            "messages": [{"role": "user", "content": f"<problem>\n{PROBLEM}\n</problem>"}],
        },
    ),
    "embedder": ("/embeddings", {"model": "hashed-words", "input": PROBLEM}),
    "base": (
        "/completions",
        {"model": "toy-base", "prompt": f"{PROBLEM}\n{INSTRUCTION}\n", "max_tokens": 64, "temperature": 0},
    ),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--role",
        choices=("instructor", "base", "embedder", "both"),
        default="both",
        help="which to serve; both: instructor and base",
    )
    parser.add_argument("--port", type=int, default=0, help="port of the first, the next for the second")
    parser.add_argument("--model", default="toy-base", help="base: a folder with a causal model (default: toy-base)")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted; 0 then."""
    roles = ("instructor", "base") if args.role == "both" else (args.role,)
    if not 0 <= args.port <= MOST_PORT + 1 - len(roles):
        sys.stderr.write(f"sdrl serve-embedded: there is no port {args.port}\n  help: leave it out for a free one\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="sdrl-serve-") as logs:
        plans = [_plan(role, args, place) for place, role in enumerate(roles)]
        asyncio.run(_serve(plans, Path(logs)))
    return 0


def _plan(role: str, args: argparse.Namespace, place: int) -> ServerPlan:
    from sdrl.models.commands import embedded_base, embedded_embedder, embedded_instructor
    from sdrl.models.weights import weights_of
    from sdrl.spec.diagnostics import Exit, SdrlError

    port = args.port + place if args.port else 0
    if role == "instructor":
        return embedded_instructor(role, None, port=port)
    if role == "embedder":
        return embedded_embedder(role, port=port)
    folder = weights_of(args.model, args.model, Path.cwd()).folder
    if folder is None:
        raise SdrlError("E547", f"there is no model folder '{args.model}'", help="give a folder", exit=Exit.USAGE)
    return embedded_base(role, folder, port=port)


async def _serve(plans: list[ServerPlan], logs: Path) -> None:
    from sdrl.models.servers import Server

    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    servers: list[tuple[str, Server]] = []
    try:
        for plan in plans:
            server = Server(plan, logs)
            await server.start()
            servers.append((plan.role, server))
            _announce(plan.role, server)
        sys.stderr.write("serving until interrupted (Ctrl-C)\n")
        while not stopping.is_set():
            for _, server in servers:
                server.check()
            await _wait(stopping)
    finally:
        for _, server in servers:
            await server.stop()


async def _wait(stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), WATCH_S)
    except TimeoutError:
        return


def _announce(role: str, server: Server) -> None:
    path, body = EXAMPLES[role]
    print(f"{role}: {server.base_url}")
    print(f"  curl -s {server.base_url}{path} -H 'Content-Type: application/json' -d '{json.dumps(body)}'", flush=True)
