"""The trainer's settings: every field that changes numbers is pinned here, `train.trl` may set any other.

Pure: turns a job into keyword arguments for TRL's config of its algorithm. What `train.trl` may set is the table of
`sdrl.spec.trl_fields`; a test holds that table, `HARMLESS` and what is pinned here against the installed TRL, so that a
field which TRL adds fails it until somebody decided. Loads no trl itself.

Source for GRPO: arXiv 2402.03300 eq. 3 and 4; for RLOO: arXiv 2402.14740. Our departures, numbered: (1) the learning
rate is constant, as in the paper's trainer, where TRL's default falls linearly: with early stopping the planned length
must not matter. (2) GRPO's KL term is the k3 estimator of eq. 4 without TRL's importance weight
(`use_bias_correction_kl`). (3) One update a batch, so the clip never acts.
"""

from __future__ import annotations

from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.trl_fields import CONFIGS as CONFIG_NAMES
from sdrl.spec.trl_fields import TRACKING, refusal
from sdrl.training.data import Batch
from sdrl.training.job import TrainingJob
from sdrl.training.rewards import weights

# Fields of train.trl that change no number of a training: what is logged, where servers stand, how data is fetched.
HARMLESS = frozenset(
    (
        "log_level log_level_replica log_on_each_node debug skip_memory_metrics log_multimodal log_unique_prompts "
        "num_completions_to_print include_num_input_tokens_seen length_column_name ddp_timeout torch_empty_cache_steps "
        "dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context "
        "ds3_gather_for_generation vllm_mode vllm_model_impl vllm_server_host vllm_server_port vllm_server_timeout "
        "vllm_server_base_url vllm_group_port vllm_gpu_memory_utilization vllm_max_model_length "
        "vllm_tensor_parallel_size vllm_enable_sleep_mode"
    ).split()
) | frozenset(TRACKING)


def common(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return what all algorithms pin."""
    return {**_optimizer(job, batch), **_machine(job, device), **_records(job)}


def _optimizer(job: TrainingJob, batch: Batch) -> dict[str, Any]:
    return {
        "per_device_train_batch_size": batch.per_device,
        "gradient_accumulation_steps": batch.accumulation,
        "learning_rate": job.learning_rate,
        "num_train_epochs": job.epochs,
        "max_steps": job.max_steps or -1,
        "lr_scheduler_type": "constant",
        "lr_scheduler_kwargs": None,
        "warmup_steps": 0,
        "optim": "adamw_torch_fused",
        "optim_args": None,
        "optim_target_modules": None,
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "max_grad_norm": 1.0,
        "label_smoothing_factor": 0.0,
        "neftune_noise_alpha": None,
        "router_aux_loss_coef": None,
        "average_tokens_across_devices": True,
        "train_sampling_strategy": "random",
        "pad_to_multiple_of": None,
        "seed": job.seed,
        "data_seed": job.seed,
    }


def _machine(job: TrainingJob, device: str) -> dict[str, Any]:
    on_cpu = device == "cpu"
    return {
        "use_cpu": on_cpu,
        # bf16 is the default on a GPU and a choice on a CPU that has instructions for it; the weights stay fp32.
        "bf16": job.precision == "bf16" or (job.precision == "auto" and not on_cpu),
        "fp16": False,
        "tf32": None,
        "full_determinism": False,
        "gradient_checkpointing": not on_cpu if job.checkpointing is None else job.checkpointing,
        "gradient_checkpointing_kwargs": None,
        "activation_checkpointing": None,
        "activation_checkpointing_kwargs": None,
        "torch_compile": False,
        "torch_compile_backend": None,
        "torch_compile_mode": None,
        "use_liger_kernel": False,
        "liger_kernel_config": None,
        "use_cache": False,
        "ddp_find_unused_parameters": False,
        "ddp_bucket_cap_mb": None,
        "ddp_broadcast_buffers": None,
        "ddp_static_graph": None,
        "ddp_backend": None,
        "dataloader_num_workers": 0,
        "dataloader_in_order": True,
        "dataloader_pin_memory": not on_cpu,
        "dataloader_drop_last": job.is_online,
    }


def _records(job: TrainingJob) -> dict[str, Any]:
    return {
        "output_dir": str(job.work_dir / "checkpoints"),
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


def _online(job: TrainingJob) -> dict[str, Any]:
    """Return what GRPO and RLOO pin: the rollouts, the rewards, the KL."""
    return {
        "num_generations": job.rollouts,
        "max_completion_length": job.max_completion_tokens,
        "beta": job.kl,
        "num_iterations": 1,
        "epsilon": 0.2,
        "epsilon_high": None,
        "mask_truncated_completions": False,
        "sync_ref_model": False,
        "ref_model_mixup_alpha": 0.6,
        "ref_model_sync_steps": 512,
        "disable_dropout": True,
        "shuffle_dataset": True,
        "temperature": job.sampling.temperature,
        "top_p": job.sampling.top_p,
        "top_k": job.sampling.top_k or 0,
        "min_p": None,
        "repetition_penalty": 1.0,
        "cache_implementation": None,
        # stop strings are bound to the model (see `generation`), which vLLM does not ask
        "generation_kwargs": {"stop": list(job.stop)} if job.stop and job.trl.get("use_vllm") else None,
        "reward_weights": weights(job.reward),
        "log_completions": False,
        "use_vllm": False,
        "vllm_structured_outputs_regex": None,
        "use_transformers_continuous_batching": False,
        "transformers_continuous_batching_config": None,
        "use_transformers_paged": False,
    }


def grpo(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return GRPOConfig's arguments, the user's own fields last."""
    pinned = {
        **common(job, batch, device),
        **_online(job),
        "weight_decay": 0.0,
        "loss_type": job.loss,
        "scale_rewards": "group",
        "multi_objective_aggregation": "sum_then_normalize",
        "importance_sampling_level": "token",
        "delta": None,
        "off_policy_mask_threshold": None,
        "use_bias_correction_kl": False,
        "top_entropy_quantile": 1.0,
        "entropy_coef": 0.0,
        "use_adaptive_entropy": False,
        "entropy_coef_min": 0.0,
        "entropy_coef_max": 1.0,
        "entropy_coef_delta": 0.005,
        "entropy_target": 0.2,
        "sapo_temperature_neg": 1.05,
        "sapo_temperature_pos": 1.0,
        "vespo_k_pos": 2.0,
        "vespo_lambda_pos": 3.0,
        "vespo_k_neg": 3.0,
        "vespo_lambda_neg": 2.0,
        "cast_lm_head_to_fp32": False,
        "max_tool_calling_iterations": None,
        "vllm_importance_sampling_correction": True,
        "vllm_importance_sampling_mode": "sequence_mask",
        "vllm_importance_sampling_clip_max": 3.0,
        "vllm_importance_sampling_clip_min": None,
        "vllm_importance_sampling_cap": None,
    }
    return _with_own(pinned, job)


def rloo(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return RLOOConfig's arguments, the user's own fields last."""
    pinned = {
        **common(job, batch, device),
        **_online(job),
        "weight_decay": 0.0,
        "normalize_advantages": False,
        "reward_clip_range": None,
    }
    return _with_own(pinned, job)


def sft(job: TrainingJob, batch: Batch, device: str) -> dict[str, Any]:
    """Return SFTConfig's arguments, for SFT and RFT alike, the user's own fields last."""
    pinned = {
        **common(job, batch, device),
        "weight_decay": 0.01,
        "max_length": None,
        "packing": False,
        "packing_strategy": "bfd",
        "padding_free": False,
        "shuffle_dataset": False,
        "completion_only_loss": True,
        "assistant_only_loss": False,
        "activation_offloading": False,
        "loss_type": "nll",
    }
    return _with_own(pinned, job)


def _with_own(pinned: dict[str, Any], job: TrainingJob) -> dict[str, Any]:
    """Add the user's fields; truncated completions are masked by us, who know what a stop string ended (`online`)."""
    own = {name: value for name, value in job.trl.items() if name != "mask_truncated_completions"}
    return {**pinned, **own}


__all__ = ["CONFIGS", "CONFIG_NAMES", "HARMLESS", "cadence", "check_trl", "common", "planned_steps"]
CONFIGS = {"grpo": grpo, "rloo": rloo, "sft": sft, "rft": sft}


def check_trl(job: TrainingJob) -> None:
    """Refuse fields that TRL's config does not have, of another type, or set by a key. Raises: `SdrlError` E804."""
    for name, value in job.trl.items():
        wrong = refusal(job.algorithm, name, value)
        if wrong is not None:
            raise SdrlError("E804", wrong[0], help=wrong[1])


def planned_steps(job: TrainingJob, rows: int, prompts: int) -> int:
    """Return the number of updates: whole batches an epoch with rollouts, the last one short without; a cap wins."""
    per_epoch = rows // prompts if job.is_online else -(-rows // prompts)
    whole = max(1, int(-(-per_epoch * job.epochs // 1)))
    return min(whole, job.max_steps) if job.max_steps else whole


def cadence(job: TrainingJob, steps: int) -> tuple[int, int]:
    """Return the steps between two looks and between two checkpoints."""
    eval_every = job.eval_every or max(1, -(-steps // 10))
    return eval_every, job.save_every or eval_every
