"""The tables that say what the task is: task, parts, answer, prompts, demos, corpus."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sdrl.spec.base import Quantity, Share, Slug, Table, Text

AnswerType = Literal["number", "math", "choice", "boolean", "label", "text", "set", "json", "program"]


class Task(Table):
    """What the model is to learn, as a user would be told."""

    description: Text
    """What to do: first the task type, then the domain, then the skill it needs. May use {params}."""
    input_format: str | None = None
    """What an input looks like; null where there is nothing to say. May use {params}."""
    output_format: Text
    """What an output must look like; names what answer.extract looks for. May use {params}."""
    language: str = "en"
    """Language of inputs and outputs (BCP 47)."""
    license: str | None = None
    """Licence under which the synthetic data may be used (SPDX identifier or text)."""


class Source(Table):
    """Passages or rows: local files, or a data set of the Hugging Face hub."""

    files: list[Text] | None = None
    """Paths or globs relative to the spec: .jsonl, .parquet, .txt, .md."""
    dataset: Text | None = None
    """Hub data set, as owner/name."""
    config: str | None = None
    """Configuration of the hub data set."""
    split: str = "train"
    """Split of the hub data set."""
    revision: str | None = None
    """Commit of the hub data set; null: pinned by compile --pin."""
    limit: Quantity | None = None
    """At most so many rows."""
    text: str = "text"
    """Field that holds the text."""
    title: str | None = "title"
    """Field that holds a title, used where it exists."""
    license: str | None = None
    """Licence of the passages (SPDX identifier or text)."""


class Demo(Table):
    """One worked example."""

    input: Text
    """What the model is given."""
    output: Text
    """A good answer, in the output format."""
    options: dict[str, str] | None = None
    """Texts of the lettered options (choice)."""


class DemoSource(Table):
    """Worked examples read from a file or a hub data set."""

    files: list[Text] | None = None
    """Paths or globs relative to the spec."""
    dataset: Text | None = None
    """Hub data set, as owner/name."""
    config: str | None = None
    """Configuration of the hub data set."""
    split: str = "train"
    """Split of the hub data set."""
    revision: str | None = None
    """Commit of the hub data set."""
    limit: Quantity | None = None
    """At most so many demos."""
    input: Text = "{input}"
    """Field template of the input."""
    output: Text = "{output}"
    """Field template of the output."""
    options: str | dict[str, str] | None = None
    """Field with the options, or letter: field template."""


Demos = list[Demo] | DemoSource


class Part(Table):
    """One part of a task (a subject); inherits everything it does not say."""

    name: Slug
    """Name of the part."""
    params: dict[str, str] = Field(default_factory=dict)
    """Values for the {params} of the task's texts."""
    demos: Demos | None = None
    """Demos of this part; null: the spec's."""
    share: Share | None = None
    """Share of the samples; null: an equal part of what is left."""


class Extract(Table):
    """Where the answer stands in a completion; exactly one kind."""

    nullable: ClassVar[bool] = False

    marker: Text | None = None
    """After this text, to the end of the line."""
    tag: Text | None = None
    """Inside <TAG>…</TAG>."""
    boxed: Literal[True] | None = None
    r"""Inside \boxed{…}."""
    regex: Text | None = None
    """What this pattern's group matches (RE2 syntax)."""
    group: Annotated[int, Field(ge=0)] = 1
    """Group of the pattern."""
    json_: Text | None = Field(default=None, alias="json")
    """This field of a JSON object in the completion."""
    last_number: Literal[True] | None = None
    """The last number of the completion."""
    whole: Literal[True] | None = None
    """The whole completion."""

    @property
    def kind(self) -> str:
        """The one kind that is set, by its key."""
        return next((key for key in EXTRACT_KINDS if getattr(self, _field(key)) is not None), "")

    @property
    def argument(self) -> Any:
        """The value of that kind."""
        return getattr(self, _field(self.kind)) if self.kind else None


EXTRACT_KINDS = ("marker", "tag", "boxed", "regex", "json", "last_number", "whole")


def _field(key: str) -> str:
    return "json_" if key == "json" else key


class Tolerance(Table):
    """How far two numbers may be apart and still be equal."""

    shorthand: ClassVar[str] = "abs"

    abs: Annotated[Decimal, Field(ge=0)] = Decimal("1e-6")
    """Absolute distance."""
    rel: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    """Distance relative to the larger of the two, in absolute value."""


class JsonField(Table):
    """How one field of a JSON answer is compared."""

    type: Literal["number", "math", "boolean", "label", "text"] = "text"
    """Type of the field."""
    tolerance: Tolerance = Tolerance.model_construct()
    """number: as answer.tolerance."""
    options: list[str] | None = None
    """label: the words."""
    ignore_case: bool = True
    """label, text: upper and lower case are one."""


class Answer(Table):
    """What an answer is, where it stands and when two are equal: compiled into the verifier."""

    type: AnswerType
    """Type of the answer."""
    extract: Extract
    """Where it stands in a completion."""
    take: Literal["last", "first", "only"] = "last"
    """Which one where several stand; only: several are wrong."""
    tolerance: Tolerance = Tolerance.model_construct()
    """number, math: how far apart two equal values may be; a bare number means abs."""
    options: list[str] | dict[str, list[str]] | None = None
    """choice: letters. label, set: words (or word: [synonyms]). boolean: {true: [yes], false: [no]}."""
    ignore_case: bool = True
    """label, text, set: upper and lower case are one."""
    separator: str | None = None
    """set: text between the members; null: a comma."""
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    """json: JSON Schema that an answer must satisfy."""
    fields: dict[str, JsonField] | None = None
    """json: the fields that are compared, and how."""
    entry_point: str | None = None
    """program: name of an installed entry point of the group sdrl.verifiers."""


class PromptFile(Table):
    """An own prompt template, or rules added to the shipped one."""

    file: Text | None = None
    """Jinja template, relative to the spec."""
    extra_rules: list[Text] = Field(default_factory=list)
    """Sentences added to the shipped template's rules."""
