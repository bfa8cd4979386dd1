"""The trainer's settings: every field that changes numbers is pinned here, `train.trl` may set any other.

Pure: turns a job into keyword arguments for `GRPOConfig` or `SFTConfig` and checks the user's fields against the
dataclass. Loads no trl itself.

Source for GRPO: arXiv 2402.03300 eq. 3 and 4. Our departures, numbered: (1) the learning rate is constant, as in the
paper's trainer, where TRL's default falls linearly: with early stopping the planned length must not matter. (2) The
KL term is the k3 estimator of eq. 4 without TRL's importance weight (`use_bias_correction_kl`). (3) One update a
batch, so the clip never acts.
"""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.data import Batch
from sdrl.training.job import TrainingJob
from sdrl.training.rewards import weights

# Fields of TRL's config that a key of the spec sets; the message names the key.
OWNED = {
    "learning_rate": "train.learning_rate",
    "num_train_epochs": "train.epochs",
    "max_steps": "train.epochs",
    "num_generations": "train.rollouts",
    "per_device_train_batch_size": "train.prompts_per_step",
    "gradient_accumulation_steps": "train.prompts_per_step",
    "generation_batch_size": "train.prompts_per_step",
    "steps_per_generation": "train.prompts_per_step",
    "max_completion_length": "train.max_completion_tokens",
    "beta": "train.kl",
    "temperature": "train.sampling.temperature",
    "top_p": "train.sampling.top_p",
    "top_k": "train.sampling.top_k",
    "reward_weights": "train.reward",
    "seed": "seed",
    "data_seed": "seed",
    "output_dir": "the run folder",
    "report_to": "the run folder",
    "logging_steps": "the run folder",
    "logging_strategy": "the run folder",
    "save_strategy": "the run folder",
    "save_steps": "the run folder",
    "save_total_limit": "the run folder",
    "eval_strategy": "validate",
    "eval_steps": "validate",
    "load_best_model_at_end": "validate",
    "resume_from_checkpoint": "the run folder",
    "remove_unused_columns": "the training process",
    "num_generations_eval": "validate",
    "push_to_hub": "sdrl export",
}


def common(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return what both algorithms pin."""
    on_cpu = device == "cpu"
    return {
        "output_dir": str(job.work_dir / "checkpoints"),
        "per_device_train_batch_size": batch.per_device,
        "gradient_accumulation_steps": batch.accumulation,
        "learning_rate": job.learning_rate,
        "num_train_epochs": job.epochs,
        "max_steps": job.max_steps or -1,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "optim": "adamw_torch_fused",
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "max_grad_norm": 1.0,
        "seed": job.seed,
        "data_seed": job.seed,
        "use_cpu": on_cpu,
        # bf16 is the default on a GPU and a choice on a CPU that has instructions for it; the weights stay fp32.
        "bf16": job.precision == "bf16" or (job.precision == "auto" and not on_cpu),
        "fp16": False,
        "gradient_checkpointing": not on_cpu if job.checkpointing is None else job.checkpointing,
        "ddp_find_unused_parameters": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": not on_cpu,
        "dataloader_drop_last": job.algorithm == "grpo",
        "save_strategy": "no",
        # one more than asked for: the trainer removes the oldest before the newest is marked whole
        "save_total_limit": job.keep_checkpoints + 1,
        "eval_strategy": "no",
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "log_level": "warning",
    }


def grpo(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return GRPOConfig's arguments, the user's own fields last."""
    pinned = {
        **common(job, batch, device),
        "weight_decay": 0.0,
        "num_generations": job.rollouts,
        "max_completion_length": job.max_completion_tokens,
        "beta": job.kl,
        "loss_type": job.loss,
        "scale_rewards": "group",
        "multi_objective_aggregation": "sum_then_normalize",
        "importance_sampling_level": "token",
        "num_iterations": 1,
        "epsilon": 0.2,
        "epsilon_high": None,
        "delta": None,
        "use_bias_correction_kl": False,
        "mask_truncated_completions": False,
        "top_entropy_quantile": 1.0,
        "entropy_coef": 0.0,
        "sync_ref_model": False,
        "disable_dropout": True,
        "shuffle_dataset": True,
        "pad_to_multiple_of": None,
        "temperature": job.sampling.temperature,
        "top_p": job.sampling.top_p,
        "top_k": job.sampling.top_k or 0,
        "min_p": None,
        "repetition_penalty": 1.0,
        "generation_kwargs": None,  # stop strings are bound to the model: see `generation`
        "reward_weights": weights(job.reward),
        "log_completions": False,
        "use_vllm": False,
    }
    return {**pinned, **job.trl}


def sft(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return SFTConfig's arguments, the user's own fields last."""
    pinned = {
        **common(job, batch, device),
        "weight_decay": 0.01,
        "max_length": None,
        "packing": False,
        "completion_only_loss": True,
        "loss_type": "nll",
    }
    return {**pinned, **job.trl}


def check_trl(fields: dict[str, Any], config: Any) -> None:
    """Refuse fields that TRL's config does not have or that a key of the spec sets. Raises: `SdrlError` E804."""
    known = {field.name for field in dataclasses.fields(config) if field.init}
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"see the fields of TRL's {config.__name__}"
            raise SdrlError("E804", f"train.trl.{name} is no field of TRL's {config.__name__}", help=hint)
        if name in OWNED:
            raise SdrlError("E804", f"train.trl.{name} is set by {OWNED[name]}", help=f"remove {name} from train.trl")


def planned_steps(job: TrainingJob, rows: int, prompts: int) -> int:
    """Return the number of updates: whole batches an epoch for GRPO, the last one short for SFT; a cap wins."""
    per_epoch = rows // prompts if job.algorithm == "grpo" else -(-rows // prompts)
    whole = max(1, int(-(-per_epoch * job.epochs // 1)))
    return min(whole, job.max_steps) if job.max_steps else whole


def cadence(job: TrainingJob, steps: int) -> tuple[int, int]:
    """Return the steps between two looks and between two checkpoints."""
    eval_every = job.eval_every or max(1, -(-steps // 10))
    return eval_every, job.save_every or eval_every
