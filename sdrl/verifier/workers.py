"""A pool of killable math workers, started when first needed, shared by all verifiers of the process.

Works from threads and inside an event loop, which it blocks: for at most a second of a worker's processor time, which
the worker itself keeps to (``math_worker.py``). Uses no signal in this process, survives ``fork``, and leaves no
process behind: workers end with their stdin and are killed at exit.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

# Waits of a second for a worker that neither answers nor ends: one that is stopped, or waits for a disk. They are
# counted, and no clock is read: while the machine stands still nobody waits.
PATIENCE: Final = 60
START_PATIENCE: Final = 180
WAIT_MS: Final = 1_000
OUT_OF_TIME: Final = "the comparison passed its deadline"
CHUNK: Final = 16  # pairs in flight per worker: below a pipe's 64 KiB, so that writing never blocks
MAX_WORKERS: Final = 8


class Pair(NamedTuple):
    """Prediction, gold and tolerance, as text."""

    a: str
    b: str
    absolute: str
    relative: str


class MathFailure(RuntimeError):
    """A comparison that could not be decided: out of time, or the worker ended."""


class _Worker:
    """One worker process and the bytes read from it."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("math_worker.py")
        self._process = subprocess.Popen(
            # -P: this folder must not stand on the worker's path, its module names would shadow the standard library.
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
        )
        self._buffer = b""
        try:
            self._write(json.dumps([entry for entry in sys.path if entry]))
            failed = json.loads(self._line(START_PATIENCE)).get("failed")
        except MathFailure as failure:
            self.kill()
            raise MathFailure("the process for math-verify does not start") from failure
        if failed:
            self.kill()
            raise MathFailure(f"math-verify cannot be loaded ({failed}); pip install 'math-verify>=0.9,<0.10'")

    def compare(self, pairs: Sequence[Pair]) -> list[bool | MathFailure]:
        """The results of the first pairs, in order; fewer than given when the worker had to be killed at the last."""
        lines = [json.dumps({"a": a, "b": b, "abs": absolute, "rel": relative}) for a, b, absolute, relative in pairs]
        results: list[bool | MathFailure] = []
        try:
            self._write("\n".join(lines))
            for _ in pairs:
                reply = json.loads(self._line(PATIENCE))
                failed = reply.get("error")
                results.append(MathFailure(failed) if failed else bool(reply["equal"]))
        except MathFailure as failure:
            self.kill()
            timed_out = self._process.returncode == -signal.SIGPROF
            results.append(MathFailure(OUT_OF_TIME) if timed_out else failure)
        except BaseException:
            self.kill()  # interrupted between request and reply: its answers no longer belong to our questions
            raise
        return results

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and reap it."""
        self._process.kill()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Close our ends of the pipes."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # the buffered line had no reader any more

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise MathFailure("the comparison ended its worker") from error

    def _line(self, patience: int) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while b"\n" not in self._buffer:
            if not any(poll.poll(WAIT_MS) for _ in range(patience)):
                raise MathFailure(OUT_OF_TIME)
            data = os.read(descriptor, 65_536)
            if not data:
                raise MathFailure("the comparison ended its worker")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


class Pool:
    """Workers of one process; at most ``size`` at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._started = 0
        self._change = threading.Condition()

    def compare(self, pairs: Sequence[Pair]) -> list[bool | MathFailure]:
        """One result per pair, in order; several workers share a long list."""
        results: list[bool | MathFailure] = [MathFailure("not compared")] * len(pairs)
        chunks = [range(at, min(at + CHUNK, len(pairs))) for at in range(0, len(pairs), CHUNK)][::-1]

        def work() -> None:
            while chunks:
                try:
                    chunk = chunks.pop()
                except IndexError:
                    return
                for index, result in zip(chunk, self._chunk([pairs[i] for i in chunk]), strict=True):
                    results[index] = result

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(self.size, len(chunks)) - 1)]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()
        return results

    def close(self) -> None:
        """Kill all workers and reap them."""
        with self._change:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def abandon(self) -> None:
        """In a forked child: close the inherited pipes, the workers are the parent's."""
        for worker in (*self._idle, *self._busy):
            worker.close()

    def _chunk(self, pairs: Sequence[Pair]) -> list[bool | MathFailure]:
        results: list[bool | MathFailure] = []
        while len(results) < len(pairs):
            try:
                worker = self._take()
            except (MathFailure, OSError) as error:
                failure = error if isinstance(error, MathFailure) else MathFailure(f"no math worker: {error}")
                return results + [failure] * (len(pairs) - len(results))
            try:
                results += worker.compare(pairs[len(results) :])
            finally:
                self._give(worker)
        return results

    def _take(self) -> _Worker:
        with self._change:
            while not self._idle and self._started >= self.size:
                self._change.wait()
            if self._idle:
                worker = self._idle.pop()
                self._busy.add(worker)
                return worker
            self._started += 1
        try:
            worker = _Worker()
        except BaseException:
            with self._change:
                self._started -= 1
                self._change.notify()
            raise
        with self._change:
            self._busy.add(worker)
        return worker

    def _give(self, worker: _Worker) -> None:
        with self._change:
            self._busy.discard(worker)
            if worker.alive:
                self._idle.append(worker)
            else:
                worker.close()
                self._started -= 1
            self._change.notify()


class _Shared:
    """The pool of this process, made at first use."""

    pool: Pool | None = None
    size: int | None = None
    lock = threading.Lock()
    hooked = False


def shared_pool() -> Pool:
    """The pool all verifiers of this process use."""
    with _Shared.lock:
        if _Shared.pool is None:
            _Shared.pool = Pool(_Shared.size or min(MAX_WORKERS, cores()))
            if not _Shared.hooked:
                _Shared.hooked = True
                atexit.register(close_pool)
                os.register_at_fork(after_in_child=_after_fork)
        return _Shared.pool


def cores() -> int:
    """Cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_pool(size: int) -> None:
    """Bound the workers of the pool that is made next, for a process that is itself one of many."""
    _Shared.size = max(1, size)


def close_pool() -> None:
    """End all math workers of this process; the next comparison starts new ones."""
    with _Shared.lock:
        pool, _Shared.pool = _Shared.pool, None
    if pool is not None:
        pool.close()


def _after_fork() -> None:
    _Shared.lock = threading.Lock()
    pool, _Shared.pool = _Shared.pool, None
    if pool is not None:
        pool.abandon()
