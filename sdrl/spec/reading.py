"""Nodes and shapes to plain data: scalars typed by the schema, every problem collected with its place.

A value that cannot be read is left out and its path remembered, so that the rest of the spec is still checked.
Ranges and patterns are the models' own business; this module answers: is this key known, is anything missing, is this
the right kind of value, is this one of the allowed words.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, cast

from sdrl.spec.base import Table, parse_quantity
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.nearest import closest
from sdrl.spec.nodes import Mapping, Mark, Node, Scalar, Sequence
from sdrl.spec.scalars import NULLS, TRUTHS, as_anything, as_number
from sdrl.spec.shapes import Shape, fields_of

Path = tuple[str | int, ...]
BAD: Any = object()
# words that people write and this version does not run: what helps them
_ELSEWHERE: dict[tuple[Path, str], str] = {
    (("train", "algorithm"), "ppo"): (
        "TRL dropped PPO: use grpo or rloo here, or train with verl's PPO on what 'sdrl export RUN --to verl' writes"
    ),
}
# tables that decide which samples and which checkpoint count, and the keys by which one could point them at a test set
_SELECTING: frozenset[Path] = frozenset({("validate",), ("select",), ("train", "early_stop")})
_TEST_SETS = frozenset("file files dataset evaluate evaluation evaluations metric monitor on set split test".split())
_OWN_CODES: dict[Path, str] = {("extends",): "E208", ("sdrl",): "E209"}
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def dotted(path: Path) -> str:
    """``("evaluate", 0, "gold")`` → ``evaluate.0.gold``."""
    return ".".join(map(str, path))


class Reader:
    """Reads one spec; ``problems`` and ``bad`` (paths without a usable value) grow as it goes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Diagnostic] = []
        self.bad: set[Path] = set()

    def report(
        self, code: str, path: Path, mark: Mark, message: str, help_: str | None = None, found: str | None = None
    ) -> Any:
        """Collect a problem and say that there is no usable value."""
        self.bad.add(path)
        self.problems.append(
            Diagnostic(
                code,
                message,
                path=dotted(path),
                file=self.file,
                line=mark.line + 1,
                column=mark.column + 1,
                end_line=mark.end_line + 1,
                end_column=mark.end_column + 1,
                found=found,
                help=help_,
            )
        )
        return BAD

    def table(self, node: Mapping, table: type[Table], path: Path, at: Mark) -> dict[str, Any]:
        """Read a table: known keys by their shapes; unknown and missing ones are problems. ``at`` marks its key."""
        fields = fields_of(table)
        data: dict[str, Any] = {}
        meant: set[str | None] = set()
        for key, value in node.items:
            if key.text not in fields:
                meant.add(self._unknown_key(key, fields, path, _home(key.text, value, table)))
                continue
            if key.text in data:
                continue  # doubled: reported when parsed
            read = self.value(value, fields[key.text].shape, (*path, key.text), key.mark)
            if read is not BAD:
                data[key.text] = read
        present = {key.text for key, _ in node.items}
        for name, field in fields.items():
            if field.required and name not in present and name in meant:
                self.bad.add((*path, name))  # its misspelling was reported: one mistake, one message
            elif field.required and name not in present:
                where = f"{dotted(path)}: " if path else ""
                message = f"{where}the key '{name}' is missing"
                self.report("E203", (*path, name), at, message, f"add: {name}: {_example(name, field.shape)}")
        return data

    def _unknown_key(self, key: Scalar, known: Iterable[str], path: Path, home: str = "") -> str | None:
        """Report it; returns the key that was probably meant. ``home`` is how it is written right."""
        names = list(known)
        near = None if home else closest(key.text, names)
        first, _, rest = key.text.partition(" ")
        shown = ", ".join(names) if len(names) <= 12 else ", ".join(names[:12]) + ", …"
        help_ = f"did you mean '{near}'?" if near else f"keys here: {shown}"
        if home:
            help_ = f"it belongs one table deeper: {home}"
        if key.text.isdigit():
            help_ = "write numbers without commas: a comma begins the next key"
        elif rest and first in names:
            near, help_ = first, f"a ':' is missing: {first}: {rest}"
        if path in _SELECTING and key.text in _TEST_SETS:
            message = f"{dotted(path)}.{key.text}: a test set cannot select"
            help_ = "samples and checkpoints are chosen on synthetic data alone; name test sets under 'evaluate'"
            self.report("E333", (*path, key.text), key.mark, message, help_, key.text)
            return None
        where = f" in {dotted(path)}" if path else ""
        self.report("E202", (*path, key.text), key.mark, f"unknown key '{shortened(key.text)}'{where}", help_, key.text)
        return near

    def value(self, node: Node, shape: Shape, path: Path, key: Mark) -> Any:
        """Read one value; BAD when it is of the wrong kind."""
        if shape.anything:
            return anything(node)
        if isinstance(node, Scalar):
            return self._scalar(node, shape, path)
        if isinstance(node, Sequence):
            if shape.item is None:
                return self._wrong_kind(node, shape, path, "a list")
            read = [self.value(item, shape.item, (*path, index), item.mark) for index, item in enumerate(node.items)]
            if shape.item.table is not None:
                read = [{} if item is BAD else item for item in read]  # keeps the places of the others
            return BAD if any(item is BAD for item in read) else read
        return self._mapping(node, shape, path, key)

    def _mapping(self, node: Mapping, shape: Shape, path: Path, key: Mark) -> Any:
        names = {name.text for name, _ in node.items}
        if shape.table is not None and (shape.values is None or names & set(fields_of(shape.table))):
            return self.table(node, shape.table, path, key)
        if shape.values is None:
            return self._wrong_kind(node, shape, path, "a table of keys")
        read: dict[str, Any] = {}
        for name, value in node.items:
            allowed = shape.keys.literals if shape.keys is not None else []
            if allowed and name.text not in allowed:
                self._unknown_key(name, allowed, path)
                continue
            item = self.value(value, shape.values, (*path, name.text), name.mark)
            if item is not BAD:
                read.setdefault(name.text, item)
        return read

    def _wrong_kind(self, node: Node, shape: Shape, path: Path, found: str) -> Any:
        message = f"{dotted(path)} must be {shape.expected()}, not {found}"
        from sdrl.spec.advice import for_kind

        help_ = for_kind(node, shape, str(path[-1]) if path else "")
        if path[:2] == ("answer", "options") and len(path) == 3:
            help_ = "a table gives each answer its spellings: billing: [billing, payments]; answers alone are a list"
            if len(str(path[2])) == 1:
                help_ = "write the letters alone: options: [A, B, C, D]; the texts of options come with each sample"
        return self.report("E201", path, _head(node), message, help_, found)

    def _scalar(self, node: Scalar, shape: Shape, path: Path) -> Any:
        text = node.text
        if node.plain and shape.null and text in NULLS:
            return None
        for literal in shape.literals:
            if text == str(literal) or (isinstance(literal, bool) and node.plain and TRUTHS.get(text) is literal):
                return literal
        if shape.truth and node.plain and text in TRUTHS:
            return TRUTHS[text]
        if shape.number and node.plain:
            number = _number(text, shape)
            if number is not None:
                return number
        if shape.text:
            return text
        if shape.table is not None and shape.table.shorthand:
            inner = self._scalar(node, fields_of(shape.table)[shape.table.shorthand].shape, path)
            return BAD if inner is BAD else {shape.table.shorthand: inner}
        return self._bad_scalar(node, shape, path)

    def _bad_scalar(self, node: Scalar, shape: Shape, path: Path) -> Any:
        text = node.text
        if not (shape.literals or shape.number or shape.truth):
            return self._wrong_kind(node, shape, path, "nothing" if not text else f"the text '{shortened(text)}'")
        found = shortened(text)
        if shape.literals and not shape.number and not shape.truth:
            words = [_word(value) for value in shape.literals]
            near = closest(text, words)
            listed = f"one of: {', '.join(words)}" if len(words) > 1 else f"write {words[0]}"
            advice = f"did you mean '{near}'?" if near and len(words) > 1 else listed
            advice = _ELSEWHERE.get((path, text.lower()), advice)
            code = _OWN_CODES.get(path, "E205")
            return self.report(code, path, node.mark, f"{dotted(path)} cannot be '{found}'", advice, found)
        help_: str | None = None
        if shape.truth and text.lower() in _YES:
            help_ = f"write {_YES[text.lower()]}"
        elif shape.number and not node.plain and as_number(text) is not None:
            help_ = f"remove the quotes: {text}"
        elif shape.number:
            from sdrl.spec.advice import for_number

            meant = for_number(text, shape)
            help_ = f"write {meant}" if meant else None
        what = "nothing" if not text else "null" if node.plain and text in NULLS else f"'{found}'"
        return self.report(
            "E204", path, node.mark, f"{dotted(path)} must be {shape.expected()}, not {what}", help_, found
        )


def _home(key: str, value: Node, table: type[Table]) -> str:
    """How the key is written in the one table right below ``table`` that has it; empty where none or several have."""
    name = _homes(table).get(key, "")
    written = shortened(value.text) if isinstance(value, Scalar) else "…"
    return f"{name}: {{{key}: {written}}}" if name else ""


@cache
def _homes(table: type[Table]) -> dict[str, str]:
    """Key → the one table right below ``table`` that has it."""
    found: dict[str, str] = {}
    for name, field in fields_of(table).items():
        below = field.shape.table if field.shape.item is None else None
        for key in fields_of(below) if below is not None else ():
            found[key] = "" if key in found else name
    return found


def _example(key: str, shape: Shape) -> str:
    """What may be written for a missing key."""
    from sdrl.spec.advice import EXAMPLES

    if shape.literals:
        return _word(shape.literals[0])
    return EXAMPLES.get(key) or ("…" if shape.text else shape.expected())


def _number(text: str, shape: Shape) -> int | float | None:
    number: Any = parse_quantity(text) if shape.quantity else text
    if isinstance(number, str):
        number = as_number(text)
    if shape.real or not isinstance(number, float) or number != int(number):
        return cast("int | float | None", number)  # a fraction where a whole number must stand is the model's to refuse
    return int(number)


def anything(node: Node) -> Any:
    """A value the schema says nothing about: YAML 1.2."""
    if isinstance(node, Scalar):
        return as_anything(node.text, node.plain)
    if isinstance(node, Sequence):
        return [anything(item) for item in node.items]
    return {key.text: anything(value) for key, value in node.items}


def _head(node: Node) -> Mark:
    """A mark that ends on the line where the value begins: block values run on over following lines."""
    mark = node.mark
    if mark.end_line == mark.line:
        return mark
    return Mark(mark.line, mark.column, mark.index, mark.line, mark.column + 1, mark.index + 1)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def shortened(text: str) -> str:
    """A text on one line, of at most 40 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"
