"""What a training process is asked to do, and what it says afterwards.

`TrainingJob` is written by the parent as JSON and read by the child; `Outcome` goes the other way, by an atomically
written file, because an exit status does not survive `accelerate launch`. Light: no torch, no trl. Does not check the
`trl` fields (the child does, where the dataclass is at hand) and does not read the rows.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.trl_fields import TRACKING

OUTCOME = "outcome.json"
STOP = "STOP"
LOG = "train.log"
METRICS = "metrics.jsonl"

# What a job may differ in and still be the same training: where it lies and how fast it goes.
_OUTSIDE_IDENTITY = {
    "out_dir",
    "work_dir",
    "train_rows",
    "validation_rows",
    "model",
    "threads",
    "keep_checkpoints",
    "plan_hash",
    "micro_batch",
    "checkpointing",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class RewardWeights(_Frozen):
    """The weight of each reward function; a completion's reward is their weighted sum."""

    correct: float = 1.0
    wrong: float = 0.0
    parsable: float = 0.0
    truncated: float = 0.0


class RolloutSampling(_Frozen):
    """How rollouts are drawn; `top_k` None means off."""

    temperature: float = Field(default=1.2, gt=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=0)


class LoraSettings(_Frozen):
    """Low-rank adapters in place of all weights; they are merged into the model that comes out."""

    rank: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"


class TrainingJob(_Frozen):
    """One training, in full: the child reads nothing but this file and what it names."""

    schema_version: Literal[1] = 1
    plan_hash: str
    stage_hash: str
    algorithm: Literal["grpo", "rloo", "sft", "rft"] = "grpo"

    model: str
    """A model folder, or a hub id."""
    revision: str | None = None
    out_dir: Path
    """Where the final model is put, whole or not at all."""
    work_dir: Path
    """Checkpoints, metrics, log, outcome; kept between attempts so that a killed training goes on."""
    train_rows: Path
    """JSONL of {id, prompt, gold, options?, completion?}; `prompt` is the exact text the model gets."""
    validation_rows: Path | None = None

    verifier: dict[str, Any]
    reward: RewardWeights = RewardWeights()
    reward_mode: Literal["correct", "random", "format", "shuffled"] = "correct"
    """Anything but `correct` is a control for an experiment and has no spec key: a coin for a verdict, any parsable
    answer counts as correct, or the golds of the training rows permuted."""

    learning_rate: float = Field(gt=0)
    epochs: float = Field(default=1, gt=0)
    max_steps: int | None = Field(default=None, ge=1)
    prompts_per_step: int = Field(ge=1)
    """Prompts in one update (GRPO, RLOO: each with `rollouts` completions; SFT, RFT: rows)."""
    rollouts: int = Field(default=16, ge=2)
    max_completion_tokens: int = Field(ge=1)
    kl: float = Field(default=0.0, ge=0)
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "grpo"
    zero_variance: Literal["keep", "drop", "replace"] = "keep"
    """What becomes of groups whose rewards are all equal: see `groups`."""
    lora: LoraSettings | None = None
    sampling: RolloutSampling = RolloutSampling()
    stop: tuple[str, ...] = ()
    """Texts that end a completion and are no part of it."""
    end_ids: tuple[int, ...] = ()
    """Tokens that end a completion besides those that the model folder names."""
    seed: int = Field(default=0, ge=0)
    add_special_tokens: bool = True
    """Whether the tokenizer puts its own tokens around a prompt, as completion endpoints do unless told otherwise."""

    patience: int | None = Field(default=None, ge=1)
    """Evaluations without a new best before training ends; None: never early."""
    eval_every: int | None = Field(default=None, ge=1)
    """Steps between two looks at the validation split; None: ten looks a training."""
    save_every: int | None = Field(default=None, ge=1)
    """Steps between two checkpoints; None: as `eval_every`."""
    keep_checkpoints: int = Field(default=2, ge=2)
    """At least two, so that one damaged while it was written leaves one to go on from."""

    trl: dict[str, Any] = Field(default_factory=dict)
    """Any other field of TRL's config, checked by the child before it loads a model."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    processes: int = Field(default=1, ge=1)
    """Of all machines together; each gets an equal part of every update."""
    nodes: int = Field(default=1, ge=1)
    """Machines; a work folder on a disk that all of them see."""
    layout: Literal["ddp", "fsdp2", "zero3"] = "ddp"
    """A whole copy a process, or weights, gradients and optimizer sharded over all of them."""
    checkpointing: bool | None = None
    """Recompute activations in the backward pass; None: on a GPU."""
    threads: int = Field(default=2, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    """Completions (SFT, RFT: rows) in one forward pass; None: as many as fit a bound on the logits' memory."""

    @property
    def is_online(self) -> bool:
        """Whether the model learns from its own rollouts."""
        return self.algorithm in ("grpo", "rloo")

    @property
    def is_sharded(self) -> bool:
        """Whether no process holds the whole model."""
        return self.layout != "ddp" and self.processes > 1

    def identity(self) -> str:
        """Return the hash of everything that decides the weights, rows included; 64 hex digits.

        A work folder belongs to one identity: checkpoints of another are never resumed from.
        """
        fields = self.model_dump(mode="json", exclude=_OUTSIDE_IDENTITY)
        fields["trl"] = {name: value for name, value in fields["trl"].items() if name not in TRACKING}
        fields["train_rows"] = _file_sha256(self.train_rows)
        fields["validation_rows"] = _file_sha256(self.validation_rows) if self.validation_rows else None
        fields["model"] = Path(self.model).name if Path(self.model).exists() else self.model
        return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Curve(_Frozen):
    """One look at the validation split: shares in [0, 1] over `rows` problems, greedy decoding."""

    step: int
    accuracy: float
    parsable: float
    truncated: float = 0.0
    errors: int = 0
    rows: int
    mean_tokens: float = 0.0


class Outcome(_Frozen):
    """How a training ended; `failed` carries a code and a message for the user."""

    schema_version: Literal[1] = 1
    status: Literal["ok", "stopped", "failed"]
    message: str = ""
    code: str | None = None
    help: str | None = None
    best_step: int | None = None
    final_step: int = 0
    max_steps: int = 0
    early_stopped: bool = False
    resumed_from: int | None = None
    validation: tuple[Curve, ...] = ()
    model_dir: str | None = None
    log: str | None = None
    seconds: float = 0.0
    versions: dict[str, str] = Field(default_factory=dict)

    def raise_if_failed(self) -> None:
        """Raise the `SdrlError` of a failed training; `ok` and `stopped` pass."""
        if self.status == "failed":
            raise SdrlError(self.code or "E809", self.message, help=self.help or (self.log and f"see {self.log}"))


def write_job(job: TrainingJob, path: Path) -> Path:
    """Write a job as JSON; returns the path."""
    write_atomically(path, job.model_dump_json(indent=2) + "\n")
    return path


def read_job(path: Path) -> TrainingJob:
    """Read a job file. Raises: `SdrlError` E801 when it is missing or not a job."""
    try:
        return TrainingJob.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SdrlError("E801", f"cannot read the training job {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SdrlError("E801", f"{path} is not a training job: {where}: {first['msg']}") from error


def write_outcome(outcome: Outcome, work_dir: Path) -> None:
    """Write the outcome so that a reader sees all of it or none."""
    write_atomically(work_dir / OUTCOME, outcome.model_dump_json(indent=2) + "\n")


def read_outcome(work_dir: Path) -> Outcome | None:
    """Return the outcome in a work folder, or None when the child left none."""
    try:
        return Outcome.model_validate_json((work_dir / OUTCOME).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def write_atomically(path: Path, text: str) -> None:
    """Write a small text file beside its place, sync it, then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(partial, path)


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise SdrlError("E801", f"cannot read the rows {path}: {error.strerror}") from error
    return digest.hexdigest()
