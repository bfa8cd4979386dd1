"""Edits of a spec as splices of its text: comments, order, quoting, line endings stay as they are everywhere else.

``apply(text, edits)`` is pure. An ``Edit`` names a place (dotted path, or a list of keys and indices), one of four
operations, and plain data as value:

- ``set``     the value at a place; tables and a key's place in the language's order are made where they are missing. A
  table or list that is set anew changes only where it differs.
- ``insert``  an item before ``path``'s index of a list (``demos.0``; ``demos.-`` appends).
- ``remove``  a key, or an item of a list.
- ``move``    an item of a list, to the index ``to``.

The value must be of the right kind for its key (E2xx); ranges and what a spec lacks are for ``load_spec`` to say. After
each splice the text is parsed again and must hold exactly the wanted tree, else nothing is changed and the edit fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_places import Document
from sdrl.spec.edit_splice import Splice, Step, raw
from sdrl.spec.edit_writing import ANYTHING, below, same
from sdrl.spec.model import Spec
from sdrl.spec.nearest import closest
from sdrl.spec.nodes import Mapping as MappingNode
from sdrl.spec.nodes import Mark, Node, Scalar
from sdrl.spec.nodes import Sequence as SequenceNode
from sdrl.spec.reading import BAD, Reader
from sdrl.spec.scalars import NULLS
from sdrl.spec.shapes import Shape, fields_of

Operation = Literal["set", "insert", "remove", "move"]
OPERATIONS: tuple[str, ...] = get_args(Operation)
APPEND = "-"
_ROOT = Shape(table=Spec)
_NOWHERE = Mark(0, 0, 0, 0, 0, 0)
_KEYS = ("operation", "path", "value", "to")


@dataclass(frozen=True)
class Edit:
    """One change. ``path`` is dotted, or a tuple where a key has a dot in it; ``to`` is the new index of ``move``."""

    operation: Operation
    path: str | tuple[str | int, ...]
    value: Any = None
    to: int | None = None

    @classmethod
    def from_json(cls, data: Any) -> Edit:
        """An edit from JSON data.

        Raises:
            SdrlError: it is none; the message names the key.
        """
        if not isinstance(data, Mapping):
            raise _refused("an edit is an object with operation, path and value", f"not {type(data).__name__}")
        for key in data:
            if key not in _KEYS:
                near = closest(str(key), _KEYS)
                raise _refused(f"an edit has no key '{key}'", f"did you mean '{near}'?" if near else ", ".join(_KEYS))
        operation, path, to = data.get("operation"), data.get("path"), data.get("to")
        if operation not in OPERATIONS:
            near = closest(str(operation), OPERATIONS)
            advice = f"did you mean '{near}'?" if near else f"one of: {', '.join(OPERATIONS)}"
            raise _refused(f"there is no operation '{operation}'", advice)
        if isinstance(path, list) and all(isinstance(step, str | int) for step in path):
            path = tuple(path)
        if not isinstance(path, str | tuple) or not path:
            raise _refused("the path of an edit is a text such as vote.draws", "or a list of keys and indices")
        if operation in ("set", "insert") and "value" not in data:
            raise _refused(f"{operation} at {path} has no value", "add value; null is a value too")
        if (operation == "move") != (isinstance(to, int) and not isinstance(to, bool)):
            raise _refused("move, and only move, has 'to': the new index", "for example to: 0")
        return cls(cast("Operation", operation), path, data.get("value"), to)

    def to_json(self) -> dict[str, Any]:
        """The edit as JSON data; ``from_json`` reads it back."""
        data: dict[str, Any] = {"operation": self.operation}
        data["path"] = self.path if isinstance(self.path, str) else list(self.path)
        if self.operation in ("set", "insert"):
            data["value"] = self.value
        return data | ({"to": self.to} if self.to is not None else {})


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits, one after the other.

    Raises:
        SdrlError: an edit cannot be made (its path is named), or the text is no YAML; nothing is changed then.
    """
    for edit in edits:
        for splice in splices(text, edit):
            text = splice.of(text)
    return text


def splices(text: str, edit: Edit) -> tuple[Splice, ...]:
    """The splices of one edit, each to be made in the text that the ones before it leave.

    Raises:
        SdrlError: as ``apply``.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    change = _Change(Document(text.removeprefix(mark)))
    path = change.path_of(edit.path)
    if edit.operation == "set":
        change.set(path, edit.value)
    elif edit.operation == "insert":
        change.insert(path, edit.value)
    elif edit.operation == "remove":
        change.remove(path)
    else:
        change.move(path, edit.to)
    return tuple(splice.moved(len(mark)) for splice in change.made)


class _Change:
    """One edit under way: the document as it is by now, and the splices that led there."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.made: list[Splice] = []

    def path_of(self, path: str | tuple[str | int, ...]) -> tuple[Step, ...]:
        """The steps of a path: indices where the language, or the text, has a list. Unknown keys are refused."""
        given = path.split(".") if isinstance(path, str) else path
        shape, node, steps = _ROOT, self.document.root, list[Step]()
        for step in given:
            is_index = step == APPEND or str(step).isdigit()
            step_: Step = str(step)
            if is_index and (isinstance(node, SequenceNode) or (shape.item is not None and node is None)):
                step_ = len(getattr(node, "items", ())) if step == APPEND else int(step)
            elif is_index and shape.item is not None and isinstance(node, Scalar):
                step_ = 0 if step == APPEND else int(step)
            found = below(shape, step_)
            if found is None:
                raise _unknown(step_, shape, steps)
            node = _child(node, step_)
            shape = found
            steps.append(step_)
        return tuple(steps)

    def shape(self, path: Sequence[Step]) -> Shape:
        """The shape at a path whose steps exist in the language."""
        shape = _ROOT
        for step in path:
            shape = below(shape, step) or ANYTHING
        return shape

    def node(self, path: Sequence[Step]) -> Node | None:
        """The node at a path, if it is written."""
        node = self.document.root
        for step in path:
            node = _child(node, step)
        return node

    def set(self, path: tuple[Step, ...], value: Any) -> None:
        """Write a value, changing only what differs."""
        node, shape = self.node(path), self.shape(path)
        if node is None:
            self._create(path, value)
            return
        if isinstance(node, MappingNode) and isinstance(value, Mapping) and value and node.items:
            for key in value:
                _known(key, shape, path)
            for key, item in value.items():
                self.set((*path, key), item)
            for key in [key.text for key, _ in node.items if key.text not in value]:
                self.remove((*path, key))
        elif isinstance(node, SequenceNode) and _is_list(value) and value and node.items:
            for index in reversed(range(len(value), len(node.items))):
                self.remove((*path, index))
            for index, item in enumerate(value):
                if index < len(node.items):
                    self.set((*path, index), item)
                else:
                    self.insert((*path, index), item)
        elif not _holds(node, value, shape):
            _check(value, shape, path)
            self._make(path, lambda: self.document.replaced(path, value, shape))

    def _create(self, path: tuple[Step, ...], value: Any) -> None:
        """Write a value whose place, or the tables around it, are not there yet."""
        depth = next(
            depth for depth in range(len(path) - 1, -1, -1) if self.node(path[:depth]) is not None or not depth
        )
        holder, key = self.node(path[:depth]), path[depth]
        for step in reversed(path[depth + 1 :]):
            if isinstance(step, int) and step:
                raise _refused(f"{_dotted(path)} is past the end of its list", "write the items before it first")
            value = [value] if isinstance(step, int) else {step: value}
        place, shape = path[: depth + 1], self.shape(path[: depth + 1])
        _check(value, shape, place)
        if holder is None or isinstance(holder, MappingNode):
            order = list(fields_of(table)) if (table := self.shape(path[:depth]).table) is not None else []
            self._make(place, lambda: self.document.added(place, value, shape, order))
        elif isinstance(holder, SequenceNode):
            self.insert(place, value)
        elif holder.plain and holder.text in NULLS:
            filled = [value] if isinstance(key, int) else {key: value}
            self.set(path[:depth], filled)
        elif (table := self.shape(path[:depth]).table) is not None and table.shorthand:
            short = fields_of(table)[table.shorthand].shape
            bare = Reader("").value(holder, short, (table.shorthand,), _NOWHERE)
            self.set(path[:depth], {table.shorthand: bare, str(key): value})
        else:
            raise _refused(f"{_dotted(path[:depth])} holds a single value, not a table", "set it as a whole")

    def insert(self, path: tuple[Step, ...], value: Any) -> None:
        """Put an item into a list, or write the list if there is none."""
        if not path or not isinstance(path[-1], int):
            raise _refused(f"{_dotted(path)} is no place in a list", "insert takes a path such as demos.0, or use set")
        holder, index, shape = self.node(path[:-1]), path[-1], self.shape(path)
        if isinstance(holder, MappingNode):
            raise _refused(f"{_dotted(path[:-1])} is a table, not a list", "set it as a whole")
        if not isinstance(holder, SequenceNode) or not holder.items:
            if index:
                raise _refused(f"{_dotted(path)} is past the end of its list", "insert at 0")
            self.set(path[:-1], [value])
            return
        if index > len(holder.items):
            last = len(holder.items)
            raise _refused(f"{_dotted(path)} is past the end of its list", f"the last place to insert at is {last}")
        _check(value, shape, path)
        self._make(path, lambda: self.document.inserted(path, value, shape))

    def remove(self, path: tuple[Step, ...]) -> None:
        """Take out a key with its value, or an item."""
        if not path or self.node(path) is None:
            raise _refused(f"{_dotted(path)} is not written", "nothing was removed")
        self._make(path, lambda: self.document.removed(path))

    def move(self, path: tuple[Step, ...], to: int | None) -> None:
        """Take an item of a list to another index."""
        holder = self.node(path[:-1])
        if not isinstance(holder, SequenceNode) or not isinstance(path[-1], int) or self.node(path) is None:
            raise _refused(f"{_dotted(path)} is no item of a list", "move takes a path such as filter.2")
        if to is None or not 0 <= to < len(holder.items):
            raise _refused(f"{_dotted(path)} cannot move to {to}", f"indices go from 0 to {len(holder.items) - 1}")
        if to != path[-1]:
            self._make(path, lambda: self.document.moved(path, to))

    def _make(self, path: tuple[Step, ...], attempt: Any) -> None:
        """Make one splice and go on with what it leaves, if that holds exactly the wanted tree."""
        for _ in range(2):
            splice, wanted = attempt()
            after = Document(splice.of(self.document.text), checked=False)
            if not after.problems and raw(after.root) == wanted:
                self.document = after
                self.made.append(splice)
                return
            self.document.without_block_texts()
        advice = "this place is written in a way that cannot be edited safely; change it by hand"
        raise _refused(f"{_dotted(path)} cannot be changed here", advice)


def _child(node: Node | None, step: Step) -> Node | None:
    if isinstance(node, MappingNode) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _holds(node: Node, value: Any, shape: Shape) -> bool:
    """Whether what is written already reads as the value."""
    if isinstance(node, MappingNode):
        return isinstance(value, Mapping) and not node.items and not value
    if isinstance(node, SequenceNode):
        return _is_list(value) and not node.items and not value
    if isinstance(value, Mapping) or _is_list(value):
        return False
    read = Reader("").value(node, shape, ("value",), _NOWHERE)
    return read is not BAD and not isinstance(read, dict) and same(read, value, shape)


def _check(value: Any, shape: Shape, path: Sequence[Step]) -> None:
    """Refuse unknown keys and wrong kinds anywhere in a value; what it lacks may come with a later edit."""
    if isinstance(value, Mapping):
        if not (shape.anything or shape.table is not None or shape.values is not None):
            raise SdrlError("E201", f"{_dotted(path)} must be {shape.expected()}, not a table of keys")
        for key, item in value.items():
            _known(key, shape, path)
            _check(item, below(shape, str(key)) or ANYTHING, (*path, str(key)))
    elif _is_list(value):
        if not shape.anything and shape.item is None:
            raise SdrlError("E201", f"{_dotted(path)} must be {shape.expected()}, not a list")
        for index, item in enumerate(value):
            _check(item, below(shape, index) or ANYTHING, (*path, index))
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise _refused(f"{_dotted(path)} cannot hold {type(value).__name__}", "a value is plain JSON data")
    else:
        _check_scalar(value, shape, path)


def _check_scalar(value: Any, shape: Shape, path: Sequence[Step]) -> None:
    from sdrl.spec.edit_writing import Layout, write

    try:
        write(value, shape, Layout(), flow=True, column=0)
    except SdrlError as error:
        message = error.message if error.message.startswith(_dotted(path)) else f"{_dotted(path)} {error.message}"
        raise SdrlError(error.code, message, help=error.help) from None


def _known(key: Any, shape: Shape, path: Sequence[Step]) -> None:
    if not isinstance(key, str) or below(shape, key) is None:
        raise _unknown(key, shape, path)


def _unknown(key: Any, shape: Shape, path: Sequence[Step]) -> SdrlError:
    names = list(fields_of(shape.table)) if shape.table is not None else list(shape.keys.literals if shape.keys else [])
    near = closest(str(key), names)
    advice = f"did you mean '{near}'?" if near else f"keys here: {', '.join(names)}" if names else "it holds no keys"
    if shape.item is not None and not names:
        advice = f"it is a list: use an index, or {APPEND} to append"
    where = f" in {_dotted(path)}" if path else ""
    return SdrlError("E202", f"unknown key '{key}'{where}", help=advice)


def _refused(message: str, advice: str) -> SdrlError:
    return SdrlError("E114", message, help=advice)


def _dotted(path: Sequence[Step]) -> str:
    return ".".join(map(str, path))
