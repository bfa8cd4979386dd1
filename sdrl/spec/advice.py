"""How a value of the wrong kind is written right: one line that can be copied into the spec.

Called only where a value was refused, so nothing here costs a good spec anything. Knows which key of a table a person
means who writes a bare value in its place; says nothing where that is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Sequence_

from sdrl.spec.base import Table
from sdrl.spec.nodes import Mapping, Node, Scalar, Sequence
from sdrl.spec.scalars import as_number
from sdrl.spec.shapes import Shape, fields_of

EXAMPLES = {
    "name": "my-task",
    "task": "{description: …, output_format: …}",
    "answer": '{type: number, extract: {marker: "####"}}',
    "extract": '{marker: "####"}',
    "output_format": '"Write the answer after ####."',
    "instructor": "{model: …, endpoint: …}",
    "base": "{model: owner/name}",
    "demos": "[{input: …, output: …}]",
    "models": "{instructor: {model: …}, base: {model: owner/name}}",
    "usd": "150",
    "wall_hours": "24",
    "memory_gb": "80",
}
_KEY_MEANT = {"Instructor": "model", "Base": "model", "Budget": "usd", "Evaluation": "file", "Extract": "marker"}
_SOURCES = ("Source", "DemoSource")
_HUB = re.compile(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+")
_DATA_FILE = re.compile(r"\S+\.[A-Za-z0-9]{2,8}\b|\S*[*?]\S*")
_PLAIN = re.compile(r"[A-Za-z0-9_./*-]+")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_SPACED_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s+([kKMGB])")
_POWER = re.compile(r"(?:([0-9.]+)\s*[x*×]\s*)?10\s*(?:\^|\*\*)\s*\{?([+-]?[0-9]+)\}?")
_UNIT = re.compile(r"([0-9][0-9.,_]*)\s*(?:usd|dollars?|eur|h|hours?|gb|tokens?|requests?)", re.IGNORECASE)


def for_kind(node: Node, shape: Shape, key: str) -> str | None:
    """What to write where a list, a table or a single value stands and another kind must."""
    if isinstance(node, Scalar):
        return _for_scalar(node, shape, key)
    if shape.table is not None and shape.item is None:
        if isinstance(node, Sequence) and node.items and all(isinstance(item, Mapping) for item in node.items):
            return "remove the '- ' before each key: this is one table"
        return _example(shape.table, key)
    if isinstance(node, Mapping) and shape.item is not None:
        return "begin each item with '- '"
    if isinstance(node, Mapping) and shape.text:
        return 'quote a text that holds braces or a colon: "{question}"'
    if isinstance(node, Sequence) and shape.text:
        return "write one value, or quote a text that begins with a bracket"
    return None


def _for_scalar(node: Scalar, shape: Shape, key: str) -> str | None:
    text = node.text
    inner = shape.item.table if shape.item is not None else None
    if shape.table is not None and shape.table.__name__ in _SOURCES and _DATA_FILE.fullmatch(text):
        return f"write {{files: [{_quoted(text)}]}}"
    if inner is not None:
        table = _meant(inner, text)
        return f"write a list of tables: [{table}]" if table else _listed(inner, key)
    if shape.item is not None:
        return f"write a list: [{text}]"
    if shape.table is None:
        return None
    fields = fields_of(shape.table)
    if text in ("true", "yes", "on") and not any(field.required for field in fields.values()):
        return f"write {{}} for its defaults; keys here: {', '.join(fields)}"
    table = _meant(shape.table, text)
    return f"write {table}" if table else _example(shape.table, key)


def _meant(table: type[Table], text: str) -> str:
    """The table that a bare text stands for, or nothing."""
    fields = fields_of(table)
    if text in fields:
        field = fields[text].shape
        value = "true" if field.truth or field.literals == [True] else "…"
        return f"{{{text}: {value}}}"
    name = table.__name__
    if not text or "\n" in text:
        return ""
    if name in _SOURCES:
        is_hub = _HUB.fullmatch(text) is not None
        return f"{{dataset: {text}}}" if is_hub else f"{{files: [{_quoted(text)}]}}"
    if name == "Budget":
        return f"{{usd: {number}}}" if (number := for_number(text, Shape(real=True))) else ""
    key = _KEY_MEANT.get(name)
    return f"{{{key}: {_quoted(text)}}}" if key else ""


def _listed(table: type[Table], key: str) -> str:
    return (
        f"write for example {EXAMPLES[key]}" if key in EXAMPLES else f"keys of each item: {', '.join(fields_of(table))}"
    )


def _example(table: type[Table], key: str) -> str:
    if key in EXAMPLES:
        return f"write for example {EXAMPLES[key]}"
    required = [name for name, field in fields_of(table).items() if field.required]
    if required:
        return f"write {{{', '.join(f'{name}: …' for name in required)}}}"
    return f"keys here: {', '.join(fields_of(table))}"


def _quoted(text: str) -> str:
    """A text as YAML reads it back, in braces too."""
    return text if _PLAIN.fullmatch(text) and not text.startswith(("*", "-")) else '"' + text.replace('"', '\\"') + '"'


def example_at(table: type[Table], path: Sequence_[str | int]) -> str | None:
    """A value that may stand at ``path`` below ``table``: the key's default, or a number that most such keys take."""
    shape: Shape | None = Shape(table=table)
    default: object = None
    for step in path:
        if shape is None:
            return None
        default, holder = None, shape.table
        if isinstance(step, int):
            shape = shape.item
        elif holder is not None and step in fields_of(holder):
            shape, default = fields_of(holder)[step].shape, _default(holder, step)
        else:
            shape = shape.values
    if shape is None:
        return None
    if isinstance(default, int | float | str) and default != "":
        return f"for example: {_written(default)} (the default)"
    if not shape.number:
        return None
    usual = "20M" if shape.quantity else "1" if shape.integer else "0.5"
    return f"for example: {EXAMPLES.get(str(path[-1]), usual)}"


def _default(table: type[Table], key: str) -> object:
    info = next(info for name, info in table.model_fields.items() if key in (name, info.alias))
    return None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})


def _written(value: float | str) -> str:
    """A value as a person writes it in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return re.sub(r"e-0(?=[0-9])", "e-", f"{value:g}") if isinstance(value, float) else str(value)


def for_number(text: str, shape: Shape) -> str | None:
    """The number a text means: without currency, groups, percent signs, units or powers written out."""
    text = text.strip()
    if shape.real and (found := _PERCENT.fullmatch(text)):
        return f"{float(found[1]) / 100:g}"
    if shape.quantity and (found := _SPACED_QUANTITY.fullmatch(text)):
        return found[1] + found[2]
    if shape.real and (found := _POWER.fullmatch(text)):
        return f"{found[1] or 1}e{int(found[2])}"
    bare = _ungrouped(text)
    if as_number(bare) is not None:
        return bare
    if found := _UNIT.fullmatch(bare):
        bare = _ungrouped(found[1])
        return bare if as_number(bare) is not None else None
    return None


def _ungrouped(text: str) -> str:
    """A number without currency and groups of thousands; a comma before one or two last digits is a decimal one."""
    text = text.strip("$€ ").replace("_", "")
    if re.fullmatch(r"[0-9]+,[0-9]{1,2}", text):
        return text.replace(",", ".")
    return text.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", text) else text
