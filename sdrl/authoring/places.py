"""Places of a spec by their dotted paths: those it writes, those the language has beside them, what may stand at each.

Goes by the schema and by what is written, right or wrong; a text that is no YAML has the language's places alone. Pure;
the last texts stay parsed, as a person types many keys for one change of the spec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

from sdrl.spec.base import Table
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_values import typed_value
from sdrl.spec.edit_writing import ANYTHING, below
from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mapping, Mark, Node, Scalar, Sequence, parse
from sdrl.spec.presets import PRESETS
from sdrl.spec.reading import BAD, Reader
from sdrl.spec.schema import descriptions
from sdrl.spec.shapes import Shape, fields_of
from sdrl.spec.source import check_text

FEW = 5  # items of a list, or free names of a table, that are gone through before its own path is typed
MOST_FREE = 200  # of them that are gone through then
MOST_DEPTH = 40
MOST_SHOWN, MOST_VALUE = 80, 2_000  # characters of a glimpse, and of a present value that is put into the prompt
NOW, DEFAULT = "as it is now", "the default"
_NOWHERE = Mark(0, 0, 0, 0, 0, 0)
_NOTHING: Any = object()


@dataclass(frozen=True, eq=False)
class Place:
    """One place. ``node`` is what is written there; ``table`` and ``key`` name the key that it is, '' for an item of a
    list or a free name; ``items`` counts the list that it is an item of.
    """

    path: str
    shape: Shape
    node: Node | None
    table: type[Table] | None = None
    key: str = ""
    items: int = 0

    @property
    def free(self) -> int:
        """How many items, or names that are not the language's, are written below it."""
        if isinstance(self.node, Mapping) and self.shape.table is not None and self.shape.values is None:
            return 0
        return len(self.node.items) if isinstance(self.node, Sequence | Mapping) else 0

    @property
    def is_list(self) -> bool:
        """Whether a list may be written here, or is."""
        return self.shape.item is not None and not isinstance(self.node, Mapping)

    @property
    def holds_places(self) -> bool:
        """Whether a value belongs below it, not here: a table, or a list that has items."""
        shape = self.shape
        if shape.anything or shape.text or shape.number or shape.truth or shape.literals:
            return False
        if shape.item is not None:
            return isinstance(self.node, Sequence | Mapping) and bool(self.node.items)
        return shape.values is not None or (shape.table is not None and not shape.table.shorthand)

    @property
    def shorthand(self) -> str:
        """The key that a bare value stands for where a table is meant, '' where it stands for none."""
        return self.shape.table.shorthand if self.shape.table is not None else ""

    @property
    def bare(self) -> Shape | None:
        """What may be written for that key, without braces."""
        table = self.shape.table
        return fields_of(table)[table.shorthand].shape if table is not None and table.shorthand else None

    @property
    def is_words(self) -> bool:
        """Whether some words are all that may stand here, which need not be told beside a list of them."""
        shape = self.shape
        return bool(shape.literals) and not (shape.text or shape.number or shape.truth or shape.null or shape.item)

    @property
    def expected(self) -> str:
        """What may stand here, in words."""
        plain = self.bare.expected() if self.bare is not None else ""
        return ", or ".join(each for each in (plain, self.shape.expected()) if each)

    @property
    def about(self) -> str:
        """What the language says of a key, on one line; of other places a glimpse of what is written."""
        if self.table is not None:
            return " ".join(descriptions(self.table).get(self.key, "").split())
        return _glimpse(self.node)


def _glimpse(node: Node | None) -> str:
    while isinstance(node, Mapping | Sequence):
        if not node.items:
            return ""
        node = node.items[0][1] if isinstance(node, Mapping) else node.items[0]
    return " ".join(node.text[:MOST_SHOWN].split()) if node is not None else ""


@lru_cache(2)
def _root(text: str) -> Node | None:
    return parse(text).root if check_text(text, "").text is not None else None


def places(text: str, typed: str = "") -> tuple[Place, ...]:
    """Every place; of long lists and long free tables only the way that ``typed`` goes, and what it may go on with."""
    found = _near(text)
    entered = (each for each in found if each.free > FEW and typed.startswith(f"{each.path}."))
    return (*found, *(below_it for each in entered for below_it in _below(each, typed, 0)))


@lru_cache(2)
def _near(text: str) -> tuple[Place, ...]:
    """All that needs no path typed: the same for most keys, so that few of them make anything anew."""
    root = _root(text)
    return tuple(_below(Place("", Shape(table=Spec), root if isinstance(root, Mapping) else None), "", 0))


def _below(place: Place, typed: str, depth: int) -> Iterator[Place]:
    is_long = place.free > FEW
    if is_long and not typed.startswith(f"{place.path}."):
        return
    begins = typed[len(place.path) :].lstrip(".").partition(".")[0] if is_long else ""
    for each in _children(place, begins):
        yield each
        if depth < MOST_DEPTH and (not is_long or typed.startswith(f"{each.path}.")):
            yield from _below(each, typed, depth + 1)


def _children(place: Place, begins: str) -> Iterator[Place]:
    """The places right below one: a table's keys in the language's order, then items or free names that begin so."""
    shape, node = place.shape, place.node
    if isinstance(node, Sequence):
        item = shape.item or (ANYTHING if shape.anything else None)
        found = (at for at in range(len(node.items)) if item is not None and str(at).startswith(begins))
        for at in islice(found, MOST_FREE):
            yield Place(f"{place.path}.{at}", item or ANYTHING, node.items[at], items=len(node.items))
        return
    held = {key.text: value for key, value in node.items} if isinstance(node, Mapping) else {}
    fields = fields_of(shape.table) if shape.table is not None else {}
    for key, field in fields.items():
        yield Place(f"{place.path}.{key}".lstrip("."), field.shape, held.get(key), shape.table, key)
    known = [str(name) for name in shape.keys.literals] if shape.keys is not None else []
    names = (
        name
        for name in dict.fromkeys([*known, *held])
        if name.startswith(begins) and name not in fields and "." not in name and is_word(name)
    )
    for name in islice(names, MOST_FREE):
        if (shape_there := below(shape, name)) is not None:
            yield Place(f"{place.path}.{name}", shape_there, held.get(name))


def is_word(text: str) -> bool:
    """Whether a text can be typed as one word of a command."""
    return bool(text) and text.isprintable() and not any(each.isspace() for each in text)


def place_at(text: str, path: str) -> Place | None:
    """The place of a path, or None where the language has none."""
    place = Place("", Shape(table=Spec), _root(text))
    for step in path.split("."):
        node, shape = place.node, place.shape
        is_index = step == "-" or step.isdecimal()
        if is_index and shape.item is not None and not isinstance(node, Mapping):
            found = node.items if isinstance(node, Sequence) else []
            at = int(step) if step != "-" and len(step) < 6 else len(found)
            place = Place(f"{place.path}.{step}", shape.item, found[at] if at < len(found) else None)
            continue
        shape_there = below(shape, step)
        if shape_there is None:
            return None
        is_key = shape.table is not None and step in fields_of(shape.table)
        under = node.get(step) if isinstance(node, Mapping) else None
        place = Place(
            f"{place.path}.{step}".lstrip("."),
            shape_there,
            under,
            shape.table if is_key else None,
            step if is_key else "",
        )
    return place


def text_at(text: str, path: str) -> str:
    """The single value that is written at a path, '' for none."""
    place = place_at(text, path)
    return place.node.text if place is not None and isinstance(place.node, Scalar) else ""


def values_at(text: str, place: Place) -> list[tuple[str, str]]:
    """What may be typed as a place's value, each with what it is: present value, default, the words it takes."""
    shape, bare = place.shape, place.bare
    words = [as_typed(place.path, each) for each in shape.literals]
    words += [str(each) for each in bare.literals] if bare is not None else []
    words += ["true", "false"] if shape.truth else []
    now, default = _present(place), _default(text, place)
    told: dict[str, list[str]] = {}
    is_bare = bare is not None and isinstance(place.node, Scalar)
    for value, what, path in (
        (now, NOW, f"{place.path}.{place.shorthand}" if is_bare else place.path),
        (default, DEFAULT, place.path),
    ):
        if value is not _NOTHING:
            told.setdefault(as_typed(path, value), []).append(what)
    first = [each for each in told if each not in words]
    last = ["null"] if shape.null and "null" not in (*words, *first) else []
    return [(each, ", ".join(told.get(each, ()))) for each in dict.fromkeys([*first, *words, *last])]


def as_typed(path: str, value: Any) -> str:
    """A value as a person types it at a path: plainly where that is read back as it, else as JSON."""
    import json

    if isinstance(value, str) and value and value == " ".join(value.split()):
        try:
            if typed_value(path, value) == value:
                return value
        except SdrlError:
            pass
    return json.dumps(value, ensure_ascii=False, default=str)


def _present(place: Place) -> Any:
    """The value that is written; nothing where that is none, too long to be typed, or a table of places of its own."""
    node = place.node
    if node is None or node.mark.end_index - node.mark.index > MOST_VALUE:
        return _NOTHING
    if place.holds_places and not isinstance(node, Scalar):
        return _NOTHING
    shape = place.bare if place.bare is not None and isinstance(node, Scalar) else place.shape
    read = Reader("").value(node, shape, (place.path,), _NOWHERE)
    if read is not BAD:
        return read
    return node.text if isinstance(node, Scalar) else _NOTHING


def _default(text: str, place: Place) -> Any:
    """What holds where nothing is written: the preset's, else the model's own; nothing for tables and required keys."""
    if place.table is None:
        return _NOTHING
    root = _root(text)
    named = root.get("extends") if isinstance(root, Mapping) else None
    value: Any = PRESETS.get(named.text if isinstance(named, Scalar) else "", PRESETS["recommended"])
    for step in place.path.split("."):
        value = value.get(step, _NOTHING) if hasattr(value, "get") else _NOTHING
    if value is _NOTHING:
        info = next(info for name, info in place.table.model_fields.items() if (info.alias or name) == place.key)
        value = _NOTHING if info.is_required() else info.get_default(call_default_factory=True)
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    if isinstance(value, str | int | float | bool) or (value is None and place.shape.null):
        return value
    return value if isinstance(value, list) and not any(isinstance(each, Table | dict) for each in value) else _NOTHING
