"""Runs a plan: stage after stage, each sealed when it is whole; the same call goes on where the last one stopped.

Resume is replay: a stage is done when its seal carries the plan's stage hash; any other stage runs again, and every
request it makes is answered from the request cache. There is no second record of progress to disagree with.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan, StagePlan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.rounds import kind_of, named, round_of
from sdrl.models.cache import Cache
from sdrl.models.ledger import Caps, Ledger
from sdrl.run.artifacts import Artifacts
from sdrl.run.ending import Ending, by_disk, by_error
from sdrl.run.events import EventLog, Listener
from sdrl.run.folder import RunFolder
from sdrl.run.forecast import Forecast
from sdrl.run.held_plan import keep_plan, refuse_other_plan
from sdrl.run.lock import hold
from sdrl.run.pool import Pool
from sdrl.run.post_hoc import POST_HOC, measure, measure_few_shot
from sdrl.run.readiness import readiness_of, refuse_unready
from sdrl.run.result import gate_of, write_result
from sdrl.run.review import before_spending
from sdrl.run.telling import tell_gains, tell_pass_rates
from sdrl.run.truth import bring_truth
from sdrl.run.versions import refuse_missing_trackers, refuse_other_versions
from sdrl.run.wall_time import WallTime
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.context import StageContext, StageOutput, trained_folder, trained_identity
from sdrl.verifier import Verifier

SHARED_THROUGH_STORE = frozenset(
    {"keywords", "retrieve", "pattern", "generate", "vote", "probe", "adapt", "score", "select"}
)
COMING_IN_S = 30.0  # how long a stop waits for replies that are under way, and so paid for
VERSIONS_SEALED = {
    "retrieve": ("tantivy",),
    "probe": ("transformers", "torch"),
    "score": ("transformers", "torch"),
    "train": ("trl", "transformers", "torch", "accelerate"),
    "evaluate": ("transformers", "torch"),
}


@dataclass(frozen=True)
class RunOptions:
    """How to run, none of it part of the plan's identity: where to stop, caps, whether the network may be used,
    whether the kept checkpoints meet the test sets after all is chosen."""

    until: str | None = None
    budget: Mapping[str, str] = field(default_factory=dict)
    offline: bool = False
    post_hoc: bool = False


def execute(
    plan: Plan, folder: RunFolder, store: Path, options: RunOptions, listeners: tuple[Listener, ...] = ()
) -> Ending:
    """Run ``plan`` in ``folder``; blocks until the run ended one way or another and ``result.json`` says so.

    Raises SdrlError (exit 3) before anything is written when the plan is pending or the folder holds another plan, and
    (exit 5) when another process writes there.
    """
    _refuse_without_models(plan)
    _refuse_pending(plan)
    refuse_other_versions(plan.requires)
    has_plan = refuse_other_plan(plan, folder)
    folder.create()
    with hold(folder.lock):
        if not has_plan:
            keep_plan(plan, folder)
        log = EventLog(folder.events, listeners)
        try:
            return asyncio.run(_Run(plan, folder, store, options, log).to_the_end())
        finally:
            log.close()


def _refuse_without_models(plan: Plan) -> None:
    if plan.settings.models is None:
        raise SdrlError("E846", "the plan names no models", help="add models.instructor and models.base to the spec")


def _refuse_pending(plan: Plan) -> None:
    if plan.pending:
        raise SdrlError(
            "E620",
            f"the plan waits for {len(plan.pending)} resource(s): {'; '.join(plan.pending[:3])}",
            help="run 'sdrl compile SPEC --pin' where they can be reached, then run the new plan",
            exit=Exit.STALE,
        )


class _Run:
    """One execution: holds what the stages share."""

    def __init__(self, plan: Plan, folder: RunFolder, store: Path, options: RunOptions, log: EventLog) -> None:
        self.plan = plan
        self.folder = folder
        self.store = store
        self.options = options
        self.log = log
        self.artifacts = Artifacts(folder, store)
        self.cache = Cache(store)
        spender = f"{folder.root.resolve()} {plan.hash}"  # another plan in a folder that was emptied is another run
        self.ledger = Ledger(self.cache, spender, _caps(plan, options.budget))
        self.pool = Pool(plan, folder, store, self.ledger, log.emit, offline=options.offline)
        self.forecast = Forecast(plan, self.ledger, log.emit)
        self.prompts = Prompts(plan)
        self.verifier = Verifier.from_program(plan.verifier)
        self.started = time.monotonic()
        self.wall = WallTime(plan, options.budget, folder.events)
        self.stopping = False
        self.is_training = False
        self.is_closing = False
        self.coming_in: asyncio.Task[None] | None = None

    async def to_the_end(self) -> Ending:
        """Run, and turn every end into a status, an exit code and a result file."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, task)
        alarm = None if self.wall.left_s is None else loop.call_later(self.wall.left_s, self._time_is_up, task)
        try:
            ending = await self._guarded()
            return self._close_books(ending)
        finally:
            if alarm is not None:
                alarm.cancel()
            self.cache.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _close_books(self, ending: Ending) -> Ending:
        try:
            seconds = time.monotonic() - self.started
            bring_truth(self.artifacts, self.folder, self.store)
            tell_gains(write_result(self.plan, self.folder, self.ledger, *ending.as_result(), seconds), self.log.emit)
            finished = {"status": ending.status, "exit": int(ending.exit), "message": ending.message}
            self.log.emit("run_finished", finished)
        except OSError as error:  # the disk that ended the run refuses the last lines too: the ending still stands
            return ending if ending.error is not None else by_disk(error, self.folder.root)
        return ending

    def _stop(self, task: asyncio.Task[Any] | None) -> None:
        """First signal: training saves a checkpoint and ends; all else ends when the replies under way are stored.
        Second: at once.

        While children are being ended and the result is written, there is nothing left to cancel.
        """
        again, self.stopping = self.stopping, True
        if task is None or self.is_closing:
            return
        if again:
            task.cancel()
        elif not self.is_training:
            self.coming_in = asyncio.create_task(self._end_when_quiet(task))

    def _time_is_up(self, task: asyncio.Task[Any] | None) -> None:
        self.wall.is_up = True
        if not self.stopping:
            self._stop(task)

    async def _end_when_quiet(self, task: asyncio.Task[Any]) -> None:
        self.pool.stop_sending()
        if under_way := self.pool.under_way:
            waits = f"stopping when the replies under way ({under_way}) are in, in {COMING_IN_S:.0f} s at the latest"
            self.log.emit("warning", {"code": "W870", "message": f"{waits}; a second signal ends at once"})
        until = time.monotonic() + COMING_IN_S
        while self.pool.under_way and time.monotonic() < until:
            await asyncio.sleep(0.02)
        if not self.is_closing:
            task.cancel()

    async def _guarded(self) -> Ending:
        try:
            await self._stages()
            return self._judge_gate()
        except asyncio.CancelledError:
            if task := asyncio.current_task():
                task.uncancel()
            if self.wall.is_up:
                return by_error(self.wall.failure())
            return Ending("stopped", Exit.STOPPED, "stopped; the same command goes on")
        except SdrlError as error:
            if self.wall.is_up and error.exit == Exit.STOPPED:  # training stopped because it was told to
                error = self.wall.failure()
            return by_error(error)
        except OSError as error:
            return by_disk(error, self.folder.root)
        finally:
            self.is_closing = True
            if self.coming_in is not None:
                self.coming_in.cancel()
            await self.pool.close()

    async def _stages(self) -> None:
        names = [stage.name for stage in self.plan.stages]
        self.log.emit(
            "run_started",
            {"plan_hash": self.plan.hash, "name": self.plan.name, "stages": names, "pid": os.getpid()},
        )
        if self.cache.mended is not None:
            self.log.emit("warning", {"code": "W834", "message": str(self.cache.mended)})
        last = self.plan.stage(named("train", self.plan.settings.rounds))
        is_to_train = self.options.until is None or kind_of(self.options.until) in ("train", "evaluate")
        if is_to_train and not self.artifacts.is_sealed(last.name, last.hash):
            refuse_missing_trackers(self.plan.settings.train.trl)
        for stage in self.plan.stages:
            if stage.name == "generate" and self.plan.settings.review.samples:
                with self.ledger.charging(stage.name):
                    await before_spending(self._context(stage), self.folder, self.log.emit)
            if not self._taken_over(stage):
                self.wall.check()
                await self._one(stage)
            tell_pass_rates(stage.name, self.artifacts, self.log.emit)
            if stage.name in ("probe", "score") and (figures := readiness_of(self.plan, self.artifacts)) is not None:
                self.log.emit("readiness", {"stage": stage.name, **figures})
                refuse_unready(self.plan, self.artifacts)
            if stage.name == self.options.until:
                return
            if self.stopping:  # training ended by itself before it saw that it was to stop
                raise asyncio.CancelledError
        if self.options.post_hoc and self.plan.evaluations:
            self.wall.check()
            with self.ledger.charging(POST_HOC):
                last_context = self._context(self.plan.stages[-1])
                await measure_few_shot(last_context, self.artifacts)
                await measure(last_context, self.folder, self.artifacts)

    def _taken_over(self, stage: StagePlan) -> bool:
        source = "run" if self.artifacts.is_sealed(stage.name, stage.hash) else None
        if (
            source is None
            and kind_of(stage.name) in SHARED_THROUGH_STORE
            and self.artifacts.fetch(stage.name, stage.hash)
        ):
            source = "store"
        if source is None:
            return False
        seal = self.artifacts.seal(stage.name) or {}
        made = seal.get("notes", {}).get("model")
        if made is not None and made != trained_identity(self._model_of(stage, made)):
            return False  # the model was removed or replaced: training goes on from its last checkpoint
        self.log.emit(
            "stage_reused", {"stage": stage.name, "hash": stage.hash, "rows": seal.get("rows"), "source": source}
        )
        return True

    def _model_of(self, stage: StagePlan, made: str) -> Path:
        """Where a training's model lies. What was the run's model makes room for that of a further round."""
        rounds, final = self.plan.settings.rounds, self.folder.model
        place = trained_folder(self.folder.root, round_of(stage.name), rounds)
        if place != final and not place.exists() and trained_identity(final) == made:
            os.replace(final, place)
        return place

    async def _one(self, stage: StagePlan) -> None:
        self.log.emit("stage_started", {"stage": stage.name, "hash": stage.hash})
        began = time.monotonic()
        context = self._context(stage)
        with self.ledger.charging("evaluate"):
            if kind_of(stage.name) == "train":
                await self._before_training(context)
        self.is_training = kind_of(stage.name) == "train"
        with self.ledger.charging(stage.name):
            output: StageOutput = await import_module(f"sdrl.stages.{kind_of(stage.name)}").run(context)
        self.is_training = False
        seal = self.artifacts.write(
            stage.name,
            stage.hash,
            output.rows,
            output.dropped,
            came_in=len(output.rows) + len(output.dropped),
            seconds=time.monotonic() - began,
            notes=output.notes,
            versions=_versions(kind_of(stage.name)),
        )
        if kind_of(stage.name) in SHARED_THROUGH_STORE:
            self.artifacts.keep(stage.name, stage.hash)
        self.log.emit(
            "stage_finished",
            {
                "stage": stage.name,
                "hash": stage.hash,
                "rows": seal["rows"],
                "dropped": seal["dropped"],
                "seconds": seal["seconds"],
            },
        )

    async def _before_training(self, context: StageContext) -> None:
        """Measure the base model while its server is up, then free the device for training."""
        if self.plan.evaluations and context.round == 1:
            from sdrl.stages.evaluate import ask_base

            await ask_base(context)
        for role in ("base", "trained", "instructor"):
            await self.pool.release(role)

    def _context(self, stage: StagePlan) -> StageContext:
        before = [name for name in (other.name for other in self.plan.stages) if name != stage.name]
        inputs = _Lazy(self.artifacts, frozenset(before[: [s.name for s in self.plan.stages].index(stage.name)]))
        return StageContext(
            stage=stage.name,
            plan=self.plan,
            prompts=self.prompts,
            verifier=self.verifier,
            models=self.pool,
            inputs=inputs,
            run_dir=self.folder.root,
            store_dir=self.store,
            emit=self.log.emit,
            should_stop=lambda: self.stopping,
            watch=self.forecast.watch,
            keeps_checkpoints=self.options.post_hoc,
        )

    def _judge_gate(self) -> Ending:
        gate = gate_of(self.plan, self.artifacts)
        if gate is None or gate["met"] or self.options.until not in (None, self.plan.stages[-1].name):
            return Ending("done", Exit.OK, "done")
        gain = "that could not be measured" if gate["gain"] is None else f"of {100 * gate['gain']:+.1f} points"
        failure = SdrlError(
            "E872",
            f"the gate asks for a gain of {100 * gate['min_gain']:+.1f} points, and the run has one {gain}",
            help=f"read the report: sdrl report {self.folder.root}",
            exit=Exit.GATE,
        )
        return Ending("gate", Exit.GATE, str(failure), failure)


class _Lazy(Mapping[str, Any]):
    """Rows of the stages before this one, read when first wanted."""

    def __init__(self, artifacts: Artifacts, names: frozenset[str]) -> None:
        self._artifacts = artifacts
        self._names = names
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._artifacts.rows(name)
        return self._read[name]

    def __iter__(self) -> Any:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


def _caps(plan: Plan, overrides: Mapping[str, str]) -> Caps:
    """The plan's caps, or those the command line puts in their place."""
    budget = plan.settings.budget
    usd = float(overrides["usd"]) if "usd" in overrides else budget.usd
    requests = int(overrides["requests"]) if "requests" in overrides else budget.requests
    tokens = int(overrides["tokens"]) if "tokens" in overrides else budget.tokens
    return Caps.of(usd, requests, tokens)


def _versions(stage: str) -> dict[str, str]:
    found = {}
    for name in VERSIONS_SEALED.get(stage, ()):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
