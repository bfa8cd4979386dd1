"""What happens between updates: metrics, alarms, looks at the validation split, checkpoints, stopping.

`Watcher` holds the decisions and knows no trl; `as_callback` lends it to Trainer. Order within a step, which resume
relies on: look, then the step's metrics, then the checkpoint and its marker.
"""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass, field
from typing import Any

from sdrl.training import checkpoints, validation
from sdrl.training.export import save_weights
from sdrl.training.health import Health
from sdrl.training.job import METRICS, STOP
from sdrl.training.metrics import read_metrics, step_row
from sdrl.training.session import Session


@dataclass
class Watcher:
    """Follows one training; `trainer` is set once it exists."""

    session: Session
    eval_every: int
    save_every: int
    trainer: Any = None
    health: Health = field(default_factory=Health)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def begin(self, step: int) -> None:
        """Take the look at the untouched base, unless a resumed training already has it; then take in what it saw."""
        if step:
            self.health.replay(read_metrics(self.session.job.work_dir / METRICS))
        if self.session.validation and not self.session.curve:
            self._look(step)

    def step_end(self, step: int, max_steps: int) -> tuple[bool, bool]:
        """Look if it is time; return whether to stop and whether to save."""
        session, job = self.session, self.session.job
        self.seconds = time.monotonic() - self.began
        is_last = step >= max_steps
        if session.validation and (step % self.eval_every == 0 or is_last):
            self._look(step)
        if not is_last and self._is_stop_asked():
            session.stopped = True
        if not is_last and checkpoints.is_out_of_patience(session.curve, job.patience):
            session.early_stopped = True
        stop = session.stopped or session.early_stopped or session.not_finite
        return stop, step % self.save_every == 0 or is_last or session.stopped

    def log(self, logs: dict[str, Any], step: int, max_steps: int) -> None:
        """Write the step's row and its alarms."""
        if "loss" not in logs:
            return
        row = step_row(logs, step, max_steps, self.seconds)
        if not math.isfinite(float(logs["loss"])):
            self.session.not_finite = True
        if self.session.is_main:
            for one in (row, *self.health.alarms(row)):
                self.session.metrics.write(one)

    def saved(self, step: int) -> None:
        """Mark the checkpoint complete; only now may best weights go that no checkpoint needs."""
        if self.session.job.processes > 1:
            self.trainer.accelerator.wait_for_everyone()  # each process writes its own random state into it
        if not self.session.is_main or self.session.not_finite:
            return
        work, top = self.session.job.work_dir, checkpoints.best(self.session.curve)
        best = validation.best_folder(work, top.step) if top and top.step else None
        checkpoints.mark_complete(self.session.checkpoints / f"checkpoint-{step}", needs=best)
        needed = checkpoints.needed(self.session.checkpoints)
        for folder in work.glob("best-*"):
            if folder.name not in needed:
                shutil.rmtree(folder, ignore_errors=True)

    def _is_stop_asked(self) -> bool:
        """Return whether the stop file is there; the first process decides for all, or some would wait for ever."""
        asked = [(self.session.job.work_dir / STOP).exists()]
        if self.session.job.processes > 1:
            from accelerate.utils import broadcast_object_list

            broadcast_object_list(asked)
        return asked[0]

    def _look(self, step: int) -> None:
        session = self.session
        curve = validation.look(session, self.trainer, step)
        session.curve = [look for look in session.curve if look.step != step] + [curve]
        if session.is_main:
            row = validation.metrics_row(curve)
            for one in (row, *self.health.alarms(row)):
                session.metrics.write(one)
        is_best = step > 0 and checkpoints.best(session.curve) == curve
        if is_best and (session.is_main or session.job.is_sharded):  # shards are gathered by all
            folder = validation.best_folder(session.job.work_dir, step)
            save_weights(session, self.trainer, folder)
            if session.is_main:
                checkpoints.mark_complete(folder)


def as_callback(watcher: Watcher) -> Any:
    """Return a `TrainerCallback` that asks the watcher."""
    from transformers import TrainerCallback

    class Bridge(TrainerCallback):  # type: ignore[misc]
        """Trainer's events, handed on."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watcher.begin(state.global_step)

        def on_epoch_begin(self, args: Any, state: Any, control: Any, train_dataloader: Any = None, **_: Any) -> None:
            # Trainer tells the loader too, but where a resumed one skips batches and several processes share them, the
            # order of the prompts is a layer too deep for it, and would be that of the first epoch
            if hasattr(train_dataloader, "set_epoch"):
                train_dataloader.set_epoch(int(state.epoch or 0))

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watcher.began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            stop, save = watcher.step_end(state.global_step, state.max_steps)
            control.should_training_stop |= stop
            control.should_save |= save
            control.should_log = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            watcher.log(dict(logs or {}), state.global_step, state.max_steps)
            if watcher.session.not_finite:
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            watcher.saved(state.global_step)

    return Bridge()
