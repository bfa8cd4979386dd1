"""What a stage is given and what it gives back.

A stage is ``async def run(ctx: StageContext) -> StageOutput``: it reads rows of earlier stages, asks models through the
context, and returns rows. It opens no file of another stage, calls no server itself, and does not know whether it runs
for the first time or is being replayed through the request cache.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sdrl.compiler.plan import EvaluationPlan, PartPlan, Plan
from sdrl.compiler.prompts import Message, Prompts
from sdrl.compiler.rounds import kind_of, named, round_of
from sdrl.compiler.schedule import MOST_LINES
from sdrl.models.model import Model
from sdrl.verifier import Verifier

Row = dict[str, Any]
Item = TypeVar("Item")
Made = TypeVar("Made")
PROGRESS_STEPS = 50  # at most so many progress events a stage


class ModelPool(Protocol):
    """The models of one run, started when first asked."""

    async def instructor(self) -> Model:
        """The model that writes and cross-checks examples."""

    async def embedder(self) -> Model:
        """The model that turns texts into vectors."""

    async def base(self) -> Model:
        """The model to be trained, as it stands."""

    async def trained(self, folder: Path, identity: str) -> Model:
        """The model that training made."""

    async def release(self, role: str) -> None:
        """End a role's server (a GPU must be free before training starts)."""


class SeenRow(Protocol):
    """What a watch is told of a row."""

    is_lost: bool
    """Whether another row will have to make up for it."""


class RowWatch(Protocol):
    """Sees what the rows of one ``each`` use, and which of them are lost."""

    def row(self, index: int) -> AbstractContextManager[SeenRow | None]:
        """What is asked inside is row ``index``'s. Gives who is told what became of it; None when nobody asks."""


def watch_nothing(stage: str, unit: str, total: int) -> RowWatch | None:
    """For a stage whose rows nobody watches."""
    return None


def trained_folder(run_dir: Path, round_: int = 1, rounds: int = 1) -> Path:
    """Where the model of a round lies: the last round's is the run's."""
    return run_dir / ("model" if round_ == rounds else f"model-{round_}")


def trained_identity(folder: Path) -> str:
    """The name of a trained model in cache keys: sha256 over its weight files."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return f"trained:{total.hexdigest()}"


@dataclass
class StageOutput:
    """Rows that go on, rows dropped (each with ``code`` and what shows it), and figures worth sealing."""

    rows: list[Row]
    dropped: list[Row] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StageContext:
    """One stage's view of the run."""

    stage: str
    plan: Plan
    prompts: Prompts
    verifier: Verifier
    models: ModelPool
    inputs: Mapping[str, Sequence[Row]]
    run_dir: Path
    store_dir: Path
    emit: Callable[[str, Mapping[str, Any]], None]
    should_stop: Callable[[], bool]
    watch: Callable[[str, str, int], RowWatch | None] = watch_nothing
    """Of a stage, a unit and how many there are: who watches them."""
    keeps_checkpoints: bool = False
    """Whether training is to leave every checkpoint, not the last ones alone."""

    @property
    def round(self) -> int:
        """The round of this stage, from 1."""
        return round_of(self.stage)

    def rows(self, stage: str) -> list[Row]:
        """The sealed rows of an earlier stage, of this stage's own round where it is one that is repeated."""
        return list(self.inputs[named(stage, self.round)])

    def samples(self) -> list[Row]:
        """S_synth as far as it is written: what was voted on, and what the rounds up to here adapted."""
        before = [stage.name for stage in self.plan.stages if stage.name in self.inputs]
        return [row for name in before if kind_of(name) in ("vote", "adapt") for row in self.inputs[name]]

    def newest(self) -> list[Row]:
        """The samples that this round is to adapt: S_initial, later those that the round before wrote."""
        return list(self.inputs["vote" if self.round == 1 else named("adapt", self.round - 1)])

    async def policy(self) -> tuple[Model, str]:
        """The model that this round asks, and its name in cache keys: the base model, later the last round's."""
        if self.round == 1:
            return await self.models.base(), self.plan.identities["base"]
        folder = trained_folder(self.run_dir, self.round - 1, self.plan.settings.rounds)
        identity = trained_identity(folder)
        return await self.models.trained(folder, identity), identity

    def part(self, name: str) -> PartPlan:
        """The part of the task called ``name``."""
        return self.plan.part(name)

    @property
    def instructor_limit(self) -> int:
        """Rows to work on at once with the instructor: by batch, as many as one has lines."""
        models = self.plan.settings.models
        if models is None:
            return 1
        return MOST_LINES if models.instructor.batch else _rows_at_once(models.instructor.concurrency)

    @property
    def base_limit(self) -> int:
        """Rows to work on at once with the base or trained model."""
        models = self.plan.settings.models
        return _rows_at_once(models.base.concurrency) if models else 1

    def evaluation_rows(self, evaluation: EvaluationPlan) -> list[Row]:
        """The frozen problems of an evaluation set: {id, input, gold, options?}."""
        lines = self.plan.evaluation_path(evaluation).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def progress(self, done: int, total: int | None, unit: str) -> None:
        """Say how far the stage is."""
        self.emit("progress", {"stage": self.stage, "done": done, "total": total, "unit": unit})

    def warn(self, code: str, message: str) -> None:
        """Say something worth knowing that does not end the run."""
        self.emit("warning", {"code": code, "message": message})

    async def each(
        self,
        items: Iterable[Item],
        ask: Callable[[Item], Awaitable[Made]],
        *,
        limit: int,
        unit: str,
        is_lost: Callable[[Made], bool] = lambda made: False,
    ) -> list[Made]:
        """Apply ``ask`` to every item, at most ``limit`` at once; results in the order of the items.

        ``is_lost`` tells the forecast which results another row will have to make up for. The first exception cancels
        the rest and is raised: a bad row is a value, an exception ends the stage.
        """
        todo = list(items)
        made: list[Any] = [None] * len(todo)
        order = iter(range(len(todo)))
        done = 0
        every = max(1, len(todo) // PROGRESS_STEPS)
        watch = self.watch(self.stage, unit, len(todo))

        async def worker() -> None:
            nonlocal done
            for index in order:  # one shared iterator: a bounded queue without a queue
                with nullcontext() if watch is None else watch.row(index) as seen:
                    made[index] = await ask(todo[index])
                    if seen is not None:
                        seen.is_lost = is_lost(made[index])
                done += 1
                if done % every == 0 or done == len(todo):
                    self.progress(done, len(todo), unit)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(limit, len(todo))):
                    group.create_task(worker())
        except* Exception as failures:
            raise _first(failures) from None
        return made


def _rows_at_once(concurrency: int) -> int:
    """More than calls may be in flight, which the model itself bounds: a row that waits for its next try, or whose
    reply is being stored or judged, leaves its place to another."""
    return concurrency + concurrency // 4


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def prompt_hash(messages: Sequence[Message]) -> str:
    """Short sha256 of what was sent, for a sample's provenance."""
    text = "\x1e".join(f"{message['role']}\x1f{message['content']}" for message in messages)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
