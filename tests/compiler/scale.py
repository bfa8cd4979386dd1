"""The figures of docs/scale.md, of plans of the gsm8k spec at other sizes: ``python -m tests.compiler.scale``.

Rates are the page's assumptions, named there; a rehearsal measures them. Prints the tables as they stand on the page.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.hardware import Facts, HardwarePlan, plan_hardware
from sdrl.compiler.memory import GB
from sdrl.compiler.model_shape import ModelShape, known_shape
from sdrl.compiler.readme import dollars
from sdrl.spec.locate import specs_dir

SIZES = (500, 5_000, 50_000, 500_000, 1_000_000)
IN_FLIGHT, REPLY_S = 256, 8.0  # models.instructor.concurrency, and seconds that a reply is taken to need
SERVED = 2_500  # tokens a second that one GPU is taken to serve of a 7B model
UPDATE_S = 60.0  # that one update of 64 rollouts is taken to need
GPUS = 8
DRAW_BYTES, TOKEN_BYTES = 270, 4  # of the store: a draw with its call and index, a token of text
MODELS = ("Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-14B", "Qwen/Qwen2.5-32B")
CARDS = ((1, 80.0), (4, 80.0), (8, 80.0), (16, 80.0))


def estimate_of(samples: int) -> dict[str, Any]:
    """The estimate of the gsm8k spec with this many samples, every one of them trained on."""
    text = (specs_dir() / "gsm8k.yaml").read_text(encoding="utf-8")
    kept = "".join(line for line in text.splitlines(keepends=True) if not line.startswith(("budget:", "lint:")))
    more = f"synthesize: {{samples: {samples}, attempts: {samples * 3 // 2}}}\nselect: {{samples: {samples}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gsm8k.yaml"
        path.write_text(kept + more, encoding="utf-8")
        return compile_spec(path).require().estimate


def asked() -> Iterator[str]:
    """Requests, tokens, cost, disk."""
    yield "| samples | instructor requests | M tokens in | out | cost | base draws | M out | updates | store GB |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for samples in SIZES:
        estimate = estimate_of(samples)
        instructor, base = estimate["instructor"]["expected"], estimate["base"]["expected"]
        cells = [
            f"{samples:,}",
            f"{instructor['requests']:,}",
            f"{instructor['prompt_tokens'] / 1e6:,.1f}",
            f"{instructor['completion_tokens'] / 1e6:,.1f}",
            dollars(instructor["microusd"]),
            f"{base['draws']:,}",
            f"{base['completion_tokens'] / 1e6:,.0f}",
            f"{estimate['training']['updates']:,}",
            f"{store_gb(instructor, base):,.2f}",
        ]
        yield f"| {' | '.join(cells)} |"


def store_gb(instructor: dict[str, Any], base: dict[str, Any]) -> float:
    """The store: every draw with its text, every prompt once a request."""
    draws = instructor["draws"] + base["draws"]
    tokens = sum(role[key] for role in (instructor, base) for key in ("prompt_tokens", "completion_tokens"))
    return float(DRAW_BYTES * draws + TOKEN_BYTES * tokens) / GB


def hours() -> Iterator[str]:
    """Hours of the instructor, of scoring and of training, at the page's rates."""
    yield "| samples | instructor | probe and score | training |"
    yield "|--:|--:|--:|--:|"
    for samples in SIZES:
        estimate = estimate_of(samples)
        instructor = estimate["instructor"]["expected"]["requests"] * REPLY_S / IN_FLIGHT
        served = estimate["base"]["expected"]["completion_tokens"] / (SERVED * GPUS)
        learned = estimate["training"]["updates"] * UPDATE_S
        yield f"| {samples:,} | {instructor / 3600:,.2f} | {served / 3600:,.1f} | {learned / 3600:,.1f} |"


def facts(gpus: int, memory_gb: float) -> Facts:
    """The recommended training on so many GPUs, eight a machine."""
    nodes = max(1, gpus // 8)
    return Facts(gpus // nodes, nodes, memory_gb, "grpo", 4, 16, 512, 2048, 0.01, None, False, False)


def shape(name: str) -> ModelShape:
    """The shape of a model that is known."""
    found = known_shape(name)
    assert found is not None
    return found


def cell(plan: HardwarePlan) -> str:
    """Layout and peak, or that it does not fit."""
    return f"{plan.layout} {plan.memory.peak / GB:.0f}" if plan.fits else f"no ({plan.memory.peak / GB:.0f})"


def memory() -> Iterator[str]:
    """GB on each GPU of 80 GB, by model and number of GPUs."""
    yield f"| model | {' | '.join(f'{gpus} x {each:g} GB' for gpus, each in CARDS)} | GB of disk for checkpoints |"
    yield f"|---|{'--:|' * (len(CARDS) + 1)}"
    for name in MODELS:
        row = [cell(plan_hardware(shape(name), facts(gpus, each))) for gpus, each in CARDS]
        yield f"| {name} | {' | '.join(row)} | {checkpoint_bytes(shape(name)) / GB:,.0f} |"


def checkpoint_bytes(of: ModelShape) -> int:
    """Three checkpoints (weights and two optimizer states in fp32), each with its best weights, and what comes out."""
    return (3 * (12 + 4) + 4) * of.parameters


if __name__ == "__main__":
    for table in (asked, hours, memory):
        sys.stdout.write("\n".join(table()) + "\n\n")
