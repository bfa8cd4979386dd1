"""What a person types for a key, as plain data: typed by the schema, so that ``yes`` for a text key is a text. Pure."""

from __future__ import annotations

from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_writing import ANYTHING, below
from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mark, parse
from sdrl.spec.reading import BAD, Reader
from sdrl.spec.shapes import Shape

_NOWHERE = Mark(0, 0, 0, 0, 0, 0)
_QUOTES = ("'", '"')


def typed_value(path: str, text: str) -> Any:
    """The value that ``text`` means at a dotted path of a spec: a scalar, ``[a, b]`` or ``{key: value}``.

    Raises:
        SdrlError: it is no value of that place; the message names the path.
    """
    shape = _shape(path)
    text = text.strip()
    if shape.text and not text.startswith(_QUOTES) and not _takes_tables(shape, text):
        return None if shape.null and text in ("null", "~") else _literal(shape, text)
    parsed = parse(text)
    if parsed.problems or parsed.root is None:
        found = parsed.problems[0].message if parsed.problems else "nothing is there"
        raise SdrlError("E201", f"no value for {path} can be read: {found}", help=f"expected {shape.expected()}")
    reader = Reader("")
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
    value = reader.value(parsed.root, shape, steps, _NOWHERE)
    if reader.problems:
        first = reader.problems[0]
        raise SdrlError(first.code, first.message, help=first.help)
    if value is BAD:
        raise SdrlError("E201", f"{path} must be {shape.expected()}")
    return value


def _shape(path: str) -> Shape:
    """The shape at a path; what the language does not know is left to the edit to refuse."""
    shape = Shape(table=Spec)
    for step in path.split("."):
        is_index = step == "-" or step.isdigit()
        if is_index and shape.item is not None:
            shape = shape.item
        else:
            shape = below(shape, step) or ANYTHING
    return shape


def _takes_tables(shape: Shape, text: str) -> bool:
    """Whether brackets are the beginning of a list or table here, and no text."""
    return (shape.item is not None and text.startswith("[")) or (
        (shape.table is not None or shape.values is not None) and text.startswith("{")
    )


def _literal(shape: Shape, text: str) -> Any:
    """A text as it is, but for the truth values and numbers that this place takes as well."""
    read = Reader("")
    parsed = parse(text) if shape.literals or shape.truth or shape.number else None
    if parsed is None or parsed.problems or parsed.root is None:
        return text
    value = read.value(parsed.root, shape, (), _NOWHERE)
    return text if value is BAD else value
