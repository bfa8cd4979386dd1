"""The ``answer`` table of a spec as the verifier's data program (``verifier.json``). Pure."""

from __future__ import annotations

from typing import Any

from sdrl.compiler.canonical import hashable
from sdrl.spec.model import Answer, Extract, JsonField

PROGRAM_VERSION = 1
# the argument of each kind of extractor, under its name in the program
_ARGUMENTS = {"marker": "marker", "tag": "name", "regex": "pattern", "json": "field"}


def verifier_program(answer: Answer) -> dict[str, Any]:
    """The program of an answer: JSON values only, numbers that matter as decimal strings."""
    program: dict[str, Any] = {
        "version": PROGRAM_VERSION,
        "type": answer.type,
        "extract": extract_program(answer.extract),
        "take": answer.take,
        "options": answer.options,
        "ignore_case": answer.ignore_case,
    }
    if answer.type in ("number", "math"):
        program["tolerance"] = {"abs": _plain(answer.tolerance.abs), "rel": _plain(answer.tolerance.rel)}
    if answer.separator is not None:
        program["separator"] = answer.separator
    if answer.schema_ is not None:
        program["schema"] = hashable(answer.schema_)
    if answer.fields is not None:
        program["fields"] = {name: _field(field) for name, field in answer.fields.items()}
    if answer.entry_point is not None:
        program["entry_point"] = answer.entry_point
    return program


def extract_program(extract: Extract) -> dict[str, Any]:
    """Where the answer stands, as the program says it."""
    program: dict[str, Any] = {"kind": extract.kind}
    if name := _ARGUMENTS.get(extract.kind):
        program[name] = extract.argument
    if extract.kind == "regex":
        program["group"] = extract.group
    return program


def _field(field: JsonField) -> dict[str, Any]:
    program: dict[str, Any] = {"type": field.type, "options": field.options, "ignore_case": field.ignore_case}
    tolerance: Any = field.tolerance
    if tolerance is not None and field.type in ("number", "math"):
        bounds = (tolerance.abs, tolerance.rel) if hasattr(tolerance, "abs") else (tolerance, 0)
        program["tolerance"] = {"abs": _plain(bounds[0]), "rel": _plain(bounds[1])}
    return program


def _plain(value: Any) -> str:
    """A decimal without exponent or trailing zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
