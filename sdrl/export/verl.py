"""The export to verl: its parquet rows, its reward function, launch scripts for GRPO and PPO.

PPO is here because TRL no longer has it and the paper's Figure 2 needs it. The keys of the scripts are those of verl's
published configuration (v0.8 development, commit b178a3cd5); verl itself needs GPUs and was not run.
"""

from __future__ import annotations

import io
import json
import math
import shlex
from typing import Any

from sdrl.export.parts import Files, shipped
from sdrl.export.plain import shared_files
from sdrl.export.samples import Sample
from sdrl.export.source import Source
from sdrl.export.trl import base_on_hub, training_job
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.training.job import TrainingJob
from sdrl.training.settings import planned_steps

LOSSES = {
    "grpo": "seq-mean-token-mean",
    "dapo": "token-mean",
    "bnpo": "token-mean",
    "dr_grpo": "seq-mean-token-sum-norm",
}
_ABOUT = """\
`grpo.sh` and `ppo.sh` launch verl on `*.parquet` with `reward.py`; any key can be appended, as in verl's examples:

    MODEL=Qwen/Qwen2.5-0.5B GPUS=8 bash grpo.sh trainer.logger='["console"]'

Rows are one user message that holds the exact text of the training; `raw_template.py` prints the chat template that
leaves it so. Where verl differs from the run: it knows no stop strings (the verifier cuts at them, the tokens behind
are trained on), no reward for truncation, and no way to leave out a completion that the verifier failed on.
"""


def verl_files(source: Source, split: dict[str, list[Sample]]) -> Files:
    """The shared files, the parquet files, ``reward.py``, ``grpo.sh``, ``ppo.sh``."""
    if source.plan.settings.train.algorithm not in ("grpo", "rloo"):
        raise SdrlError(
            "",
            f"the plan trains with {source.plan.settings.train.algorithm}, which has no rollouts to export to verl",
            help="use --to hf: its rows carry the completions to learn from",
            exit=Exit.USAGE,
        )
    job = training_job(source)
    rows = {name: found for name, found in split.items() if found}
    model, _ = base_on_hub(source.plan)
    has_test = "validation" in rows or "test" in rows
    check = "validation" if "validation" in rows else ("test" if has_test else "train")
    return {
        **shared_files(source, split, about=_ABOUT),
        **{f"{name}.parquet": _parquet(source.plan.name, name, found) for name, found in rows.items()},
        "reward.py": shipped("reward.py"),
        "raw_template.py": shipped("raw_template.py"),
        "grpo.sh": _script(model, job, split, check, grpo_keys(job)),
        "ppo.sh": _script(model, job, split, check, ppo_keys(job)),
    }


def _parquet(name: str, split: str, rows: list[Sample]) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise SdrlError("E825", "parquet files need the library pyarrow", help="pip install 'sdrl[run]'") from None
    table = pa.Table.from_pylist(
        [
            {
                "data_source": f"sdrl/{name}",
                "prompt": [{"role": "user", "content": row["prompt"]}],
                "ability": row["part"],
                "reward_model": {"style": "rule", "ground_truth": row["gold"]},
                # options as JSON text: Arrow would give every row the union of all rows' letters
                "extra_info": {
                    "split": split,
                    "index": index,
                    "id": row["id"],
                    "options": json.dumps(row["options"], ensure_ascii=False),
                },
            }
            for index, row in enumerate(rows)
        ]
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def shared_keys(job: TrainingJob, split: dict[str, list[Sample]]) -> dict[str, Any]:
    """Keys of both algorithms that follow from the plan; one update a batch, as in the run."""
    rows = len(split["train"])
    prompts = max(1, min(job.prompts_per_step, rows))
    sampling = job.sampling
    return {
        "data.train_batch_size": prompts,
        "data.max_prompt_length": _longest(split),
        "data.max_response_length": job.max_completion_tokens,
        "data.truncation": "error",
        "data.seed": job.seed % 2**31,
        "custom_reward_function.name": "compute_score",
        "actor_rollout_ref.actor.optim.lr": job.learning_rate,
        "actor_rollout_ref.actor.optim.weight_decay": 0.0,
        "actor_rollout_ref.actor.ppo_mini_batch_size": prompts,
        "actor_rollout_ref.actor.ppo_epochs": 1,
        "actor_rollout_ref.actor.clip_ratio": 0.2,
        "actor_rollout_ref.actor.entropy_coeff": 0,
        "actor_rollout_ref.actor.use_dynamic_bsz": True,
        "actor_rollout_ref.rollout.name": "vllm",
        "actor_rollout_ref.rollout.temperature": sampling.temperature,
        "actor_rollout_ref.rollout.top_p": sampling.top_p,
        "actor_rollout_ref.rollout.top_k": sampling.top_k or -1,
        "trainer.total_epochs": math.ceil(job.epochs),
        "trainer.total_training_steps": planned_steps(job, rows, prompts),
        "trainer.project_name": "sdrl",
        "trainer.logger": ["console"],
        "trainer.nnodes": 1,
    }


def grpo_keys(job: TrainingJob) -> dict[str, Any]:
    """GRPO (or RLOO): the KL term is k3 in the loss, weighted as in the plan."""
    return {
        "algorithm.adv_estimator": job.algorithm,
        "algorithm.norm_adv_by_std_in_grpo": job.loss != "dr_grpo",
        "algorithm.use_kl_in_reward": False,
        "actor_rollout_ref.actor.loss_agg_mode": LOSSES[job.loss],
        "actor_rollout_ref.actor.use_kl_loss": job.kl > 0,
        "actor_rollout_ref.actor.kl_loss_coef": job.kl,
        "actor_rollout_ref.actor.kl_loss_type": "low_var_kl",
        "actor_rollout_ref.rollout.n": job.rollouts,
        "trainer.experiment_name": job.algorithm,
    }


def ppo_keys(job: TrainingJob) -> dict[str, Any]:
    """PPO: a critic of the base model's size, generalized advantages, the plan's KL weight on the reward.

    As many completions an update as the plan has, so that both algorithms see the same rollouts.
    """
    return {
        "algorithm.adv_estimator": "gae",
        "algorithm.gamma": 1.0,
        "algorithm.lam": 1.0,
        "algorithm.use_kl_in_reward": job.kl > 0,
        "algorithm.kl_ctrl.kl_coef": job.kl,
        "actor_rollout_ref.actor.use_kl_loss": False,
        "actor_rollout_ref.rollout.n": job.rollouts,
        "critic.optim.lr": 1e-5,
        "critic.use_dynamic_bsz": True,
        "trainer.critic_warmup": 0,
        "trainer.experiment_name": "ppo",
    }


def _longest(split: dict[str, list[Sample]]) -> int:
    """A bound in tokens that holds for every tokenizer: no token is less than a byte."""
    longest = max((len(row["prompt"].encode()) for rows in split.values() for row in rows), default=1)
    return 64 * math.ceil((longest + 1) / 64)


def _script(
    model: str | None, job: TrainingJob, split: dict[str, list[Sample]], check: str, keys: dict[str, Any]
) -> bytes:
    default = f"${{MODEL:-{shlex.quote(model)}}}" if model else "${MODEL:?name the base model, a folder or a hub id}"
    fixed = {**shared_keys(job, split), **keys}
    where = {
        "data.train_files": '"$HERE/train.parquet"',
        "data.val_files": f'"$HERE/{check}.parquet"',
        "custom_reward_function.path": '"$HERE/reward.py"',
        "actor_rollout_ref.model.path": '"$MODEL"',
        "actor_rollout_ref.model.custom_chat_template": "\"'$TEMPLATE'\"",
        "actor_rollout_ref.rollout.tensor_model_parallel_size": '"${TENSOR_PARALLEL:-1}"',
        "trainer.n_gpus_per_node": '"${GPUS:-1}"',
    }
    if "critic.optim.lr" in fixed:
        where["critic.model.path"] = '"$MODEL"'
    lines = [f"{key}={value}" for key, value in where.items()]
    lines += [f"{key}={shlex.quote(_value(value))}" for key, value in fixed.items()]
    head = (
        "#!/usr/bin/env bash\n# Launches verl. Variables: MODEL, GPUS, TENSOR_PARALLEL; any key can be appended.\n"
        "# data.max_prompt_length is a bound in bytes, which no tokenizer exceeds: lower it to save memory.\n"
        'set -euo pipefail\nHERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)\n'
        f'MODEL={default}\nTEMPLATE=$(python3 "$HERE/raw_template.py" "$MODEL")\n\n'
    )
    body = " \\\n    ".join(["exec python3 -m verl.trainer.main_ppo", *lines, '"$@"'])
    return (head + body + "\n").encode()


def _value(value: Any) -> str:
    if isinstance(value, bool | list):
        return json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)
