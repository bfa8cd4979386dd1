"""A small run ended at each point where it can end, one after the other, and each gone on with by the same command.

Shared by the suite and ``make faults``. A run that is killed at point k, or whose disk is full from point k on, must
be finished by the same command with the bytes of the run that nothing disturbed, and pay twice for no more than was
in flight.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from sdrl.compiler.compile import compile_spec, write_plan
from tests.faults.points import Kind, When
from tests.faults.project import Serving, Size, made, sent_twice, write_project
from tests.faults.zygote import Ended, Zygote

TINY = Size(samples=2, attempts=6, draws=2, passages=8)


@dataclass(frozen=True)
class Outcome:
    """What came of one run that was ended at point ``at``."""

    at: int
    point: str
    ended: int
    finished: int
    same: bool
    twice: int
    is_page: bool
    """Whether the run's page was being written, which comes when all is done."""


@dataclass
class Everywhere:
    """The tiny project, its undisturbed rows, and warm processes to run it in."""

    folder: Path
    server: Serving
    undisturbed: dict[str, bytes]
    met: tuple[str, ...]
    """The points of the undisturbed run, in order."""
    free: SimpleQueue[Zygote]
    workers: int
    command: tuple[str, ...]

    def end_at(self, at: int, when: When, kinds: Sequence[Kind]) -> Outcome | None:
        """End a run at point ``at`` and go on with it; None when it has fewer points."""
        project = self.folder / f"{when}-{'-'.join(kinds)}-{at}"
        shutil.copytree(self.folder / "project", project)
        zygote = self.free.get()
        try:
            first = zygote.run(project, *self.command, at=at, when=when, kinds=kinds)
            if first.code == 0 and len(first.met) < at:
                return None
            second = zygote.run(project, *self.command)
        finally:
            self.free.put(zygote)
        outcome = self._outcome(at, project, first, second)
        shutil.rmtree(project)
        return outcome

    def _outcome(self, at: int, project: Path, first: Ended, second: Ended) -> Outcome:
        mine = [call for call in self.server.calls() if call["who"] in (first.who, second.who)]
        same = second.code == 0 and made(project / "runs/small") == self.undisturbed
        point = first.met[at - 1] if len(first.met) >= at else ""
        is_page = any("report.html" in met for met in first.met[:at])
        said = point or first.said[-300:]
        return Outcome(at, said, first.code, second.code, same, sum(sent_twice(mine).values()), is_page)

    def enumerate(self, when: When, kinds: Sequence[Kind], stride: int = 1) -> list[Outcome]:
        """Every point (or every ``stride``-th), until a run ends before it meets one."""
        found: list[Outcome] = []
        with ThreadPoolExecutor(self.workers) as pool:
            for block in itertools.count():
                points = range(1 + block * 8 * stride, 1 + (block + 1) * 8 * stride, stride)
                outcomes = list(pool.map(lambda at: self.end_at(at, when, kinds), points))
                found += [outcome for outcome in outcomes if outcome is not None]
                if None in outcomes:
                    return found
        raise AssertionError("unreachable")


@contextmanager
def everywhere(folder: Path, server: Serving, until: str, workers: int = 3) -> Iterator[Everywhere]:
    """Set up: the project compiled, run once undisturbed, and warm processes."""
    project, command = folder / "project", ("run", "small.plan", "--until", until)
    compiled = compile_spec(write_project(project, server.url, TINY))
    assert compiled.plan is not None, compiled.diagnostics
    write_plan(compiled, project / "small.plan")
    zygotes = [Zygote() for _ in range(workers)]
    free: SimpleQueue[Zygote] = SimpleQueue()
    try:
        shutil.copytree(project, folder / "undisturbed")
        first = zygotes[0].run(folder / "undisturbed", *command)
        assert first.code == 0, first.said
        for zygote in zygotes:
            free.put(zygote)
        yield Everywhere(folder, server, made(folder / "undisturbed/runs/small"), first.met, free, workers, command)
    finally:
        for zygote in zygotes:
            zygote.close()
