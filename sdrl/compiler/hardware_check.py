"""Holds the hardware plan of a spec against its hardware: E520 to E522, and what ``plan.json`` keeps of it.

Says nothing of a model whose shape is not known, and judges memory only where ``hardware.memory_gb`` names it. Reads
config.json of the base model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdrl.compiler.findings import Findings
from sdrl.compiler.hardware import (
    Facts,
    HardwarePlan,
    all_layouts,
    as_json,
    facts_of,
    is_shared_evenly,
    plan_hardware,
    ways_out,
)
from sdrl.compiler.memory import GB, serving
from sdrl.compiler.model_shape import ModelShape, shape_of
from sdrl.compiler.sizes import Sizes
from sdrl.spec.model import Base, Spec

SPREAD = 2  # the longest prompt of a batch beside the usual one


def check_hardware(spec: Spec, sizes: Sizes, base_folder: Path | None, findings: Findings) -> dict[str, Any] | None:
    """The hardware plan as JSON values; None where no GPU is asked for, or the model's shape is not known."""
    base = spec.models.base if spec.models else None
    if spec.hardware.gpus and not is_shared_evenly(facts := facts_of(spec, 0)):
        _refuse_uneven(facts, findings)
        return None
    if base is None or (not spec.hardware.gpus and base.serve != "vllm"):
        return None
    _check_spread(spec, base, findings)
    prompt = sizes.answer()
    facts = facts_of(spec, min(prompt.most, round(SPREAD * prompt.expected)))
    shape = shape_of(base.model, base_folder)
    if shape is None:
        return None
    made = plan_hardware(shape, facts)
    if spec.hardware.gpus and facts.memory_gb is not None:
        if not made.fits:
            _refuse(base.model, shape, facts, made, findings)
        if base.serve == "vllm":
            _check_server(base, shape, facts, findings)
    return as_json(made, facts, shape, all_layouts(shape, facts))


def _refuse(name: str, shape: ModelShape, facts: Facts, made: HardwarePlan, findings: Findings) -> None:
    most = sorted(made.memory.parts().items(), key=lambda part: -part[1])[:3]
    parts = ", ".join(f"{part} {size / GB:.0f}" for part, size in most)
    gpus = f"{facts.processes} GPUs have" if facts.processes > 1 else "the GPU has"
    findings.add(
        "E520",
        "hardware.memory_gb",
        f"training {name} takes {made.memory.peak / GB:.0f} GB on each GPU ({parts}, …), and {gpus} "
        f"{facts.room / GB:g}",
        "write one of " + ", ".join(way.text() for way in ways_out(name, shape, facts)),
    )


def _refuse_uneven(facts: Facts, findings: Findings) -> None:
    total, processes = facts.prompts * facts.copies, facts.processes
    prompts = next(
        each for each in range(facts.prompts, facts.prompts + processes + 1) if each * facts.copies % processes == 0
    )
    findings.add(
        "E521",
        "hardware.gpus",
        f"{facts.prompts} prompts x {facts.copies} completions an update cannot be shared by {processes} GPUs",
        f"write 'train.prompts_per_step: {prompts}', or a number of GPUs that divides {total}",
    )


def _check_spread(spec: Spec, base: Base, findings: Findings) -> None:
    """A server that sdrl starts stands on the GPUs of one machine, or with Ray on those of all."""
    asked = base.server.tensor_parallel * base.server.data_parallel
    there = spec.hardware.gpus * spec.hardware.nodes
    if base.serve == "vllm" and there and asked > there:
        findings.add(
            "E522",
            "models.base.server",
            f"the server is spread over {base.server.tensor_parallel} x {base.server.data_parallel} GPUs, and hardware "
            f"has {there}",
            f"lower tensor_parallel x data_parallel to {there}, or raise hardware.gpus to {asked}",
        )


def _check_server(base: Base, shape: ModelShape, facts: Facts, findings: Findings) -> None:
    """vLLM must hold the weights and one whole answer beside them."""
    length = facts.prompt_tokens + facts.completion_tokens
    parallel = base.server.tensor_parallel
    if serving(shape, parallel, facts.room).cache_tokens >= length:
        return
    enough = [
        more
        for more in (2, 4, 8, 16)
        if more > parallel and shape.kv_heads % more == 0 and serving(shape, more, facts.room).cache_tokens >= length
    ]
    findings.add(
        "E520",
        "models.base.server",
        f"serving {base.model} takes {2 * shape.parameters / parallel / GB:.0f} GB of weights on each GPU, which "
        f"leaves no room for one answer of {length:,} tokens in {facts.room / GB:g} GB",
        f"write 'models.base.server: {{tensor_parallel: {enough[0]}}}'" if enough else "name a smaller model",
    )
