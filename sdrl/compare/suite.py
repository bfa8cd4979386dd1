"""The language of a suite: one spec, and how its arms, budgets and seeds differ from it.

An arm is a list of changes to the spec, written as dotted keys (``vote.draws: 1``); what may stand there is the spec's
own schema. What no key of a spec can say, because nobody trains so on purpose, is a ``control``.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sdrl.spec.base import Quantity, Share, Slug, Table, Text
from sdrl.spec.model import Evaluation, Gold, OptionColumns

FORMAT = 1


class Control(Table):
    """What an arm does wrong on purpose."""

    reward: Literal["correct", "random", "format", "shuffled"] = "correct"
    """Reward of a rollout: random, format (readable is enough), shuffled (another problem's gold)."""
    labels: Literal["voted", "own-majority"] = "voted"
    """Golds of the training and validation samples: the vote's, or the base model's own majority."""
    samples: Literal["synthetic", "human-same", "human-whole"] = "synthetic"
    """What is trained on: the selected samples, as many of the suite's human data, or all of these."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is done otherwise."""
        return self.reward == "correct" and self.labels == "voted" and self.samples == "synthetic"


class DemoCount(Table):
    """How many demos an arm has: of the spec's own, then of the human data."""

    shorthand: ClassVar[str] = "count"

    count: Annotated[int, Field(ge=0)]
    """So many; an arm that is to have more than there are is refused."""
    take: Literal["first", "sample"] = "first"
    """Of the spec's own the first, or a sample that its seed decides; smaller counts are part of larger ones."""


class Arm(Table):
    """One recipe; a bare name is a baseline."""

    shorthand: ClassVar[str] = "baseline"

    name: Slug | None = None
    """Name in the table; null: the baseline's."""
    baseline: Slug | None = None
    """A named arm to begin with: reference, no-adaptation, sft, random-reward, … (docs/compare.md)."""
    about: Text | None = None
    """What it is, in a line."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to the spec: dotted key and value."""
    demos: DemoCount | None = None
    """Demos in place of the spec's, by number; null: as the spec and `set` have them."""
    updates: Literal["own", "reference"] = "own"
    """reference: train.epochs is set so that there are as many updates as the first arm has."""
    control: Control = Control.model_construct()
    """What it does wrong on purpose."""
    needs: Literal["nothing", "instructor"] = "nothing"
    """instructor: says nothing with the scripted one, so the cell is left open there."""
    seeds: Annotated[int, Field(ge=1)] | None = None
    """Only the first so many training seeds; null: all."""


class HumanData(Table):
    """Training data that people wrote, for the arms that train on it; read as an evaluation set is."""

    file: Text | None = None
    """JSONL or Parquet, relative to the suite."""
    dataset: Text | None = None
    """Hub data set, as owner/name."""
    config: str | None = None
    """Configuration of the hub data set."""
    split: str = "train"
    """Split of the hub data set."""
    revision: str | None = None
    """Commit of the hub data set; null: its newest."""
    limit: Quantity | None = None
    """At most so many rows."""
    input: Text = "{input}"
    """Field template of the input."""
    gold: Gold = Gold.model_construct(field="output")
    """Where the right answer stands; with extract, the field whole is the solution that sft learns."""
    options: OptionColumns | dict[str, str] | str | None = None
    """As in an evaluation set."""

    def as_evaluation(self) -> Evaluation:
        """The same as a set that the compiler reads."""
        return Evaluation.model_validate({"name": "human", **self.model_dump(by_alias=True)})


class Budget(Table):
    """One size at which every arm is run."""

    name: Slug
    """Name in the table."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to the spec: dotted key and value."""


class Comparison(Table):
    """One question: the first arm against the second. All of them are one family for Holm's correction."""

    arm: Slug
    """The arm in question."""
    against: Slug | None = None
    """The arm it is held against; null: the first of the suite."""
    question: Text | None = None
    """What is asked, in words."""


class Suite(Table):
    """A whole suite."""

    suite: Literal[1]
    """Version of this language."""
    name: Slug
    """Name; the suite runs in runs/NAME."""
    about: Text | None = None
    """What it asks, in a line."""
    extends: Slug | None = None
    """A suite that ships with sdrl (sdrl compare --list): its arms, questions and changes are taken over."""
    spec: Text | None = None
    """The spec that all arms change, relative to the suite; null: one that --spec names."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes to the spec for every cell."""
    arms: list[Arm] = Field(default_factory=list)
    """Recipes; the first is what the others are held against. One of an extended suite's name stands in its place."""
    budgets: list[Budget] = Field(default_factory=list)
    """Sizes; none: the spec's own."""
    human: HumanData | None = None
    """Training data that people wrote, for the arms that train on it."""
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(default_factory=lambda: [0, 1, 2])
    """Training seeds: rollouts and order. The data of an arm is the same for all."""
    compare: list[Comparison] = Field(default_factory=list)
    """Questions; none: every arm against the first."""
    evaluation: Slug | None = None
    """The evaluation set that decides; null: the spec's first."""
    margin: Share = 0.02
    """Two arms within this share of right answers are the same for all purposes (0.02: two points)."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Chance of a false find, over all questions together."""
