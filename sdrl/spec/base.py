"""What every table of the spec is built from: the strict base class and the declared scalar types.

A string under a field is its documentation: ``sdrl schema`` and ``_reference.yaml`` are made from it (read from the
source when asked, so that start-up does not pay for it).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_SUFFIXES = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9}
QUANTITY = r"^[0-9]{1,18}(\.[0-9]{1,18})?[kKMGB]$"
_QUANTITY = re.compile(QUANTITY.strip("^$"))
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Table(BaseModel):
    """One mapping of the spec: unknown keys are errors, values do not change after loading."""

    shorthand: ClassVar[str] = ""
    """Key that a bare scalar stands for, if any."""

    nullable: ClassVar[bool] = True
    """Whether null may be written where a key may be left out; if not, ``~`` is a text like any other."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


def parse_quantity(value: Any) -> Any:
    """``20M`` → 20000000, ``1.5k`` → 1500; anything else is left for the validator to judge."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        return value
    number = Decimal(value[:-1]) * _SUFFIXES[value[-1]]
    return int(number) if number == int(number) else value


Quantity = Annotated[
    int,
    BeforeValidator(parse_quantity),
    Field(ge=0),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": QUANTITY}]}),
]
Share = Annotated[float, Field(ge=0, le=1)]
Slug = Annotated[str, Field(pattern=SLUG, max_length=80)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


class Sampling(Table):
    """How a model is asked; always sent in full, so that no default leaks from a model folder."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = 1.0
    """Softmax temperature; 0 is greedy. null: not sent (some models refuse it)."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 1.0
    """Nucleus: the smallest set of tokens with this probability. null: not sent."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Only the k likeliest tokens. null: off."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """The longest reply, in tokens. null: not sent (base model: train.max_completion_tokens)."""
    stop: list[str] = Field(default_factory=list)
    """Texts that end a reply."""

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, as it goes into requests and cache keys."""
        return self.model_dump(mode="json")


class WritingSampling(Sampling):
    """Defaults where the instructor writes examples (paper: temperature 0.7)."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = 0.7
    max_tokens: Annotated[int, Field(ge=1)] | None = 1024


class AnsweringSampling(Sampling):
    """Defaults where answers are drawn for votes and pass rates (paper: temperature 0.7)."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = 0.7
    max_tokens: Annotated[int, Field(ge=1)] | None = 2048


class GreedySampling(Sampling):
    """Defaults where a model is measured: greedy."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = 0.0
    max_tokens: Annotated[int, Field(ge=1)] | None = 2048


class RolloutSampling(Sampling):
    """Defaults of training rollouts (paper: temperature 1.2)."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = 1.2
