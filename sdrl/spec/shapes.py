"""What the key tree allows at each place, read once from the models: the schema that scalars are typed by.

A ``Shape`` is a field's annotation with its union flattened: which literals, whether text, number, truth value, null,
list, table or free mapping may stand there. Knows nothing of YAML.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from sdrl.spec.base import Table, parse_quantity


@dataclass
class Shape:
    """What may stand at one place of a spec."""

    literals: list[Any] = field(default_factory=list)
    null: bool = False
    text: bool = False
    integer: bool = False
    real: bool = False
    quantity: bool = False
    truth: bool = False
    anything: bool = False
    item: Shape | None = None
    table: type[Table] | None = None
    values: Shape | None = None
    keys: Shape | None = None

    @property
    def number(self) -> bool:
        """Whether any number may stand here."""
        return self.integer or self.real

    def expected(self) -> str:
        """What may stand here, in words."""
        words: list[str] = []
        if self.quantity:
            words.append("a whole number or a quantity such as 20M")
        elif self.number:
            words.append("a number" if self.real else "a whole number")
        if self.truth:
            words.append("true or false")
        words += [_literal(value) for value in self.literals]
        if self.text:
            words.append("a text")
        if self.item is not None:
            words.append("a list")
        if self.table is not None or self.values is not None:
            words.append("a table of keys")
        if self.null:
            words.append("null")
        return " or ".join(words) if len(words) < 3 else ", ".join(words[:-1]) + " or " + words[-1]


@dataclass(frozen=True)
class Field:
    """One key of a table."""

    key: str
    shape: Shape
    required: bool


@cache
def fields_of(table: type[Table]) -> dict[str, Field]:
    """The keys of a table as a user writes them, in their order."""
    found = {}
    for name, info in table.model_fields.items():
        key = info.alias or name
        annotation = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        shape = shape_of(annotation)
        shape.null = shape.null and table.nullable
        found[key] = Field(key, shape, info.is_required())
    return found


def shape_of(annotation: Any) -> Shape:
    """The shape of one annotation."""
    shape = Shape()
    _fill(shape, annotation)
    return shape


_SCALARS = {int: "integer", float: "real", Decimal: "real", bool: "truth", str: "text", Any: "anything"}


def _fill(shape: Shape, annotation: Any) -> None:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is None or annotation is type(None):
        shape.null = True
    elif origin is Annotated:
        shape.quantity = shape.quantity or any(
            isinstance(extra, BeforeValidator) and extra.func is parse_quantity for extra in arguments[1:]
        )
        _fill(shape, arguments[0])
    elif origin is typing.Union or origin is types.UnionType:
        for member in arguments:
            _fill(shape, member)
    elif origin is Literal:
        shape.literals += arguments
    elif origin is list:
        shape.item = shape_of(arguments[0])
    elif origin is dict:
        shape.keys, shape.values = shape_of(arguments[0]), shape_of(arguments[1])
    elif annotation in _SCALARS:
        setattr(shape, _SCALARS[annotation], True)
    elif isinstance(annotation, type) and issubclass(annotation, Table):
        shape.table = annotation
    else:
        raise TypeError(f"the key tree uses an annotation that shapes does not know: {annotation!r}")


def _literal(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
