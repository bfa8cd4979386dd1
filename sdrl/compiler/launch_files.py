"""What starts a run on several GPUs or machines, for the engines that do it: accelerate, DeepSpeed, vLLM, Slurm.

Made from ``hardware``; a plan with GPUs keeps them in ``launch/``, hashed into no stage. ``sdrl run`` on one machine
needs none of them (it writes its own accelerate.yaml); they are for several machines, for servers beside a run, and for
whoever starts things by hand. Copy before changing: a plan folder is checked byte by byte. Starts nothing.
"""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from sdrl.compiler.plan import Plan

PORT = 29_500
MAIN_ADDRESS = "SDRL_MAIN_ADDRESS"  # host:port of the first machine, where rank 0 is
_UNKNOWN_HOURS = 24


def accelerate_config(
    layout: str, processes: int, nodes: int, *, precision: str = "bf16", deepspeed_file: str = "zero3.json"
) -> dict[str, Any]:
    """The configuration of ``accelerate launch``; a machine's rank and address are words of its command."""
    config: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "distributed_type": {"fsdp2": "FSDP", "zero3": "DEEPSPEED"}.get(layout, "MULTI_GPU" if processes > 1 else "NO"),
        "dynamo_backend": "NO",
        "machine_rank": 0,
        "main_training_function": "main",
        "mixed_precision": precision,
        "num_machines": nodes,
        "num_processes": processes,
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": False,
    }
    if layout == "fsdp2":
        config["fsdp_config"] = {
            # recomputing is the trainer's own (gradient_checkpointing): both at once are refused
            "fsdp_activation_checkpointing": False,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_cpu_ram_efficient_loading": True,
            "fsdp_offload_params": False,
            "fsdp_reshard_after_forward": True,
            "fsdp_state_dict_type": "SHARDED_STATE_DICT",
            "fsdp_version": 2,
        }
    if layout == "zero3":
        config["deepspeed_config"] = {"deepspeed_config_file": deepspeed_file, "zero3_init_flag": False}
        del config["mixed_precision"]  # the file says it, and accelerate refuses two voices
    return config


def deepspeed_config() -> dict[str, Any]:
    """DeepSpeed's ZeRO-3; what the trainer decides is left to it (``auto``)."""
    return {
        "bf16": {"enabled": True},
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "zero_optimization": {
            "stage": 3,
            "contiguous_gradients": True,
            "overlap_comm": True,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
    }


def ray_words(tensor_parallel: int, data_parallel: int, gpus: int) -> list[str]:
    """vLLM's words for a server that reaches beyond one machine of ``gpus`` GPUs: Ray spreads it."""
    if not gpus or tensor_parallel * data_parallel <= gpus:
        return []
    words = ["--distributed-executor-backend", "ray"] if tensor_parallel > gpus else []
    return [*words, "--data-parallel-backend", "ray"] if data_parallel > 1 else words


def launch_files(plan: Plan) -> dict[str, bytes]:
    """The files of ``launch/`` by name; none where ``hardware`` names no GPU or the plan cannot run."""
    settings = plan.settings
    if not settings.hardware.gpus or settings.models is None:
        return {}
    hardware = plan.estimate.get("hardware") or {}
    processes, nodes = settings.hardware.gpus * settings.hardware.nodes, settings.hardware.nodes
    chosen = hardware.get("layout", "ddp" if processes > 1 else "single")
    files: dict[str, str] = {"accelerate.yaml": _yaml(accelerate_config(chosen, processes, nodes))}
    if processes > 1:
        files["accelerate-zero3.yaml"] = _yaml(accelerate_config("zero3", processes, nodes))
        files["zero3.json"] = json.dumps(deepspeed_config(), indent=2, sort_keys=True) + "\n"
    files["slurm.sh"] = _slurm(plan)
    files["commands.sh"] = _commands(plan)
    if settings.models.base.serve == "vllm":
        files["vllm.sh"] = _vllm(plan)
    return {f"launch/{name}": text.encode() for name, text in files.items()}


def _yaml(config: dict[str, Any], indent: str = "") -> str:
    """A table of plain values as YAML: texts in double quotes, so that NO stays a word."""
    lines = ""
    for key, value in sorted(config.items()):
        if isinstance(value, dict):
            lines += f"{indent}{key}:\n{_yaml(value, indent + '  ')}"
        else:
            lines += f"{indent}{key}: {json.dumps(value)}\n"
    return lines


def _names(plan: Plan) -> tuple[str, str]:
    return f"{plan.name}.plan", f"runs/{plan.name}"


def _slurm(plan: Plan) -> str:
    hardware, hours = plan.settings.hardware, plan.settings.budget.wall_hours
    folder, run = _names(plan)
    return f"""#!/bin/bash
# sbatch {folder}/launch/slurm.sh    (from the folder of the plan; copy and add account and partition)
# The first machine runs sdrl, the others join its training. Stopped or requeued, the same file goes on.
#SBATCH --job-name=sdrl-{plan.name}
#SBATCH --nodes={hardware.nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node={hardware.gpus}
#SBATCH --time={math.ceil((hours or _UNKNOWN_HOURS) * 60)}
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail
export {MAIN_ADDRESS}="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1):{PORT}"
srun --kill-on-bad-exit=1 bash -c '
if [ "$SLURM_NODEID" = 0 ]; then
  exec sdrl run {folder} --run {run} --yes
fi
exec python -m sdrl.training.node {run}/training --rank "$SLURM_NODEID"
'
"""


def _commands(plan: Plan) -> str:
    hardware = plan.settings.hardware
    folder, run = _names(plan)
    lines = [
        "#!/bin/bash",
        "# The same by hand, from the folder of the plan. First what costs two steps, then all of it.",
        "set -euo pipefail",
        f"sdrl rehearse {folder}",
    ]
    if hardware.nodes > 1:
        lines += [
            f"# on the first machine (the folder {run} lies on a disk that all machines see):",
            f'export {MAIN_ADDRESS}="$(hostname):{PORT}"',
            f"sdrl run {folder} --run {run} --yes",
            f"# on each other machine, with its own rank from 1 to {hardware.nodes - 1} and the first machine's name:",
            f"# {MAIN_ADDRESS}=FIRST:{PORT} python -m sdrl.training.node {run}/training --rank 1",
        ]
    else:
        lines.append(f"sdrl run {folder} --run {run} --yes")
    lines += ["# the training alone, once its job file is there:", f"# {_training_line(plan, run)}"]
    return "\n".join(lines) + "\n"


def _training_line(plan: Plan, run: str) -> str:
    config = f"{plan.name}.plan/launch/accelerate.yaml"
    return f"accelerate launch --config_file {config} -m sdrl.training {run}/training/job.json"


def _vllm(plan: Plan) -> str:
    assert plan.settings.models is not None  # launch_files asks
    base, hardware = plan.settings.models.base, plan.settings.hardware
    spread = base.server
    words = ["--model", base.model, "--served-model-name", base.model, "--generation-config", "vllm", "--seed", "0"]
    words += ["--tensor-parallel-size", str(spread.tensor_parallel), "--data-parallel-size", str(spread.data_parallel)]
    words += ["--host", "0.0.0.0", "--port", "8000"]
    if base.revision:
        words += ["--revision", base.revision, "--tokenizer-revision", base.revision]
    ray = ray_words(spread.tensor_parallel, spread.data_parallel, hardware.gpus)
    lines = [
        "#!/bin/bash",
        "# A server beside the run: start it, then write its URL as models.base.serve (several URLs share the load).",
        "set -euo pipefail",
    ]
    if ray:
        lines += [
            "# Ray first: this machine is the head, each other one joins it with",
            '#   ray start --address="FIRST:6379"',
            "ray start --head --port=6379",
        ]
    command = ["-m", "vllm.entrypoints.openai.api_server", *words, *ray]
    lines.append(f'exec "${{SDRL_VLLM_PYTHON:-python}}" {shlex.join(command)}')
    return "\n".join(lines) + "\n"
