"""The key tree of spec version 1: one pydantic model a table.

``Spec`` is the whole tree after preset and defaults were filled in; every other layer reads settings from it. The
tables live in ``task_keys``, ``stage_keys``, ``model_keys`` and ``train_keys`` and are re-exported here.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sdrl.spec.base import Sampling, Slug, Table
from sdrl.spec.model_keys import Base, Embedder, Instructor, Models, Price, Server
from sdrl.spec.stage_keys import (
    Adapt,
    FilterStep,
    Length,
    Probe,
    Retrieve,
    Review,
    Score,
    Select,
    Synthesize,
    Validate,
    Vote,
)
from sdrl.spec.task_keys import (
    EXTRACT_KINDS,
    Answer,
    Demo,
    Demos,
    DemoSource,
    Extract,
    JsonField,
    Part,
    PromptFile,
    Source,
    Task,
    Tolerance,
)
from sdrl.spec.train_keys import (
    Budget,
    EarlyStop,
    Evaluation,
    Gate,
    Gold,
    Hardware,
    Lint,
    Lora,
    OptionColumns,
    Reward,
    Silenced,
    Train,
)

# Algorithm 1's, then those of the other methods (spec/method_table.py)
PromptName = Literal[
    "keywords",
    "pattern",
    "generate",
    "solve",
    "harder",
    "easier",
    "judge",
    "tags",
    "answer",
    "paraphrase",
    "extract",
    "response",
    "instruction",
    "rating",
    "contexts",
    "seeds",
    "correct",
    "personas",
    "topics",
    "subtopics",
    "concepts",
    "reword",
    "reason",
    "declare",
]


def _recommended_filters() -> list[FilterStep]:
    return [FilterStep(duplicates=True), FilterStep(decontaminate=True), FilterStep(rouge_l=0.7)]


class Spec(Table):
    """A task definition and everything that may be chosen about its run."""

    sdrl: Literal[1]
    """Version of the language."""
    name: Slug
    """Name of the spec: small letters, digits, hyphens."""
    extends: Literal["recommended", "paper", "released-code"] = "recommended"
    """The preset that gives the values not written here."""
    task: Task
    """What the model is to learn."""
    params: dict[str, str] = Field(default_factory=dict)
    """Values for {names} in the task's texts; parts override them."""
    parts: list[Part] = Field(default_factory=list)
    """Parts of the task (subjects); each inherits the rest."""
    answer: Answer
    """What an answer is and when two are equal."""
    prompts: dict[PromptName, PromptFile] = Field(default_factory=dict)
    """Own prompt templates by name."""
    demos: Demos = Field(default_factory=list)
    """Worked examples, or where they come from."""
    corpus: list[Source] = Field(default_factory=list)
    """Where grounding passages come from; none: ungrounded."""
    retrieve: Retrieve = Retrieve.model_construct()
    """Which passages ground the samples."""
    synthesize: Synthesize = Synthesize.model_construct()
    """How new samples are written."""
    vote: Vote = Vote.model_construct()
    """How samples get their labels."""
    review: Review = Review.model_construct()
    """What a person judges before training."""
    probe: Probe = Probe.model_construct()
    """The base model's first greedy answers."""
    adapt: Adapt = Adapt.model_construct()
    """Harder and easier samples."""
    score: Score = Score.model_construct()
    """Pass rates of the base model."""
    filter: list[FilterStep] = Field(default_factory=_recommended_filters)
    """What drops a sample, in order."""
    select: Select = Select.model_construct()
    """Which samples train."""
    validate_: Validate = Field(default=Validate.model_construct(), alias="validate")
    """The sealed synthetic split."""
    models: Models | None = None
    """Who writes and who learns; without it a spec compiles and cannot run."""
    train: Train = Train.model_construct()
    """How the base model learns."""
    evaluate: list[Evaluation] = Field(default_factory=list)
    """Real test sets."""
    gate: Gate | None = None
    """What the run must reach."""
    budget: Budget = Budget.model_construct()
    """Caps."""
    hardware: Hardware = Hardware.model_construct()
    """What the run may use."""
    rounds: int = Field(default=1, ge=1)
    """Above 1: adapt, score, select and train again from the trained model."""
    lint: Lint = Lint.model_construct()
    """Warnings that do not apply."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed from which all others are derived."""


__all__ = [
    "EXTRACT_KINDS",
    "Adapt",
    "Answer",
    "Base",
    "Budget",
    "Demo",
    "DemoSource",
    "Demos",
    "EarlyStop",
    "Embedder",
    "Evaluation",
    "Extract",
    "FilterStep",
    "Gate",
    "Gold",
    "Hardware",
    "Instructor",
    "JsonField",
    "Length",
    "Lint",
    "Lora",
    "Models",
    "OptionColumns",
    "Part",
    "Price",
    "Probe",
    "PromptFile",
    "PromptName",
    "Retrieve",
    "Review",
    "Reward",
    "Sampling",
    "Score",
    "Select",
    "Server",
    "Silenced",
    "Source",
    "Spec",
    "Synthesize",
    "Task",
    "Tolerance",
    "Train",
    "Validate",
    "Vote",
]
