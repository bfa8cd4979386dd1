"""Values to YAML text for edits: the plainest spelling that is read back as exactly the value.

Each candidate spelling of a scalar is parsed and read by the schema before it is taken, so that there are no quoting
rules here that could be wrong. Knows nothing of documents and places (``edits``).
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdrl.spec.base import parse_quantity
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.nodes import Mark, Scalar, parse
from sdrl.spec.reading import BAD, Reader
from sdrl.spec.scalars import as_anything, as_number
from sdrl.spec.shapes import Shape, fields_of

WIDTH = 110
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NOWHERE = Mark(0, 0, 0, 0, 0, 0)
ANYTHING = Shape(anything=True)


@dataclass(frozen=True)
class Written:
    """A value as text: ``inline`` on the key's own line, or ``lines`` (not indented yet) below ``header``."""

    inline: str | None
    header: str = ""
    lines: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Layout:
    """How a document is written: line ending, columns a table is indented by, columns a list's dashes are.

    ``block_texts``: whether texts may be written over lines (``|``), which take in an indented comment below them.
    """

    newline: str = "\n"
    step: int = 2
    dash: int = 2
    block_texts: bool = True


def below(shape: Shape, step: str | int) -> Shape | None:
    """The shape one step down, or None where the language has no such place."""
    if shape.anything:
        return shape
    if isinstance(step, int):
        return shape.item
    if shape.table is not None and step in fields_of(shape.table):
        return fields_of(shape.table)[step].shape
    if shape.values is not None:
        allowed = shape.keys.literals if shape.keys is not None else []
        return shape.values if not allowed or step in allowed else None
    return None


def write(value: Any, shape: Shape, layout: Layout, *, flow: bool, column: int, like: str = "") -> Written:
    """Text of a value that begins in ``column``. ``like``: the first character of the text it replaces.

    Raises:
        SdrlError: the schema reads no spelling of it as this value.
    """
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        inline = _flow(value, shape)
        fits = column + len(inline) <= WIDTH and "\\n" not in inline
        if flow or not value or (fits and (like in ("{", "[") or not _holds_tables(value))):
            return Written(inline)
        return Written(None, lines=tuple(block(value, shape, layout, column)))
    return _scalar(value, shape, blocks=layout.block_texts, flow=flow, column=column, like=like)


def _holds_tables(value: Any) -> bool:
    """Whether a list has tables, or a table has tables that have tables: read better over several lines."""
    if isinstance(value, Mapping):
        return any(isinstance(item, Mapping) and _holds_tables(item) for item in value.values())
    return any(isinstance(item, Mapping) for item in value)


def _flow(value: Any, shape: Shape) -> str:
    if isinstance(value, Mapping):
        items = (f"{write_key(key, flow=True)}: {_flow(item, _below(shape, key))}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item, _below(shape, index)) for index, item in enumerate(value)) + "]"
    inline = _scalar(value, shape, blocks=False, flow=True, column=0, like="").inline
    assert inline is not None  # flow scalars have one line
    return inline


def _below(shape: Shape, step: str | int) -> Shape:
    return below(shape, step) or ANYTHING


def block(value: Any, shape: Shape, layout: Layout, column: int) -> Iterator[str]:
    """Lines of a table or list, the first column of them being 0."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from entry(key, item, _below(shape, key), layout, column)
        return
    for index, item in enumerate(value):
        yield from list_item(item, _below(shape, index), layout, column)


def entry(key: str, value: Any, shape: Shape, layout: Layout, column: int) -> list[str]:
    """Lines of one key with its value."""
    name = write_key(key, flow=False)
    written = write(value, shape, layout, flow=False, column=column + len(name) + 2)
    if written.inline is not None:
        return [f"{name}: {written.inline}"]
    is_list = not written.header and not isinstance(value, Mapping)
    return [f"{name}: {written.header}".rstrip(), *indented(written.lines, layout.dash if is_list else layout.step)]


def list_item(value: Any, shape: Shape, layout: Layout, column: int) -> list[str]:
    """Lines of one item of a block list."""
    written = write(value, shape, layout, flow=False, column=column + 2)
    if written.inline is not None:
        return [f"- {written.inline}"]
    if written.header:
        return [f"- {written.header}", *indented(written.lines, layout.step)]
    first, *rest = written.lines
    return [f"- {first}", *indented(rest, 2)]


def indented(lines: Sequence[str], columns: int) -> list[str]:
    """Lines moved to the right; empty ones stay empty."""
    return [" " * columns + line if line else line for line in lines]


def write_key(key: str, *, flow: bool) -> str:
    """Text of a key."""
    plain = [] if as_number(key) is not None else [key]
    for candidate in (*plain, *_quoted(key)):
        text = f"{{{candidate}: 1}}" if flow else f"{candidate}: 1\n"
        try:
            items = getattr(parse(text).root, "items", [])
        except UnicodeEncodeError:  # half of a surrogate pair
            break
        if len(items) == 1 and isinstance(items[0], tuple) and items[0][0].text == key and items[0][1].text == "1":
            return candidate
    raise SdrlError("E114", f"the key {key!r} cannot be written", help="use letters, digits and underscores")


def _scalar(value: Any, shape: Shape, *, blocks: bool, flow: bool, column: int, like: str) -> Written:
    text = _spelling(value)
    for candidate in _candidates(value, text, blocks=blocks and not flow, column=column, like=like):
        node = _parsed(candidate, flow=flow)
        if node is not None and node.text == text and _means(node, value, shape):
            if not flow or _parsed(candidate, flow=False) == node:  # other parsers are stricter inside brackets
                return candidate
    reader = Reader("")
    node = Scalar(text, not isinstance(value, str), _NOWHERE)
    if reader.value(node, shape, ("value",), _NOWHERE) is BAD and reader.problems:
        problem = reader.problems[0]
        raise SdrlError(problem.code, problem.message.removeprefix("value "), help=problem.help)
    raise SdrlError("E114", f"{_short(text)} cannot be written here", help="check the type and the characters")


def _spelling(value: Any) -> str:
    """The text that a scalar's node must have."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _candidates(value: Any, text: str, *, blocks: bool, column: int, like: str) -> Iterator[Written]:
    if not isinstance(value, str):
        yield Written(text)
        return
    block = blocks and text.strip() != ""
    if block and ("\n" in text or like == "|") and not text.endswith("\n\n"):
        yield Written(None, "|" if text.endswith("\n") else "|-", tuple(text.removesuffix("\n").split("\n")))
    if block and "\n" not in text and (like == ">" or (not like and column + len(text) > WIDTH)):
        lines = textwrap.wrap(text, WIDTH - 10, break_long_words=False, break_on_hyphens=False)
        yield Written(None, ">-", tuple(lines))
    if like not in ('"', "'") and isinstance(as_anything(text, True), str):
        yield Written(text)
    for quoted in _quoted(text, single_first=like == "'"):
        yield Written(quoted)


def _quoted(text: str, *, single_first: bool = False) -> list[str]:
    double = _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04X}", json.dumps(text, ensure_ascii=False))
    single = "'" + text.replace("'", "''") + "'"
    if "\n" in text:
        return [double]
    first = single_first or (("\\" in text or '"' in text) and "'" not in text)
    return [single, double] if first else [double, single]


def _parsed(written: Written, *, flow: bool) -> Scalar | None:
    """The scalar that a spelling is parsed as, where it stands as the value of a key."""
    if written.inline is None:
        text = "\n".join([f"k: {written.header}", *indented(written.lines, 2)]) + "\nz: 1\n"
    elif flow:
        text = f"{{k: {written.inline}, z: [{written.inline}]}}"
    else:
        text = f"k: {written.inline}\nz: 1\n"
    if not text.isprintable() and _UNSAFE.search(text):
        return None
    try:
        parsed = parse(text)
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    items = getattr(parsed.root, "items", [])
    if parsed.problems or len(items) != 2 or not isinstance(items[0], tuple) or items[1][0].text != "z":
        return None
    node = items[0][1]
    return Scalar(node.text, node.plain, _NOWHERE) if isinstance(node, Scalar) else None


def _means(node: Scalar, value: Any, shape: Shape) -> bool:
    """Whether the schema reads the scalar as the value."""
    read = Reader("").value(node, shape, ("value",), _NOWHERE)
    if read is BAD:
        return False
    if isinstance(read, dict):  # a shorthand: a bare value for a table
        read = next(iter(read.values()), None)
    return same(read, value, shape)


def same(read: Any, value: Any, shape: Shape) -> bool:
    """Whether what was read is the wanted value; numbers and words may stand for text, ``20M`` for a quantity."""
    if isinstance(read, bool) or isinstance(value, bool):
        return read is value or (isinstance(read, str) and read == _spelling(value))
    if isinstance(read, int | float) and isinstance(value, int | float):
        return read == value
    if isinstance(read, str) and isinstance(value, int | float):
        return read == _spelling(value)
    if shape.quantity and isinstance(value, str) and isinstance(read, int):
        return bool(parse_quantity(value) == read)
    return type(read) is type(value) and read == value


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
