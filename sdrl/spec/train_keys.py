"""The tables of training, measuring and limits: train, evaluate, gate, budget, hardware, lint."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sdrl.spec.base import Count, GreedySampling, Quantity, RolloutSampling, Slug, Table, Text
from sdrl.spec.task_keys import Extract


class Reward(Table):
    """Reward of a rollout: the sum of what applies."""

    correct: float = 1.0
    """The verdict is correct."""
    wrong: float = 0.0
    """The verdict is anything else."""
    parsable: float = 0.0
    """Added where a value could be read from a wrong answer."""
    truncated: float = 0.0
    """Added where the rollout hit the length limit."""


class EarlyStop(Table):
    """Training ends when the validation split stops improving."""

    patience: Count = 3
    """Evaluations without a better one."""


class Lora(Table):
    """Low-rank adapters instead of all weights."""

    rank: Count = 32
    """Rank of the adapters."""
    alpha: Count = 64
    """Scale of the adapters."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout inside the adapters."""
    targets: list[Text] | Literal["all-linear"] = "all-linear"
    """Modules that get adapters."""


class Train(Table):
    """How the base model learns."""

    algorithm: Literal["grpo", "sft", "rft", "rloo"] = "grpo"
    """grpo: the paper's. sft: on voted solutions. rft: on right draws. rloo: leave-one-out."""
    epochs: Annotated[float, Field(gt=0)] = 5
    """Passes over the training samples."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-6
    """Peak learning rate of the optimizer."""
    prompts_per_step: Count = 4
    """Prompts in one update; completions are this times rollouts."""
    rollouts: Annotated[int, Field(ge=2)] = 16
    """Completions drawn a prompt (the group)."""
    max_completion_tokens: Count = 2048
    """Longest rollout, in tokens."""
    kl: Annotated[float, Field(ge=0)] = 0.01
    """Weight of the KL divergence from the base model."""
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "grpo"
    """How token losses are averaged."""
    sampling: RolloutSampling = RolloutSampling.model_construct()
    """How rollouts are drawn."""
    zero_variance: Literal["keep", "drop", "replace"] = "drop"
    """Groups whose rewards are all equal: in the mean, out of it, or replaced by other prompts (more rollouts)."""
    per_sample: Count = 4
    """rft: at most so many different right draws of a sample are learned."""
    reward: Reward = Reward.model_construct()
    """Reward of a rollout."""
    lora: Lora | None = None
    """Adapters instead of all weights; null: all weights."""
    early_stop: EarlyStop | None = EarlyStop.model_construct()
    """When to stop before the last epoch; null: never."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Seed of rollouts and order alone, so that trainings differ on the same samples; null: from `seed`."""
    trl: dict[str, Any] = Field(default_factory=dict)
    """Any other field of TRL's GRPOConfig, checked and hashed."""


class Gold(Table):
    """Where the right answer of an evaluation row stands; a bare word is the field."""

    shorthand: ClassVar[str] = "field"

    field: Text
    """Field of the row."""
    extract: Extract | None = None
    """Where the value stands in the field; null: the whole field."""
    map: dict[str, str] | None = None
    """Field value: gold (for label maps)."""


class OptionColumns(Table):
    """Options of a choice row whose right answer has a field of its own."""

    correct: Text
    """Field with the right answer's text."""
    wrong: list[Text]
    """Fields with the wrong answers' texts."""
    shuffle: bool = True
    """Shuffle the letters, seeded by the row."""


class Evaluation(Table):
    """One real test set, read once, after training."""

    name: Slug
    """Name in the report."""
    file: Text | None = None
    """JSONL or Parquet, relative to the spec."""
    dataset: Text | None = None
    """Hub data set, as owner/name."""
    config: str | None = None
    """Configuration of the hub data set."""
    split: str = "test"
    """Split of the hub data set."""
    revision: str | None = None
    """Commit of the hub data set; null: pinned by compile --pin."""
    limit: Quantity | None = None
    """At most so many rows."""
    input: Text = "{input}"
    """Field template of the input: {field} is replaced, data is never read as a template again."""
    gold: Gold = Gold.model_construct(field="output")
    """Where the right answer stands; for a choice with option columns it is the letter of `correct`."""
    options: OptionColumns | dict[str, str] | str | None = None
    """choice: {correct, wrong, shuffle}, letter: field, or one field that holds a list or map."""
    runs: Count = 1
    """How often it is answered (more only makes sense with a temperature)."""
    sampling: GreedySampling = GreedySampling.model_construct()
    """How the models are asked."""
    shift: Literal["iid", "ood"] = "iid"
    """iid: like the task; ood: shifted on purpose, reported beside it."""


class Gate(Table):
    """What a run must reach; otherwise its exit code is 6."""

    min_gain: float = 0.0
    """Smallest gain in accuracy on the first evaluation set, as a share (0.05 = 5 points)."""


class Budget(Table):
    """Caps that are never exceeded."""

    usd: Annotated[float, Field(ge=0)] | None = None
    """US dollars; needs the instructor's price."""
    requests: Quantity | None = None
    """Requests that reach the instructor."""
    tokens: Quantity | None = None
    """Tokens, prompts and completions together."""
    wall_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours of wall time."""


class Hardware(Table):
    """What the run may use."""

    gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs of one machine; 0: what is there."""
    memory_gb: Annotated[float, Field(gt=0)] | None = None
    """Memory of one GPU, in GB; null: not judged."""
    nodes: Count = 1
    """Machines."""


class Silenced(Table):
    """One lint that this spec silences, and why."""

    code: Annotated[str, Field(pattern=r"^W[0-9]{3}$")]
    """Code of the warning."""
    reason: Text | None = None
    """Why it does not apply here; left out, it is asked for."""


class Lint(Table):
    """Warnings that do not apply."""

    ignore: list[Annotated[str, Field(pattern=r"^W[0-9]{3}$")] | Silenced] = Field(default_factory=list)
    """Codes (W301), or {code, reason}."""
