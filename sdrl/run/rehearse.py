"""A rehearsal: everything that needs the hardware, two steps each at full shape, with random weights.

Makes a model of the base model's configuration, serves and scores with it as the plan would, frees the server, trains
(the very job of the run, cut to three steps; SFT and RFT on answers as long as they may be), kills the training after
its first checkpoint, lets it go on, and evaluates what came out. Asks no instructor, so it costs nothing but time.
Writes below one folder; the plan and its run are not touched. Measures seconds, tokens and peak memory; forecasts are
``rehearsal_forecast``'s.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sdrl.compiler.contract import Generation, for_evaluation, for_score
from sdrl.compiler.identities import digest_folder
from sdrl.compiler.plan import Plan
from sdrl.compiler.prompts import Prompts
from sdrl.models.cache import Cache
from sdrl.models.ledger import Caps, Ledger
from sdrl.models.model import Model
from sdrl.run.folder import RunFolder
from sdrl.run.peak_memory import PeakMemory
from sdrl.run.pool import Pool
from sdrl.run.random_weights import Made, random_weights
from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.base_answers import base_request
from sdrl.stages.context import Row, StageContext, trained_identity
from sdrl.stages.train import describe, write_rows
from sdrl.stages.training_rows import training_row
from sdrl.training.checkpoints import MARKER
from sdrl.training.job import Outcome, TrainingJob
from sdrl.training.launch import run_training
from sdrl.verifier import Verifier

STEPS = 3  # one before the kill, two after it
ASKED_AT_ONCE = 256  # completions: what keeps a server busy
SMALL = {"prompts": 2, "rollouts": 4, "tokens": 16, "draws": 4}
_WARM_UP_TOKENS = 1


@dataclass
class Measured:
    """One part of the rehearsal. ``tokens``: completion tokens, of a training those drawn or learned in its updates."""

    stage: str
    seconds: float = 0.0
    tokens: int = 0
    peak_gb: float = 0.0
    note: str = ""
    busy: float | None = None
    """Seconds in which the tokens were made, where that is less than all."""

    @property
    def rate(self) -> float | None:
        """Tokens a second; None where none were made."""
        seconds = self.seconds if self.busy is None else self.busy
        return self.tokens / seconds if self.tokens and seconds else None


@dataclass
class Rehearsal:
    """What was measured, in order. ``step_seconds``: of whole updates, without looks and checkpoints."""

    parts: list[Measured] = field(default_factory=list)
    step_seconds: list[float] = field(default_factory=list)
    completion_tokens: float = 0.0
    """Of one rollout, or answer to learn, on average: random weights seldom end one early."""
    memory_of: str = "RSS"
    is_small: bool = False
    tokenizer: str = "the model's own"

    def part(self, stage: str) -> Measured:
        """The part called ``stage``; KeyError when there is none."""
        for each in self.parts:
            if each.stage == stage:
                return each
        raise KeyError(stage)


def rehearse(plan: Plan, folder: Path, *, small: bool, tell: Callable[[Measured], None]) -> Rehearsal:
    """Rehearse a plan in ``folder``. Raises SdrlError for the first part that fails; every child has ended then."""
    if plan.settings.models is None:
        raise SdrlError("E846", "the plan names no models", help="add models.instructor and models.base to the spec")
    return asyncio.run(_Stage(plan, RunFolder(folder), small, tell).play())


class _Stage:
    """One rehearsal while it runs."""

    def __init__(self, plan: Plan, folder: RunFolder, small: bool, tell: Callable[[Measured], None]) -> None:
        self._original = plan
        self._plan = _small(plan) if small else plan
        self._folder = folder
        self._tell = tell
        self._done = Rehearsal(is_small=small)
        self._made = Made(folder.root, 0.0, "")

    async def play(self) -> Rehearsal:
        """All parts in order."""
        for left in ("training", "model", "random-model", "store"):
            shutil.rmtree(self._folder.root / left, ignore_errors=True)  # of an earlier rehearsal in this folder
        self._folder.create()
        async with self._measured("weights") as part:
            made = await asyncio.to_thread(random_weights, self._plan, self._folder.root, small=self._done.is_small)
            self._done.tokenizer, part.note = made.tokenizer, f"{made.gb:.2f} GB on disk"
        self._made = made
        self._plan = _with_model(self._plan, made.folder)
        cache = Cache(self._folder.root / "store")
        ledger = Ledger(cache, str(time.time_ns()), Caps())  # another rehearsal's replies are no measurement
        pool = Pool(self._plan, self._folder, self._folder.root / "store", ledger, lambda *_: None, offline=False)
        try:
            with ledger.charging("score"):
                await self._serve_and_score(pool)
                outcome = await self._train(self._job())
                await self._evaluate(pool, Path(outcome.model_dir or self._folder.model))
        finally:
            await pool.close()
            cache.close()
        return self._done

    @asynccontextmanager
    async def _measured(self, stage: str) -> AsyncIterator[Measured]:
        part = Measured(stage)
        with PeakMemory() as peak:
            began = time.monotonic()
            yield part
            part.seconds = part.seconds or time.monotonic() - began
        part.peak_gb, self._done.memory_of = peak.gb, peak.of
        self._done.parts.append(part)
        self._tell(part)

    async def _serve_and_score(self, pool: Pool) -> None:
        draws, generation = self._plan.settings.score.draws, for_score(self._plan)
        async with self._measured("serve"):
            model = await pool.base()
            await self._ask(model, replace(generation, max_tokens=_WARM_UP_TOKENS), 1, 1)
        async with self._measured("score") as part:
            rows = max(2, ASKED_AT_ONCE // draws) if not self._done.is_small else 2
            part.tokens = await self._ask(model, generation, rows, draws)
            part.note = f"{rows} prompts x {draws} draws"
        async with self._measured("free"):
            await pool.release("base")

    async def _ask(self, model: Model, generation: Generation, count: int, draws: int) -> int:
        """Completion tokens of ``draws`` draws of ``count`` prompts, all at once, of seeds that no cache knows."""
        ctx, rows = self._context(), _rows(self._plan)
        now = time.time_ns() % 2**31

        async def one(index: int) -> int:
            row = rows[index % len(rows)]
            identity = f"rehearsal-{generation.max_tokens}"
            request = base_request(ctx, row, generation, model=identity, seed=(now + index * 1000) % 2**31)
            drawn = await model.draw(request, range(draws))
            failed = next((each.reason for each in drawn if each.status == "failed"), None)
            if failed is not None:
                raise SdrlError("E883", f"the server gave no reply in the rehearsal: {failed}", help=self._logs())
            return sum(each.completion_tokens for each in drawn)

        return sum(await asyncio.gather(*(one(index) for index in range(count))))

    async def _train(self, job: TrainingJob) -> Outcome:
        given = self._made.completion_tokens
        seen: list[dict[str, Any]] = []
        async with self._measured("train") as part:
            killed = await self._until_checkpoint(job, seen)
            self._done.step_seconds += _note_updates(part, seen, job, given)
            size = _folder_gb(job.work_dir / "checkpoints" / "checkpoint-1")
            part.note = f"{_what(job)}, killed after the first checkpoint ({size:.2f} GB on disk)"
            if killed.status == "ok":
                part.note = f"{_what(job)}, ended before it could be killed"
        resumed: list[dict[str, Any]] = []
        async with self._measured("resume") as part:
            outcome = await run_training(job, on_metrics=resumed.append)
            outcome.raise_if_failed()
            self._done.step_seconds += _note_updates(part, resumed, job, given)
            part.note = f"from step {outcome.resumed_from} to {outcome.final_step}"
            lengths = [row["completion_length"] for row in (*seen, *resumed) if "completion_length" in row]
            self._done.completion_tokens = sum(lengths) / len(lengths) if lengths else float(given)
        if killed.status != "ok" and not outcome.resumed_from:
            raise SdrlError("E883", "the killed training did not go on from its checkpoint", help=self._logs())
        return outcome

    async def _until_checkpoint(self, job: TrainingJob, seen: list[dict[str, Any]]) -> Outcome:
        """Train until the first checkpoint is whole, then kill the training process as a lost machine would."""

        async def kill() -> None:
            marker = job.work_dir / "checkpoints" / "checkpoint-1" / MARKER
            while not marker.exists():
                await asyncio.sleep(0.02)
            pid = next(row["pid"] for row in seen if "pid" in row)
            os.kill(pid, signal.SIGKILL)

        killer = asyncio.create_task(kill())
        try:
            outcome = await run_training(job, on_metrics=seen.append)
        finally:
            killer.cancel()
        if outcome.status == "failed" and not (killer.done() and not killer.cancelled() and not killer.exception()):
            outcome.raise_if_failed()
        return outcome

    def _job(self) -> TrainingJob:
        """The run's job over rows of the longest prompts, and where answers are given, of an answer of full length."""
        plan, ctx, rows = self._plan, self._context(), _rows(self._plan)
        work, solution = self._folder.root / "training", self._made.completion
        wanted = range(STEPS * plan.settings.train.prompts_per_step)
        chosen = [{**rows[index % len(rows)], "id": f"r{index}", "solution": solution} for index in wanted]
        write_rows(work / "train.jsonl", [training_row(ctx, row) for row in chosen])
        out = self._folder.model
        job = describe(plan, "train", model=str(self._made.folder), out_dir=out, work_dir=work, has_validation=False)
        return job.model_copy(update={"max_steps": STEPS, "save_every": 1, "patience": None})

    async def _evaluate(self, pool: Pool, folder: Path) -> None:
        sets = self._plan.evaluations
        generation = for_evaluation(self._plan, sets[0]) if sets else for_score(self._plan).greedy()
        async with self._measured("evaluate") as part:
            model = await pool.trained(folder, trained_identity(folder))
            await self._ask(model, replace(generation, max_tokens=_WARM_UP_TOKENS), 1, 1)
            rows, began = 8 if self._done.is_small else ASKED_AT_ONCE, time.monotonic()
            part.tokens = await self._ask(model, generation, rows, 1)
            part.busy = time.monotonic() - began
            part.note = f"{rows} prompts, on the model that came out"

    def _context(self) -> StageContext:
        return StageContext(
            stage="train",
            plan=self._plan,
            prompts=Prompts(self._plan),
            verifier=Verifier.from_program(self._plan.verifier),
            models=None,  # type: ignore[arg-type]  # no stage runs: only its prompts and its job are made
            inputs={},
            run_dir=self._folder.root,
            store_dir=self._folder.root / "store",
            emit=lambda *_: None,
            should_stop=lambda: False,
        )

    def _logs(self) -> str:
        return f"see {self._folder.logs}"


def _with_model(plan: Plan, folder: Path) -> Plan:
    """The plan with the random model in the base model's place; a server of somebody else's is replaced by ours."""
    models = plan.settings.models
    assert models is not None  # rehearse refuses a plan without
    serve = models.base.serve if models.base.serve in ("vllm", "embedded") else "embedded"
    base = models.base.model_copy(update={"model": str(folder.resolve()), "revision": None, "serve": serve})
    settings = plan.settings.model_copy(update={"models": models.model_copy(update={"base": base})})
    return replace(plan, settings=settings, identities={**plan.identities, "base": f"sha256:{digest_folder(folder)}"})


def _small(plan: Plan) -> Plan:
    """The plan at a shape for a CPU: few, short completions, one process."""
    settings = plan.settings
    train = settings.train.model_copy(
        update={
            "prompts_per_step": min(SMALL["prompts"], settings.train.prompts_per_step),
            "rollouts": min(SMALL["rollouts"], settings.train.rollouts),
            "max_completion_tokens": min(SMALL["tokens"], settings.train.max_completion_tokens),
        }
    )
    short = settings.score.sampling.model_copy(update={"max_tokens": SMALL["tokens"]})
    score = settings.score.model_copy(update={"draws": min(SMALL["draws"], settings.score.draws), "sampling": short})
    hardware = settings.hardware.model_copy(update={"gpus": 0, "nodes": 1})
    changed = settings.model_copy(update={"train": train, "score": score, "hardware": hardware})
    sets = tuple(replace(each, sampling={**each.sampling, "max_tokens": SMALL["tokens"]}) for each in plan.evaluations)
    return replace(plan, settings=changed, evaluations=sets)


def _rows(plan: Plan) -> list[Row]:
    """Problems with golds to ask: of the first evaluation set, else of the demos, the longest first."""
    rows: list[Row] = []
    for evaluation in plan.evaluations:
        if evaluation.sha256 and plan.folder is not None:
            lines = plan.evaluation_path(evaluation).read_text(encoding="utf-8").splitlines()[:ASKED_AT_ONCE]
            rows += [json.loads(line) for line in lines]
            break
    rows = rows or [
        {"input": demo.input, "gold": demo.output, "options": demo.options}
        for part in plan.parts
        for demo in part.demos
    ]
    rows = rows or [{"input": "What is 1 + 1?", "gold": "2", "options": None}]
    usual = {"part": plan.parts[0].name, "options": None}
    return sorted(({**usual, **row} for row in rows), key=lambda row: -len(row["input"]))


def _what(job: TrainingJob) -> str:
    """What is trained, in words."""
    return job.algorithm + (f", adapters of rank {job.lora.rank}" if job.lora else "")


def _note_updates(part: Measured, rows: list[dict[str, Any]], job: TrainingJob, given: int) -> list[float]:
    """Put the tokens of the logged updates and their seconds into ``part``; returns the seconds of each update.

    ``given``: tokens of each answer to learn, where the model draws none.
    """
    updates = [row for row in rows if "step_seconds" in row]
    each = job.prompts_per_step * (job.rollouts if job.is_online else 1)
    part.tokens = round(sum(row.get("completion_length", given) * each for row in updates))
    seconds = [float(row["step_seconds"]) for row in updates]
    part.busy = sum(seconds)
    return seconds


def _folder_gb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
