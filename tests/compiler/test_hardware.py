"""The hardware plan: which layout is chosen, that updates stay exact, and ways out that really fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.hardware import Facts, facts_of, is_shared_evenly, plan_hardware, ways_out
from sdrl.compiler.model_shape import FAMILIES, known_shape
from sdrl.spec.loader import load_spec
from sdrl.spec.model import Lora
from tests.compiler.project import SPEC, write_project

SEVEN = "Qwen/Qwen2.5-7B"
FACTS = Facts(
    gpus=8,
    nodes=1,
    memory_gb=80.0,
    algorithm="grpo",
    prompts=4,
    copies=16,
    prompt_tokens=512,
    completion_tokens=2048,
    kl=0.01,
    lora=None,
    is_eight_bit=False,
    uses_vllm=False,
)


def layout(name: str, **changes: object) -> str:
    shape = known_shape(name)
    assert shape is not None
    made = plan_hardware(shape, replace(FACTS, **changes))  # type: ignore[arg-type]
    return made.layout if made.fits else f"{made.layout}: too large"


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("Qwen/Qwen2.5-1.5B", {"gpus": 1}, "single"),
        ("Qwen/Qwen2.5-1.5B", {}, "ddp"),
        (SEVEN, {"gpus": 1}, "single: too large"),
        (SEVEN, {"gpus": 1, "lora": Lora.model_construct()}, "single"),
        (SEVEN, {"gpus": 4}, "fsdp2"),
        ("Qwen/Qwen2.5-14B", {}, "fsdp2"),
        ("Qwen/Qwen2.5-32B", {}, "fsdp2: too large"),
        ("Qwen/Qwen2.5-32B", {"nodes": 2}, "fsdp2"),
    ],
)
def test_a_whole_copy_where_it_fits_else_shards(name: str, changes: dict[str, object], expected: str) -> None:
    assert layout(name, **changes) == expected


@given(
    name=st.sampled_from(sorted(FAMILIES)),
    gpus=st.sampled_from([1, 2, 3, 4, 6, 8]),
    memory_gb=st.sampled_from([16.0, 24.0, 48.0, 80.0, 141.0]),
    prompts=st.integers(1, 12),
    copies=st.sampled_from([1, 2, 8, 12, 16]),
    tokens=st.integers(1, 16_384),
)
def test_every_plan_makes_exactly_the_completions_of_an_update(
    name: str, gpus: int, memory_gb: float, prompts: int, copies: int, tokens: int
) -> None:
    shape = known_shape(name)
    facts = replace(FACTS, gpus=gpus, memory_gb=memory_gb, prompts=prompts, copies=copies, completion_tokens=tokens)
    assert shape is not None
    if is_shared_evenly(facts):
        made = plan_hardware(shape, facts)
        assert made.micro_batch * made.accumulation * made.processes == prompts * copies
        assert made.fits == (made.memory.peak <= memory_gb * 1e9)


@pytest.mark.parametrize("name", ["Qwen/Qwen2.5-1.5B", SEVEN, "Qwen/Qwen2.5-14B", "Qwen/Qwen2.5-32B"])
@pytest.mark.parametrize(("gpus", "memory_gb"), [(1, 24.0), (1, 80.0), (2, 80.0), (4, 80.0)])
def test_what_does_not_fit_has_three_ways_out_that_do(name: str, gpus: int, memory_gb: float, tmp_path: Path) -> None:
    shape, facts = known_shape(name), replace(FACTS, gpus=gpus, memory_gb=memory_gb)
    assert shape is not None
    if plan_hardware(shape, facts).fits:
        assert (name, memory_gb) == ("Qwen/Qwen2.5-1.5B", 80.0) or (name, gpus) == (SEVEN, 4)
        return
    ways = ways_out(name, shape, facts)
    assert len({way.edit for way in ways}) == 3
    for way in ways:
        assert way.peak <= way.room
        check_edit(way.edit, name, gpus, memory_gb)


def check_edit(edit: str, name: str, gpus: int, memory_gb: float) -> None:
    """The edit, put into the spec as it stands, is what makes the spec's own plan fit."""
    path, _, value = edit.partition(": ")
    table, _, key = path.partition(".")
    blocks = {
        "hardware": f"{{gpus: {gpus}, memory_gb: {memory_gb:g}}}",
        "train": "{kl: 0.01}",
        "models": f"{{instructor: {{model: m}}, base: {{model: {name}}}}}",
    }
    if table == "models":
        blocks["models"] = f"{{instructor: {{model: m}}, base: {{model: {value}}}}}"
    elif key:
        blocks[table] = f"{{{key}: {value}}}"
    else:
        blocks[table] = value
    answer = 'answer: {type: number, extract: {marker: "####"}}'
    head = f"sdrl: 1\nname: a\ntask: {{description: d, output_format: o}}\n{answer}\n"
    text = head + "".join(f"{block}: {value}\n" for block, value in blocks.items())
    spec = load_spec("a.yaml", text=text).require()
    assert spec.models is not None
    shape = known_shape(spec.models.base.model)
    assert shape is not None
    assert plan_hardware(shape, facts_of(spec, 512)).fits, edit


def test_adapters_and_no_kl_need_no_reference() -> None:
    shape = known_shape(SEVEN)
    assert shape is not None
    parts = {
        case: plan_hardware(shape, replace(FACTS, **changes)).memory.held["reference"]  # type: ignore[arg-type]
        for case, changes in {
            "kl": {},
            "no kl": {"kl": 0.0},
            "adapters": {"lora": Lora.model_construct()},
            "sft": {"algorithm": "sft", "copies": 1, "prompts": 8},
        }.items()
    }
    assert parts["kl"] > 0
    assert (parts["no kl"], parts["adapters"], parts["sft"]) == (0, 0, 0)


def test_a_colocated_server_gets_a_share_and_sleeps_while_the_model_learns() -> None:
    shape = known_shape("Qwen/Qwen2.5-1.5B")
    assert shape is not None
    made = plan_hardware(shape, replace(FACTS, uses_vllm=True, memory_gb=141.0))
    assert made.rollouts == "vllm"
    assert made.vllm_share is not None
    assert 0.05 < made.vllm_share < 0.5
    assert made.memory.drawing["vllm weights"] == 2 * shape.parameters


def test_the_plan_of_a_spec_keeps_it_and_no_hash_knows_the_memory(tmp_path: Path) -> None:
    spec = SPEC.replace("./base", SEVEN).replace("serve: embedded", f"revision: {'0' * 40}, serve: vllm")
    plans = []
    for memory_gb in (80, 141):
        text = spec + f"hardware: {{gpus: 8, memory_gb: {memory_gb}}}\n"
        compiled = compile_spec(write_project(tmp_path / str(memory_gb), text))
        plans.append(compiled.require())
        readme = compiled.files["README.md"].decode()
        assert "## Hardware" in readme
        assert f"of {memory_gb}" in readme
    first, second = (plan.estimate["hardware"] for plan in plans)
    assert (first["layout"], first["processes"]) == ("fsdp2", 8)
    assert first["micro_batch"] * first["accumulation"] * 8 == 64
    assert second["memory_gb"] == 141
    assert plans[0].hash == plans[1].hash


def test_no_gpu_asked_for_and_no_vllm_plans_no_hardware(tmp_path: Path) -> None:
    plan = compile_spec(write_project(tmp_path)).require()
    assert plan.estimate["hardware"] is None


@pytest.mark.parametrize(
    ("name", "memory_gb", "expected"),
    [
        (SEVEN, 80, []),
        ("Qwen/Qwen2.5-32B", 48, ["write 'models.base.server: {tensor_parallel: 2}'"]),
    ],
)
def test_a_server_that_cannot_hold_one_answer_is_told_how_many_gpus_can(
    name: str, memory_gb: int, expected: list[str], tmp_path: Path
) -> None:
    spec = SPEC.replace("./base", name).replace("serve: embedded", f"revision: {'0' * 40}, serve: vllm")
    compiled = compile_spec(write_project(tmp_path, f"{spec}hardware: {{gpus: 8, nodes: 8, memory_gb: {memory_gb}}}\n"))
    found = [item.help for item in compiled.diagnostics if item.code == "E520" and item.path == "models.base.server"]
    assert found == expected
