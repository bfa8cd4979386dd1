"""Where a training runs: what the hardware plan puts into the job, and that a job's identity is not about speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan import Plan
from sdrl.stages.train import placement
from tests.compiler.project import SPEC, write_project

SEVEN = SPEC.replace("./base", "Qwen/Qwen2.5-7B").replace("serve: embedded", f"revision: {'0' * 40}, serve: vllm")


def compiled(folder: Path, hardware: str, spec: str = SEVEN) -> Plan:
    return compile_spec(write_project(folder, f"{spec}hardware: {{{hardware}}}\n")).require()


def test_without_gpus_nothing_is_decided(tmp_path: Path) -> None:
    assert placement(compiled(tmp_path, "gpus: 0")) == {"trl": {}}


def test_the_planned_layout_becomes_the_jobs(tmp_path: Path) -> None:
    found = placement(compiled(tmp_path, "gpus: 8, nodes: 2, memory_gb: 80"))
    assert (found["device"], found["processes"], found["nodes"], found["layout"]) == ("cuda", 16, 2, "fsdp2")
    assert found["micro_batch"] is not None
    assert 64 % (16 * found["micro_batch"]) == 0
    assert found["trl"] == {}


def test_a_model_of_unknown_shape_is_copied_to_each_gpu(tmp_path: Path) -> None:
    plan = compiled(tmp_path, "gpus: 2", SPEC)
    found = placement(plan)
    assert plan.estimate["hardware"] is None
    assert (found["processes"], found["layout"], found["micro_batch"]) == (2, "ddp", None)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", {"vllm_mode": "colocate", "vllm_enable_sleep_mode": True}),
        (", vllm_mode: server", {"vllm_enable_sleep_mode": True}),
    ],
)
def test_a_colocated_vllm_gets_its_share_unless_the_spec_says_otherwise(
    own: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    spec = SEVEN.replace("epochs: 2,", f"epochs: 2, trl: {{use_vllm: true{own}}},")
    found = placement(compiled(tmp_path, "gpus: 8, memory_gb: 80", spec))["trl"]
    share = found.pop("vllm_gpu_memory_utilization")
    assert found == expected
    assert 0.2 < share < 0.6


def test_memory_changes_neither_hash_nor_the_number_of_processes(tmp_path: Path) -> None:
    one, two = (compiled(tmp_path / str(size), f"gpus: 8, memory_gb: {size}") for size in (80, 141))
    assert one.hash == two.hash
    assert placement(one)["processes"] == placement(two)["processes"]
    assert placement(replace(one, estimate={}))["layout"] == "ddp"
