"""Worker processes for ``sdrl verify``: batches of lines go out, their verdicts come back in the order of the lines.

One thread, no fork: workers are started by ``exec`` and spoken to over pipes. Bounded in flight, so that a slow reader
of the verdicts slows the reading of lines and not the memory. A worker that dies costs no row: its batches are judged
again, the first one line by line, and only a line that ends its process a second time gets the verdict ``error``.
Workers end with their stdin, and so with this process however it ends.

Frames, each a line of JSON and then bytes. To a worker, once: ``{path, program}``; then ``[first line, bytes]``. From
it: one line when it is up, then ``{bytes, counts, problem}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from sdrl.cli.verify_rows import Batch, Judged, Lines, Problem, judge, lost
from sdrl.verifier import Verifier

AHEAD = 2  # batches in one worker's hands: one judged, one waiting
MAX_HELD_BYTES = 8 << 20  # read and not yet written, over all workers


class WorkerDied(Exception):
    """The pipe to a worker is closed: it was killed, or never came up."""


class Worker:
    """One process and the batches in its hands, oldest first. Raises OSError when it cannot be started."""

    def __init__(self, program: Mapping[str, Any]) -> None:
        script = Path(__file__).with_name("verify_worker.py")
        # Ctrl-C reaches the whole process group; a blocked signal is inherited, so none of it reaches a worker, not
        # even one that is only starting. Ours is delivered as soon as it is unblocked.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to: IO[bytes] = self._process.stdin
        self._from: IO[bytes] = self._process.stdout
        self._received = bytearray()
        self.ready = False
        self.held: deque[tuple[int, Batch]] = deque()
        self._write(json.dumps({"path": [entry for entry in sys.path if entry], "program": program}).encode() + b"\n")

    def fileno(self) -> int:
        """The descriptor that becomes readable when verdicts come back or the worker dies."""
        return self._from.fileno()

    def send(self, index: int, batch: Batch) -> None:
        """Hand over a batch. A worker always reads, so this does not wait for its verdicts."""
        self.held.append((index, batch))
        self._write(json.dumps([batch.first_line, len(batch.data)]).encode() + b"\n" + batch.data)

    def receive(self) -> list[tuple[int, Judged]]:
        """What has come back; waits for some bytes. Raises WorkerDied at their end."""
        data = os.read(self._from.fileno(), 1 << 18)
        if not data:
            raise WorkerDied
        self._received += data
        done = []
        while (judged := self._next()) is not None:
            done.append((self.held.popleft()[0], judged))
        return done

    def alone(self, batch: Batch) -> Judged:
        """The outcome of one batch, waited for. Raises WorkerDied."""
        self.send(0, batch)
        while True:
            for _, judged in self.receive():
                return judged

    def close(self) -> None:
        """End the process and reap it."""
        self._process.kill()
        for pipe in (self._to, self._from):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def _next(self) -> Judged | None:
        end = self._received.find(b"\n")
        if end < 0:
            return None
        head = json.loads(self._received[:end])
        if not self.ready:
            self.ready = True
            del self._received[: end + 1]
            return self._next()
        stop = end + 1 + head["bytes"]
        if len(self._received) < stop:
            return None
        output = bytes(self._received[end + 1 : stop])
        del self._received[:stop]
        return Judged(output, head["counts"], Problem(*head["problem"]) if head["problem"] else None)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        with contextlib.suppress(BrokenPipeError):  # its end is seen, and handled once, when it is read from
            while view:
                view = view[os.write(self._to.fileno(), view) :]


class Workers:
    """As many workers as asked for; ``judged`` is the way through. A context manager: leaving it ends them."""

    def __init__(self, program: Mapping[str, Any], verifier: Verifier, count: int) -> None:
        self._program = program
        self._verifier = verifier
        self._count = count
        self._workers: list[Worker] = []

    def __enter__(self) -> Workers:
        for _ in range(self._count):
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        while self._workers:
            self._workers.pop().close()

    def judged(self, lines: Lines) -> Iterator[Judged]:
        """The verdicts on all batches of ``lines``, in their order."""
        done: dict[int, Judged] = {}
        held: dict[int, int] = {}  # bytes of the batches read and not yet handed back
        read = written = 0
        more = True
        while more or held:
            room = more and self._has_room() and sum(held.values()) < MAX_HELD_BYTES
            at_hand, answering = self._wait(lines.waits_for, room)
            for worker in answering:
                done.update(self._receive(worker))
            if at_hand:
                batch = next(lines, None)
                more = batch is not None
                if batch is not None:
                    held[read] = len(batch.data)
                    done.update(self._send(read, batch))
                    read += 1
            while written in done:
                yield done.pop(written)
                del held[written]
                written += 1

    def _has_room(self) -> bool:
        return not self._workers or any(len(worker.held) < AHEAD for worker in self._workers)

    def _wait(self, source: int | None, room: bool) -> tuple[bool, list[Worker]]:
        """Whether a batch should be read now, and the workers that have something to say."""
        poll = select.poll()
        busy = {worker.fileno(): worker for worker in self._workers if worker.held}
        for descriptor in busy:
            poll.register(descriptor, select.POLLIN)
        if room and source is not None:
            poll.register(source, select.POLLIN)
        at_once = room and source is None
        if not busy and not (room and source is not None):
            return room, []
        ready = {descriptor for descriptor, _ in poll.poll(0 if at_once else None)}
        return at_once or (room and source in ready), [busy[each] for each in ready if each in busy]

    def _send(self, index: int, batch: Batch) -> dict[int, Judged]:
        """Hand a batch to the worker with the least in its hands; judge it here when there is none."""
        if not self._workers:
            return {index: judge(self._verifier, batch)}
        min(self._workers, key=lambda worker: len(worker.held)).send(index, batch)
        return {}

    def _receive(self, worker: Worker) -> dict[int, Judged]:
        try:
            return dict(worker.receive())
        except WorkerDied:
            self._workers.remove(worker)
            worker.close()
        if not worker.ready:  # it never came up, and another would not either
            return {index: judge(self._verifier, batch) for index, batch in worker.held}
        fresh = self._start()
        done = {}
        for index, batch in worker.held:
            done[index], fresh = self._line_by_line(fresh, batch)
        return done

    def _line_by_line(self, worker: Worker | None, batch: Batch) -> tuple[Judged, Worker | None]:
        """The outcome of a batch that may hold the line its worker died of, and the worker to go on with."""
        output, counts = [], Counter[str]()
        for row in batch.rows():
            judged = None
            if worker is not None:
                try:
                    judged = worker.alone(row)
                except WorkerDied:
                    self._workers.remove(worker)
                    worker.close()
                    judged = lost(row) if worker.ready else None
                    worker = self._start() if worker.ready else None
            judged = judged or judge(self._verifier, row)
            output.append(judged.output)
            counts.update(judged.counts)
            if judged.problem:
                return Judged(b"".join(output), dict(counts), judged.problem), worker
        return Judged(b"".join(output), dict(counts)), worker

    def _start(self) -> Worker | None:
        """One more worker, or None where the system refuses another process."""
        try:
            worker = Worker(self._program)
        except OSError:
            return None
        self._workers.append(worker)
        return worker
