"""The hardware plan: from ``hardware`` to a layout of the training that fits, or to what would make it fit.

Chooses plain data parallelism (DDP) where a whole copy fits each GPU, else shards weights, gradients and optimizer
(FSDP2); then the largest micro-batch that fits and divides an update exactly; checkpointing where it buys a fuller
pass. DeepSpeed's ZeRO-3 takes no less than FSDP2 and another package, so it is shown and never chosen. Pure: the shape
of the model and the settings decide. No part of a hash: what changes numbers, the count of processes, stands in
``hardware`` itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sdrl.compiler.memory import GB, SERVER_BYTES, Layout, Load, Memory, memory
from sdrl.compiler.model_shape import FAMILIES, ModelShape, known_shape
from sdrl.spec.model import Lora, Spec

ASSUMED_GB = 80.0
ONLINE = ("grpo", "rloo")
FULL_PASS = 8192  # tokens of a forward pass that keep a GPU busy: below it, checkpointing buys more
MOST_PASS = 65_536  # tokens beyond which a larger pass is no faster
GPU_SIZES = (24, 40, 48, 80, 96, 141, 180)  # memory of GPUs that one can rent, in GB
MOST_NODES = 16
SHORTEST = 256  # completions below this are no way out
SERVER_SHARE = 0.9  # of a GPU's memory, at most, for training and a sleeping or waking server together


@dataclass(frozen=True)
class Facts:
    """What a spec says that memory depends on. ``copies``: completions of a prompt; ``memory_gb`` None: not said."""

    gpus: int
    nodes: int
    memory_gb: float | None
    algorithm: str
    prompts: int
    copies: int
    prompt_tokens: int
    completion_tokens: int
    kl: float
    lora: Lora | None
    is_eight_bit: bool
    uses_vllm: bool

    @property
    def processes(self) -> int:
        """Processes of the training: one a GPU."""
        return max(1, self.gpus) * self.nodes

    @property
    def room(self) -> float:
        """Bytes of one GPU."""
        return (self.memory_gb or ASSUMED_GB) * GB


@dataclass(frozen=True)
class HardwarePlan:
    """One layout: how an update is cut, what it takes on each GPU, and whether that fits."""

    layout: Layout
    processes: int
    nodes: int
    micro_batch: int
    accumulation: int
    checkpointing: bool
    rollouts: str
    """Who draws: ``transformers``, ``vllm`` (colocated, asleep while the model learns), or ``given``."""
    vllm_share: float | None
    memory: Memory
    room: float

    @property
    def fits(self) -> bool:
        """Whether the peak stays within one GPU."""
        return self.memory.peak <= self.room


def facts_of(spec: Spec, prompt_tokens: int) -> Facts:
    """The facts of a spec; ``prompt_tokens``: of the longest prompt of a batch."""
    train, hardware = spec.train, spec.hardware
    return Facts(
        gpus=hardware.gpus,
        nodes=hardware.nodes,
        memory_gb=hardware.memory_gb,
        algorithm=train.algorithm,
        prompts=train.prompts_per_step,
        copies=train.rollouts if train.algorithm in ONLINE else 1,
        prompt_tokens=prompt_tokens,
        completion_tokens=train.max_completion_tokens,
        kl=train.kl if train.algorithm in ONLINE else 0.0,
        lora=train.lora,
        is_eight_bit="8bit" in str(train.trl.get("optim", "")),
        uses_vllm=bool(train.trl.get("use_vllm")) and train.algorithm in ONLINE,
    )


def is_shared_evenly(facts: Facts) -> bool:
    """Whether every process gets the same number of completions of an update."""
    return facts.prompts * facts.copies % facts.processes == 0


def plan_hardware(shape: ModelShape, facts: Facts) -> HardwarePlan:
    """The first layout that fits, fastest first; where none does, the one that takes least."""
    plans = [_best_cut(shape, facts, layout) for layout in _layouts(facts)]
    return next((plan for plan in plans if plan.fits), min(plans, key=lambda plan: plan.memory.peak))


def all_layouts(shape: ModelShape, facts: Facts) -> list[HardwarePlan]:
    """Each layout that the GPUs allow with its best cut, for a table."""
    return [_best_cut(shape, facts, layout) for layout in _possible(facts)]


def _possible(facts: Facts) -> tuple[Layout, ...]:
    return ("single",) if facts.processes == 1 else ("ddp", "fsdp2", "zero3")


def _layouts(facts: Facts) -> tuple[Layout, ...]:
    return ("single",) if facts.processes == 1 else ("ddp", "fsdp2")


def _best_cut(shape: ModelShape, facts: Facts, layout: Layout) -> HardwarePlan:
    """The largest micro-batch that fits, without checkpointing where that still fills a pass; else the smallest."""
    length = facts.prompt_tokens + facts.completion_tokens
    share = max(1, facts.prompts * facts.copies // facts.processes)
    sizes = [size for size in range(share, 0, -1) if share % size == 0]
    usual = [size for size in sizes if size * length <= MOST_PASS] or sizes[-1:]
    for checkpointing in (False, True):
        for size in usual:
            if not checkpointing and size * length < FULL_PASS and size < share:
                break
            made = _cut(shape, facts, layout, size, checkpointing=checkpointing)
            if made.fits:
                return made
    return _cut(shape, facts, layout, sizes[-1], checkpointing=True)


def _cut(shape: ModelShape, facts: Facts, layout: Layout, size: int, *, checkpointing: bool) -> HardwarePlan:
    share = max(1, facts.prompts * facts.copies // facts.processes)
    length = facts.prompt_tokens + facts.completion_tokens
    is_online = facts.algorithm in ONLINE
    load = Load(
        micro_batch=size,
        share=share,
        prompt_tokens=facts.prompt_tokens,
        completion_tokens=facts.completion_tokens,
        is_online=is_online,
        has_reference=is_online and facts.kl > 0 and facts.lora is None,
        checkpointing=checkpointing,
        trainable=None if facts.lora is None else shape.adapter_parameters(facts.lora.rank, facts.lora.targets),
        is_eight_bit=facts.is_eight_bit,
        server_tokens=share * length if facts.uses_vllm else 0,
    )
    found = memory(shape, layout, facts.processes, load)
    who = ("vllm" if facts.uses_vllm else "transformers") if is_online else "given"
    used = 2.0 * shape.parameters + share * length * shape.cache_bytes() + SERVER_BYTES
    vllm_share = min(SERVER_SHARE, round(used / facts.room + 0.005, 2)) if facts.uses_vllm else None
    return HardwarePlan(
        layout, facts.processes, facts.nodes, size, share // size, checkpointing, who, vllm_share, found, facts.room
    )


@dataclass(frozen=True)
class WayOut:
    """An edit of the spec, and what training then takes on each GPU."""

    edit: str
    peak: float
    room: float

    def text(self) -> str:
        """For a message."""
        return f"'{self.edit}' ({self.peak / GB:.0f} of {self.room / GB:.0f} GB)"


def ways_out(name: str, shape: ModelShape, facts: Facts, most: int = 3) -> list[WayOut]:
    """Edits of the spec that make it fit: one of each kind first, the least intrusive edit of a kind before others."""
    found: list[WayOut] = []
    seconds: list[WayOut] = []
    kinds: set[str] = set()
    for kind, edit, other, changed in _edits(name, shape, facts):
        if len(found) == most:
            return found
        made = plan_hardware(other, changed)
        if made.fits:
            (seconds if kind in kinds else found).append(WayOut(edit, made.memory.peak, made.room))
            kinds.add(kind)
    return [*found, *seconds][:most]


def _edits(name: str, shape: ModelShape, facts: Facts) -> Iterator[tuple[str, str, ModelShape, Facts]]:
    """Candidates: their kind, the edit as a spec says it, and the case after it."""
    for changed in _more_gpus(facts):
        yield "gpus", _hardware(changed), shape, changed
    if facts.lora is None:
        adapters = Lora.model_construct()
        edit = f"train.lora: {{rank: {adapters.rank}, alpha: {adapters.alpha}}}"
        yield "lora", edit, shape, replace(facts, lora=adapters)
        if facts.kl > 0:
            yield "kl", "train.kl: 0", shape, replace(facts, kl=0.0)
        if not facts.is_eight_bit:
            yield "optimizer", "train.trl: {optim: adamw_bnb_8bit}", shape, replace(facts, is_eight_bit=True)
    tokens = facts.completion_tokens
    while tokens > SHORTEST:
        tokens //= 2
        yield "tokens", f"train.max_completion_tokens: {tokens}", shape, replace(facts, completion_tokens=tokens)
    for smaller in _smaller(name, shape):
        if (other := known_shape(smaller)) is not None:
            yield "model", f"models.base.model: {smaller}", other, facts
    for size in (size for size in GPU_SIZES if size > facts.room / GB):
        yield "memory", _hardware(larger := replace(facts, memory_gb=float(size))), shape, larger
        for changed in _more_gpus(larger):
            yield "memory", _hardware(changed), shape, changed


def _hardware(facts: Facts) -> str:
    more = f", nodes: {facts.nodes}" if facts.nodes > 1 else ""
    return f"hardware: {{gpus: {max(1, facts.gpus)}, memory_gb: {facts.room / GB:g}{more}}}"


def _more_gpus(facts: Facts) -> Iterator[Facts]:
    """More GPUs of one machine up to eight, then more machines, where an update can still be shared evenly."""
    gpus, nodes = max(1, facts.gpus), facts.nodes
    while nodes < MOST_NODES:
        gpus, nodes = (min(8, 2 * gpus), nodes) if gpus < 8 else (gpus, 2 * nodes)
        changed = replace(facts, gpus=gpus, nodes=nodes)
        if is_shared_evenly(changed):
            yield changed


def _smaller(name: str, shape: ModelShape) -> Iterator[str]:
    """Hub names of smaller models of the same family, the largest first; none where the family is not known."""
    owner, _, short = name.rpartition("/")
    family = next((key for key in FAMILIES if short.lower().startswith(key)), None)
    if family is None:
        return
    stem, _, size = family.rpartition("-")
    rows = [(key, known_shape(key)) for key in FAMILIES if key.rpartition("-")[0] == stem]
    ordered = sorted(((made.parameters, key) for key, made in rows if made), reverse=True)
    for parameters, key in ordered:
        if parameters < shape.parameters:
            at = short.lower().index(size)
            own = key.rpartition("-")[2]
            wanted = own.upper() if short[at : at + len(size)] != size else own
            yield f"{owner}/{short[:at]}{wanted}{short[at + len(size) :]}".lstrip("/")


def as_json(plan: HardwarePlan, facts: Facts, shape: ModelShape, others: list[HardwarePlan]) -> dict[str, Any]:
    """The plan as JSON values: what ``plan.json`` keeps (beside the hashes) and the tables are drawn from."""
    return {
        "parameters": shape.parameters,
        "gpus": facts.gpus,
        "nodes": facts.nodes,
        "memory_gb": facts.memory_gb,
        "prompt_tokens": facts.prompt_tokens,
        "layout": plan.layout,
        "processes": plan.processes,
        "micro_batch": plan.micro_batch,
        "accumulation": plan.accumulation,
        "checkpointing": plan.checkpointing,
        "rollouts": plan.rollouts,
        "vllm_share": plan.vllm_share,
        "fits": plan.fits,
        "peak_gb": _gb(plan.memory.peak),
        "parts_gb": {name: _gb(size) for name, size in plan.memory.parts().items()},
        "layouts_gb": {other.layout: _gb(other.memory.peak) for other in others},
    }


def _gb(size: float) -> float:
    return round(size / GB, 2)
