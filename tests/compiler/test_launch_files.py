"""The files that start a run on several GPUs or machines, read by the engines they are for."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.launch_files import accelerate_config, ray_words
from sdrl.compiler.plan_file import copy_plan, read_plan
from tests.compiler.project import SPEC, write_project

SEVEN = SPEC.replace("./base", "Qwen/Qwen2.5-7B").replace("serve: embedded", f"revision: {'0' * 40}, serve: vllm")
SPREAD = SEVEN.replace("prompt: raw", "prompt: raw, server: {tensor_parallel: 8, data_parallel: 2}")
TWO_MACHINES = SPREAD + "hardware: {gpus: 8, nodes: 2, memory_gb: 80}\n"


def written(folder: Path, spec: str) -> dict[str, str]:
    """The launch files of a spec's plan, through the plan folder."""
    compiled = compile_spec(write_project(folder, spec))
    compiled.require()
    write_plan(compiled, folder / "plan")
    read_plan(folder / "plan")
    return {path.name: path.read_text() for path in sorted((folder / "plan" / "launch").glob("*"))}


def test_a_plan_without_gpus_has_none(tmp_path: Path) -> None:
    assert written(tmp_path, SEVEN) == {}


def test_they_change_no_hash_and_go_with_the_plan(tmp_path: Path) -> None:
    first = written(tmp_path / "a", SEVEN + "hardware: {gpus: 8, memory_gb: 80}\n")
    assert set(first) == {
        "accelerate.yaml",
        "accelerate-zero3.yaml",
        "commands.sh",
        "slurm.sh",
        "vllm.sh",
        "zero3.json",
    }
    plan = read_plan(tmp_path / "a" / "plan")
    copy_plan(plan, tmp_path / "copy")
    assert (tmp_path / "copy" / "launch" / "slurm.sh").read_text() == first["slurm.sh"]
    assert not any("launch" in json.dumps(stage.identity) for stage in plan.stages)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "version"), [("accelerate.yaml", "FSDP", 2), ("accelerate-zero3.yaml", "DEEPSPEED", None)]
)
def test_accelerate_reads_its_configuration(name: str, kind: str, version: int | None, tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    written(tmp_path, TWO_MACHINES)
    config = load_config_from_file(str(tmp_path / "plan" / "launch" / name))
    assert (config.distributed_type.value, config.num_processes, config.num_machines) == (kind, 16, 2)
    assert (config.fsdp_config or {}).get("fsdp_version") == version


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["single", "ddp", "fsdp2", "zero3"])
def test_accelerate_launch_takes_over_each_layout(layout: str, tmp_path: Path) -> None:
    """Through accelerate's own reading of command line and file, up to where it would start processes."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    file = tmp_path / "accelerate.yaml"
    processes = 1 if layout == "single" else 8
    file.write_text(json.dumps(accelerate_config(layout, processes, 1)))
    words = ["--config_file", str(file), "-m", "sdrl.training", "job.json"]
    args, defaults, _ = _validate_launch_command(launch_command_parser().parse_args(words))
    assert (args.num_processes, args.use_fsdp, args.use_deepspeed) == (processes, layout == "fsdp2", layout == "zero3")
    assert defaults is not None
    if layout == "fsdp2":
        assert (args.fsdp_version, str(args.fsdp_reshard_after_forward).lower()) == (2, "true")


def test_deepspeed_is_told_to_shard_everything_and_to_gather_what_is_saved(tmp_path: Path) -> None:
    config = json.loads(written(tmp_path, TWO_MACHINES)["zero3.json"])
    assert config["zero_optimization"]["stage"] == 3
    assert config["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] is True


@pytest.mark.parametrize("spec", [TWO_MACHINES, SEVEN + "hardware: {gpus: 4, memory_gb: 80}\n"])
def test_bash_reads_every_script(spec: str, tmp_path: Path) -> None:
    scripts = {name: text for name, text in written(tmp_path, spec).items() if name.endswith(".sh")}
    assert len(scripts) == 3
    for text in scripts.values():
        subprocess.run(["bash", "-n"], input=text.encode(), check=True)


def test_slurm_is_asked_for_the_machines_and_each_takes_its_part(tmp_path: Path) -> None:
    slurm = written(tmp_path, TWO_MACHINES.replace("usd: 5", "usd: 5, wall_hours: 1.5"))["slurm.sh"]
    for words in ("--nodes=2", "--gpus-per-node=8", "--ntasks-per-node=1", "--time=90"):
        assert f"#SBATCH {words}\n" in slurm
    lines = _played(slurm, tmp_path)
    assert lines == [
        "0: sdrl run sums.plan --run runs/sums --yes main=node-a:29500",
        "1: python -m sdrl.training.node runs/sums/training --rank 1 main=node-a:29500",
    ]


def _played(script: str, folder: Path) -> list[str]:
    """Run the batch file with fakes of Slurm's and our commands; what each machine was told to do."""
    fakes = {
        "scontrol": "printf 'node-a\\nnode-b\\n'",
        "srun": 'shift; for id in 0 1; do SLURM_NODEID=$id "$@"; done',
        "sdrl": 'echo "$SLURM_NODEID: sdrl $* main=$SDRL_MAIN_ADDRESS"',
        "python": 'echo "$SLURM_NODEID: python $* main=$SDRL_MAIN_ADDRESS"',
    }
    for name, body in fakes.items():
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "SLURM_JOB_NODELIST": "node-[a-b]"}
    done = subprocess.run(["bash"], input=script, text=True, capture_output=True, env=environment, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("tensor", "data", "gpus", "words"),
    [
        (8, 1, 8, ""),
        (4, 2, 8, ""),
        (8, 2, 8, "--data-parallel-backend ray"),
        (16, 1, 8, "--distributed-executor-backend ray"),
        (16, 2, 8, "--distributed-executor-backend ray --data-parallel-backend ray"),
        (8, 2, 0, ""),
    ],
)
def test_ray_spreads_a_server_that_reaches_beyond_one_machine(tensor: int, data: int, gpus: int, words: str) -> None:
    assert ray_words(tensor, data, gpus) == shlex.split(words)


def test_the_servers_line_starts_ray_only_where_it_is_needed(tmp_path: Path) -> None:
    wide = written(tmp_path / "a", TWO_MACHINES)["vllm.sh"]
    narrow = written(tmp_path / "b", SEVEN + "hardware: {gpus: 4, memory_gb: 80}\n")["vllm.sh"]
    assert "ray start --head" in wide
    assert "--tensor-parallel-size 8 --data-parallel-size 2" in wide
    assert "ray" not in narrow
