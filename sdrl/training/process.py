"""One training from job to outcome: open, resume or start, train, choose the best look, put the model in its place.

Writes below the work folder and, last of all, the final model folder. Every user-facing failure is an `SdrlError`;
turning one into an outcome is `__main__`'s work.
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training import checkpoints, settings, validation
from sdrl.training.callbacks import Watcher, as_callback
from sdrl.training.export import export
from sdrl.training.job import METRICS, Outcome, TrainingJob, write_atomically
from sdrl.training.metrics import read_metrics
from sdrl.training.session import Session, open_session
from sdrl.training.trainers import batch_of, build_trainer, config_class

_LIBRARIES = ("torch", "transformers", "trl", "accelerate", "datasets", "safetensors")


def train(job: TrainingJob) -> Outcome:
    """Run a job to its end. Raises: `SdrlError` E8xx."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world != job.processes:
        raise SdrlError("E804", f"the job is for {job.processes} processes and {world} were started")
    _claim(job)
    settings.check_trl(job)
    config_class(job.algorithm)  # a library that is missing is told before a model is loaded
    session = open_session(job)
    try:
        return _train(session)
    finally:
        session.metrics.close()


def _train(session: Session) -> Outcome:
    job, batch = session.job, batch_of(session)
    steps = settings.planned_steps(job, len(session.rows), batch.prompts)
    start = _resume_point(session)
    _announce(session, batch.prompts, steps)
    watcher = Watcher(session, *settings.cadence(job, steps))
    trainer = watcher.trainer = build_trainer(session, batch, as_callback(watcher))
    trainer.train(resume_from_checkpoint=str(start) if start else None)
    return _finish(session, trainer)


def _claim(job: TrainingJob) -> None:
    """Take the work folder for this job. Raises: `SdrlError` E801 when it holds another training."""
    mark, identity = job.work_dir / "identity", job.identity()
    if mark.exists() and mark.read_text(encoding="utf-8").strip() != identity:
        raise SdrlError(
            "E801", f"{job.work_dir} holds another training", help="remove the folder, or give this training its own"
        )
    write_atomically(mark, identity + "\n")


def _resume_point(session: Session) -> Path | None:
    """Choose where to go on from, drop what is damaged or newer, and read back the looks up to there."""
    start, passed_over = checkpoints.newest_valid(session.checkpoints)
    step = checkpoints.step_of(start) if start else 0
    if session.is_main:
        checkpoints.discard(passed_over)
    if start:
        session.resumed_from = step
        session.curve = validation.curve_of(read_metrics(session.job.work_dir / METRICS), step)
    if session.is_main:
        session.metrics.write({"resumed_from": step, "passed_over": len(passed_over), "pid": os.getpid()})
        for path in passed_over:
            session.metrics.write(
                {
                    "step": step,
                    "alarm": "checkpoint",
                    "message": f"{path.name} is damaged, passed over",
                    "remedy": "check the disk",
                }
            )
    return start


def _announce(session: Session, prompts: int, steps: int) -> None:
    """Say where the training differs from what was asked."""
    if session.is_main and session.too_long:
        names = ", ".join(row.id for row in session.too_long[:3])
        message = f"{len(session.too_long)} rows left out, their prompts are too long for the context ({names} …)"
        remedy = "lower train.max_completion_tokens"
        alarm = {"alarm": "too_long", "message": message, "remedy": remedy}
        session.metrics.write({"step": 0, "max_steps": steps, **alarm})
    if session.is_main and prompts < session.job.prompts_per_step:
        message = f"only {len(session.rows)} prompts: {prompts} a step, not {session.job.prompts_per_step}"
        alarm = {"alarm": "few_prompts", "message": message, "remedy": "raise synthesize.samples"}
        session.metrics.write({"step": 0, "max_steps": steps, **alarm})


def _finish(session: Session, trainer: Any) -> Outcome:
    """Export the chosen model and say how it went."""
    step, job = int(trainer.state.global_step), session.job
    if session.not_finite:
        raise SdrlError("E807", f"the loss stopped being a number at step {step}", help="lower train.learning_rate")
    top = checkpoints.best(session.curve)
    outcome = Outcome(
        status="ok",
        message=f"trained {step} steps",
        final_step=step,
        max_steps=int(trainer.state.max_steps),
        early_stopped=session.early_stopped,
        resumed_from=session.resumed_from,
        validation=tuple(session.curve),
        versions=versions(),
        best_step=top.step if top else step,
    )
    if session.stopped:
        return outcome.model_copy(
            update={"status": "stopped", "message": f"stopped at step {step}; run again to go on"}
        )
    source: Path | None = None
    if top is not None:
        source = session.folder if top.step == 0 else validation.best_folder(job.work_dir, top.step)
    if session.is_main or job.is_sharded:
        export(session, source, trainer)
    if session.is_main:
        session.metrics.write({"final": True, "step": step, "best_step": outcome.best_step})
    message = outcome.message
    if top and top.step == 0:
        message += " (no look at the validation split beat the base: the model is the base)"
    return outcome.model_copy(update={"message": message, "model_dir": str(job.out_dir)})


def versions() -> dict[str, str]:
    """Return the installed versions of the libraries that change numbers."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
