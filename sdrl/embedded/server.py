"""The embedded models as an OpenAI-compatible server on loopback: `python -m sdrl.embedded.server --role ...`.

Writes the ready file {"port", "pid"} once it listens, then serves until SIGTERM, SIGINT or the end of its standard
input (where that is a pipe or socket, or with --watch-stdin), so that it dies with its parent. Reads the model folder.
Exit codes: 0 stopped as asked, 1 the model or the port cannot be had, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from sdrl.embedded import worker
from sdrl.embedded.http import Backend, Faults, build_app

HOST = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until it is told to stop; the exit code."""
    args = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(args.threads))
    pool = _open_pool(args)
    try:
        names = [future.result() for future in [pool.submit(worker.load) for _ in range(args.workers)]]
    except Exception as error:  # The border of the process: whatever keeps the model from loading is told in one line.
        sys.stderr.write(f"sdrl.embedded: {error}\n")
        return 1
    backend = Backend(args.name or names[0], args.name is None, worker.chat, worker.complete, worker.embed, pool)
    try:
        listener = socket.create_server((HOST, args.port))
    except OSError as error:
        sys.stderr.write(f"sdrl.embedded: port {args.port} cannot be opened: {error.strerror}\n")
        return 1
    asyncio.run(_serve(args, backend, listener))
    _leave(pool)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sdrl.embedded.server", description=__doc__)
    parser.add_argument("--role", choices=("instructor", "base", "embedder"), required=True)
    parser.add_argument("--model", type=Path, help="folder of the base model (safetensors, tokenizer)")
    parser.add_argument("--name", help="the only model name to answer to (any name is accepted without it)")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--ready-file", type=Path, help="gets {port, pid} once the server listens")
    parser.add_argument("--watch-stdin", action="store_true", help="stop when standard input ends, whatever it is")
    parser.add_argument("--threads", type=int, default=1, help="torch threads per worker")
    parser.add_argument("--workers", type=_positive, default=1, help="1: a thread; more: that many processes")
    parser.add_argument("--truth", type=Path, help="instructor: file that gets each problem's true answer")
    parser.add_argument(
        "--rate", action="append", default=[], type=_rate, metavar="NAME=SHARE", help="instructor: set a declared rate"
    )
    parser.add_argument("--latency-ms", type=int, default=0, help="trial: wait before each reply")
    parser.add_argument("--fail-rate", type=float, default=0.0, help="trial: share of tries answered 503")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _rate(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name, float(share)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=SHARE") from None


def _open_pool(args: argparse.Namespace) -> Executor:
    settings = worker.Settings(
        role=args.role, folder=args.model, threads=args.threads, truth=args.truth, rates=dict(args.rate)
    )
    if args.workers == 1:
        return ThreadPoolExecutor(1, initializer=worker.prepare, initargs=(settings,))
    import multiprocessing

    # Not fork: torch's threads do not survive one.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(args.workers, mp_context=context, initializer=worker.prepare, initargs=(settings,))


async def _serve(args: argparse.Namespace, backend: Backend, listener: socket.socket) -> None:
    from aiohttp import web

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if args.watch_stdin or _stdin_is_a_pipe():
        _watch_stdin(loop, stopping)
    runner = web.AppRunner(build_app(backend, Faults(args.latency_ms, args.fail_rate)), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener, shutdown_timeout=0.5).start()
    if args.ready_file:
        write_ready(args.ready_file, int(listener.getsockname()[1]))
    await stopping.wait()
    listener.close()


def _leave(pool: Executor) -> None:
    """End at once: nobody waits for the replies any more, and a long draw must not hold the exit up."""
    if isinstance(pool, ThreadPoolExecutor):
        # Its thread may be in the middle of a draw, and the interpreter would wait for it.
        sys.stderr.flush()
        os._exit(0)
    import multiprocessing

    for process in multiprocessing.active_children():
        process.kill()


def write_ready(path: Path, port: int) -> None:
    """Write {"port", "pid"} so that a reader sees all of it or nothing."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps({"port": port, "pid": os.getpid()}), encoding="utf-8")
    part.replace(path)


def _stdin_is_a_pipe() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    def follow() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass  # A closed descriptor means the same as its end.
        loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=follow, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
