"""The hardware plan for people: memory by part, the layout, how an update is cut; from what ``plan.json`` keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.hardware import ASSUMED_GB

LAYOUTS = {
    "single": "one process",
    "ddp": "a whole copy on each GPU (DDP)",
    "fsdp2": "weights, gradients and optimizer sharded (FSDP2)",
    "zero3": "sharded by DeepSpeed (ZeRO-3)",
}


def where(hardware: Mapping[str, Any]) -> str:
    """The machines: how many, of what."""
    gpus, nodes, memory = hardware["gpus"], hardware["nodes"], hardware["memory_gb"]
    if not gpus:
        return f"what is there (hardware.gpus: 0); figures for one GPU of {ASSUMED_GB:g} GB"
    machines = f"{nodes} machines, each with " if nodes > 1 else ""
    named = f"of {memory:g} GB" if memory else f"(memory not named: {ASSUMED_GB:g} GB taken)"
    return f"{machines}{gpus} GPU{'s' if gpus > 1 else ''} {named}"


def how(hardware: Mapping[str, Any]) -> str:
    """The layout, and how an update is cut."""
    processes, passes = hardware["processes"], hardware["accumulation"]
    saved = "with checkpointing" if hardware["checkpointing"] else "without checkpointing"
    drawn = {
        "transformers": "rollouts by transformers",
        "vllm": f"rollouts by vLLM beside it, asleep while the model learns, {hardware['vllm_share']} of the memory",
        "given": "completions are given",
    }[hardware["rollouts"]]
    shared = f", {processes} processes" if processes > 1 else ""
    return (
        f"{LAYOUTS[hardware['layout']]}{shared}; "
        f"{hardware['micro_batch']} x {passes} completions a process and update, {saved}; {drawn}"
    )


def peak(hardware: Mapping[str, Any]) -> str:
    """The peak beside what there is."""
    room = hardware["memory_gb"]
    beside = f" of {room:g}" if room else ""
    return f"{hardware['peak_gb']:.1f}{beside}{'' if hardware['fits'] else ': does not fit'}"


def others(hardware: Mapping[str, Any]) -> str:
    """What each layout would take."""
    return ", ".join(f"{name} {size:.1f}" for name, size in hardware["layouts_gb"].items())


def rows(hardware: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Part and GB on each GPU, those of at least 0.05 GB."""
    return [(part, f"{size:.1f}") for part, size in hardware["parts_gb"].items() if size >= 0.05]


def readme_lines(hardware: Mapping[str, Any] | None) -> list[str]:
    """As Markdown; nothing where nothing is planned."""
    if not hardware:
        return []
    lines = ["", "## Hardware", "", f"Training on {where(hardware)}: {how(hardware)}.", ""]
    lines += ["| part | GB on each GPU |", "|---|--:|"]
    lines += [f"| {part} | {size} |" for part, size in rows(hardware)]
    lines += [f"| **peak** | **{peak(hardware)}** |", ""]
    lines.append(f"Other layouts, GB: {others(hardware)}. `sdrl rehearse` measures instead of reckoning.")
    return lines
