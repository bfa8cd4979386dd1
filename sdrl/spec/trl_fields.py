"""The fields of TRL's configs: which ``train.trl`` may set and of what type, and which a key of the spec sets.

Written down here, so that a spec is checked before anything is paid for and without loading TRL. A test holds the
tables and the installed TRL together: a field that TRL adds or changes fails it. Source: TRL 1.16's ``GRPOConfig``,
``RLOOConfig`` and ``SFTConfig``, with transformers' ``TrainingArguments``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.spec.nearest import closest

# Where TRL sends its curves besides: changes no number, and so is in no hash.
TRACKING: Mapping[str, str] = {
    "report_to": "list|str|null",
    "run_name": "str|null",
    "project": "str",
    "trackio_space_id": "str|null",
    "trackio_bucket_id": "str|null",
}
# what report_to may name -> the packages of which one must be installed
TRACKERS: Mapping[str, tuple[str, ...]] = {
    "azure_ml": ("azureml",),
    "clearml": ("clearml",),
    "codecarbon": ("codecarbon",),
    "comet_ml": ("comet_ml",),
    "dagshub": ("dagshub",),
    "dvclive": ("dvclive",),
    "flyte": ("flytekit",),
    "kubeflow": ("kubeflow",),
    "mlflow": ("mlflow",),
    "neptune": ("neptune",),
    "swanlab": ("swanlab",),
    "tensorboard": ("tensorboard", "tensorboardX"),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
}
CONFIGS = {"grpo": "GRPOConfig", "rloo": "RLOOConfig", "sft": "SFTConfig", "rft": "SFTConfig"}


def _typed(table: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for kind, names in table.items() for name in names.split()}


_COMMON = _typed(
    {
        "bool": (
            "average_tokens_across_devices dataloader_in_order dataloader_persistent_workers "
            "dataloader_pin_memory fp16 full_determinism gradient_checkpointing log_on_each_node "
            "shuffle_dataset skip_memory_metrics torch_compile use_cache use_liger_kernel"
        ),
        "bool|null": (
            "activation_checkpointing bf16 ddp_broadcast_buffers ddp_find_unused_parameters ddp_static_graph tf32"
        ),
        "bool|str": "include_num_input_tokens_seen",
        "dict|null": "liger_kernel_config",
        "dict|str|null": "activation_checkpointing_kwargs gradient_checkpointing_kwargs lr_scheduler_kwargs",
        "float": ("adam_beta1 adam_beta2 adam_epsilon label_smoothing_factor max_grad_norm warmup_steps weight_decay"),
        "float|null": "neftune_noise_alpha router_aux_loss_coef",
        "int": "dataloader_num_workers ddp_timeout",
        "int|null": "dataloader_prefetch_factor ddp_bucket_cap_mb torch_empty_cache_steps",
        "int|str|null": "pad_to_multiple_of",
        "list|str": "debug",
        "list|str|null": "optim_target_modules",
        "str": "length_column_name log_level log_level_replica lr_scheduler_type optim train_sampling_strategy",
        "str|null": (
            "dataloader_multiprocessing_context ddp_backend optim_args torch_compile_backend torch_compile_mode"
        ),
    }
)
_COMMON |= TRACKING
_ONLINE = _typed(
    {
        "bool": (
            "disable_dropout ds3_gather_for_generation log_multimodal log_unique_prompts "
            "mask_truncated_completions sync_ref_model use_transformers_continuous_batching "
            "use_transformers_paged use_vllm vllm_enable_sleep_mode"
        ),
        "dict|str|null": "transformers_continuous_batching_config",
        "float": "epsilon ref_model_mixup_alpha repetition_penalty vllm_gpu_memory_utilization vllm_server_timeout",
        "float|null": "epsilon_high min_p",
        "int": "num_iterations ref_model_sync_steps vllm_group_port vllm_server_port vllm_tensor_parallel_size",
        "int|null": "num_completions_to_print vllm_max_model_length",
        "str": "vllm_mode vllm_model_impl vllm_server_host",
        "str|null": "cache_implementation vllm_server_base_url vllm_structured_outputs_regex",
    }
)
_GRPO = _typed(
    {
        "bool": (
            "cast_lm_head_to_fp32 use_adaptive_entropy use_bias_correction_kl vllm_importance_sampling_correction"
        ),
        "float": (
            "entropy_coef entropy_coef_delta entropy_coef_max entropy_coef_min entropy_target "
            "sapo_temperature_neg sapo_temperature_pos top_entropy_quantile vespo_k_neg vespo_k_pos "
            "vespo_lambda_neg vespo_lambda_pos"
        ),
        "float|null": (
            "delta off_policy_mask_threshold vllm_importance_sampling_cap vllm_importance_sampling_clip_max "
            "vllm_importance_sampling_clip_min"
        ),
        "int|null": "max_tool_calling_iterations",
        "str": (
            "importance_sampling_level loss_type multi_objective_aggregation scale_rewards "
            "vllm_importance_sampling_mode"
        ),
    }
)
_RLOO = _typed(
    {
        "bool": "normalize_advantages",
        "list|null": "reward_clip_range",
    }
)
_SFT = _typed(
    {
        "bool": "activation_offloading assistant_only_loss packing padding_free",
        "bool|null": "completion_only_loss",
        "str": "loss_type packing_strategy",
    }
)
# algorithm -> field that train.trl may set: its types, joined by '|'
FIELDS: Mapping[str, Mapping[str, str]] = {
    "grpo": _COMMON | _ONLINE | _GRPO,
    "rloo": _COMMON | _ONLINE | _RLOO,
    "sft": _COMMON | _SFT,
    "rft": _COMMON | _SFT,
}

_FOLDER, _ITSELF, _HUB = "the run folder", "the training process", "sdrl export"
_OWNERS = {
    "train.learning_rate": "learning_rate",
    "train.epochs": "num_train_epochs max_steps",
    "train.rollouts": "num_generations",
    "train.prompts_per_step": (
        "per_device_train_batch_size gradient_accumulation_steps generation_batch_size steps_per_generation "
        "auto_find_batch_size dataloader_drop_last"
    ),
    "train.max_completion_tokens": "max_completion_length max_length truncation_mode",
    "train.kl": "beta",
    "train.sampling": "temperature top_p top_k generation_kwargs",
    "train.reward": "reward_weights",
    "seed": "seed data_seed",
    "models.base": "model_init_kwargs trust_remote_code chat_template_kwargs chat_template_path eos_token pad_token",
    "hardware": "deepspeed fsdp fsdp_config parallelism_config accelerator_config use_cpu local_rank",
    # The checkpoint is chosen on the sealed validation split by the training process itself: with any of these a spec
    # could hand the choice to something else.
    "validate": (
        "eval_strategy eval_steps eval_delay eval_on_start eval_accumulation_steps eval_do_concat_batches "
        "eval_use_gather_object eval_packing per_device_eval_batch_size batch_eval_metrics include_for_metrics "
        "prediction_loss_only bf16_full_eval fp16_full_eval load_best_model_at_end metric_for_best_model "
        "greater_is_better num_generations_eval"
    ),
    _FOLDER: (
        "output_dir logging_steps logging_strategy logging_first_step logging_nan_inf_filter disable_tqdm "
        "trackio_static_space_id "
        "save_strategy save_steps save_total_limit save_only_model save_on_each_node enable_jit_checkpoint "
        "resume_from_checkpoint ignore_data_skip restore_callback_states_from_checkpoint log_completions"
    ),
    _ITSELF: (
        "remove_unused_columns do_train do_eval do_predict label_names dataset_text_field dataset_kwargs "
        "dataset_num_proc"
    ),
    _HUB: (
        "push_to_hub hub_token hub_private_repo hub_model_id hub_strategy hub_always_push hub_revision "
        "log_completions_hub_repo"
    ),
}
# field that train.trl may not set -> what sets it
OWNED: Mapping[str, str] = {name: owner for owner, names in _OWNERS.items() for name in names.split()}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "null": (type(None),),
}
_WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "a text", "dict": "a table"}


def trackers(trl: Mapping[str, Any]) -> list[str]:
    """What ``train.trl.report_to`` names, one by one; none without it."""
    value = trl.get("report_to")
    names = [value] if isinstance(value, str) else value or []
    return [str(name) for name in names if name not in ("none", "all")]


def _no_tracker(value: Any) -> tuple[str, str] | None:
    for name in trackers({"report_to": value}):
        if name not in TRACKERS:
            near = closest(name, list(TRACKERS))
            return (
                f"train.trl.report_to cannot be '{name}'",
                f"did you mean {near}?" if near else f"TRL reports to {', '.join(TRACKERS)}",
            )
    return None


def refusal(algorithm: str, name: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with one entry of ``train.trl``, and how to mend it; None when nothing is."""
    known, config = FIELDS[algorithm], CONFIGS[algorithm]
    if name in OWNED:
        return f"train.trl.{name} is set by {OWNED[name]}", f"remove {name} from train.trl"
    if name not in known:
        near = closest(name, [*known, *OWNED])
        return (
            f"train.trl.{name} is no field of TRL's {config}",
            f"did you mean {near}?" if near else f"see the fields of TRL's {config}",
        )
    kinds = known[name].split("|")
    if any(_is_a(value, kind) for kind in kinds):
        return _no_tracker(value) if name == "report_to" else None
    expected = " or ".join(_WORDS.get(kind, f"a {kind}" if kind == "list" else kind) for kind in kinds)
    return f"train.trl.{name} must be {expected}, not {_shown(value)}", f"write {expected}"


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "bool" or not isinstance(value, bool))


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"'{str(value)[:40]}'"
