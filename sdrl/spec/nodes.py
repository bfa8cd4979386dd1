"""From text to positioned nodes: YAML's structure without its surprises.

Walks the parser's events and stops at a depth limit (composing 100,000 nested lists crashes the C parser); tags,
anchors, aliases, a second document and doubled keys are problems, not features. Scalars keep their own text: what it
means is decided by the schema (``reading``). Positions count from 0 here, as the parser gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.source import lines_of

MOST_DEPTH = 40
MOST_NODES = 20_000
_HASH = re.compile(r"[\s{\[]#")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Mark:
    """Start and end of a value: line and column from 0, index into the text; the end is exclusive."""

    line: int
    column: int
    index: int
    end_line: int
    end_column: int
    end_index: int


@dataclass(slots=True)
class Scalar:
    """One value: its own text, and whether it stood there without quotes."""

    text: str
    plain: bool
    mark: Mark


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: list[Node]
    mark: Mark


@dataclass(slots=True)
class Mapping:
    """A table, keys in their order."""

    items: list[tuple[Scalar, Node]]
    mark: Mark

    def get(self, key: str) -> Node | None:
        """The value of a key, if it is there."""
        return next((value for name, value in self.items if name.text == key), None)


Node = Scalar | Sequence | Mapping


@dataclass
class Parsed:
    """The root of a document, or what is wrong with it."""

    root: Node | None
    problems: list[Diagnostic] = field(default_factory=list)


class _Stop(Exception):
    """Parsing cannot go on; carries the diagnostic."""

    def __init__(self, code: str, message: str, event: Any, help_: str | None = None) -> None:
        super().__init__(message)
        mark, end = event.start_mark, event.end_mark
        self.diagnostic = Diagnostic(
            code,
            message,
            line=mark.line + 1,
            column=mark.column + 1,
            end_line=end.line + 1,
            end_column=end.column + 1,
            help=help_,
        )

    def begin(self, mark: Mark) -> _Stop:
        """Placed where a node begins: the event that closes it may lie behind the last line."""
        line, column = mark.line + 1, mark.column + 1
        self.diagnostic = replace(self.diagnostic, line=line, column=column, end_line=line, end_column=column + 1)
        return self


def parse(text: str) -> Parsed:
    """Parse one YAML document. Problems carry positions from 1 and no file name."""
    problems: list[Diagnostic] = []
    try:
        root = _document(iter(yaml.parse(text, Loader=_LOADER)), problems)
    except _Stop as stop:
        return Parsed(None, [*problems, stop.diagnostic])
    except yaml.MarkedYAMLError as error:
        return Parsed(None, [*problems, _syntax(error, text)])
    except yaml.YAMLError as error:
        return Parsed(None, [*problems, Diagnostic("E105", str(error).splitlines()[0], help="check the YAML syntax")])
    if root is None:
        help_ = "start from an example: sdrl init NAME"
        problems.append(Diagnostic("E112", "there is nothing in this file", line=1, column=1, help=help_))
    return Parsed(root, problems)


def _document(events: Iterator[Any], problems: list[Diagnostic]) -> Node | None:
    root: Node | None = None
    documents = 0
    builder = _Builder(problems)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _Stop("E111", "a second document begins here", event, "keep one spec in a file; remove the '---'")
        elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
            done = builder.take(event)
            root = done if done is not None else root
    return root


class _Builder:
    """A stack machine over events: no recursion, so depth is a number we choose."""

    def __init__(self, problems: list[Diagnostic]) -> None:
        self.problems = problems
        self.stack: list[Sequence | Mapping] = []
        self.keys: list[Scalar | None] = []
        self.seen: list[set[str]] = []
        self.count = 0

    def take(self, event: Any) -> Node | None:
        """Take one event; returns the root when it is complete."""
        if isinstance(event, yaml.CollectionEndEvent):
            node: Node = self._close(event)
        else:
            self._check(event)
            opened = self._open(event)
            if isinstance(opened, Scalar):
                node = opened
            else:
                self.stack.append(opened)
                self.keys.append(None)
                self.seen.append(set())
                return None
        if not self.stack:
            return node
        self._add(node, event)
        return None

    def _check(self, event: Any) -> None:
        self.count += 1
        if len(self.stack) >= MOST_DEPTH:
            raise _Stop("E106", f"nested more than {MOST_DEPTH} deep", event, "a spec is never deeper than 10")
        if self.count > MOST_NODES:
            help_ = "keep data in files of its own and name them in the spec"
            raise _Stop("E107", f"more than {MOST_NODES:,} values", event, help_)
        if isinstance(event, yaml.AliasEvent):
            raise _Stop("E110", f"the alias *{event.anchor}", event, "write the value out: a spec has no aliases")
        if event.anchor is not None:
            raise _Stop("E110", f"the anchor &{event.anchor}", event, "write the value out: a spec has no anchors")
        if event.tag is not None:
            help_ = "remove the tag (quote the text if it begins with '!')"
            raise _Stop("E109", f"the tag {event.tag}", event, help_)

    def _open(self, event: Any) -> Node:
        start, end = event.start_mark, event.end_mark
        mark = Mark(start.line, start.column, start.index, end.line, end.column, end.index)
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, bool(event.implicit[0]), mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence([], mark)
        return Mapping([], mark)

    def _close(self, event: Any) -> Node:
        node = self.stack.pop()
        self.keys.pop()
        self.seen.pop()
        end = event.end_mark
        node.mark.end_line, node.mark.end_column, node.mark.end_index = end.line, end.column, end.index
        return node

    def _add(self, node: Node, event: Any) -> None:
        parent = self.stack[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is not None:
            parent.items.append((key, node))
            self.keys[-1] = None
            return
        if not isinstance(node, Scalar):
            raise _Stop("E113", "a key that is a list or a table", event, "a key is a plain word").begin(node.mark)
        if node.text in self.seen[-1]:
            self._doubled(node, parent)
        self.seen[-1].add(node.text)
        self.keys[-1] = node

    def _doubled(self, key: Scalar, parent: Mapping) -> None:
        first = next(name for name, _ in parent.items if name.text == key.text)
        mark = key.mark
        self.problems.append(
            Diagnostic(
                "E108",
                f"the key '{key.text}' appears twice",
                path=key.text,
                line=mark.line + 1,
                column=mark.column + 1,
                end_line=mark.end_line + 1,
                end_column=mark.end_column + 1,
                found=key.text,
                help=f"the first one is in line {first.mark.line + 1}; keep one of them",
            )
        )


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Diagnostic:
    """The parser's message in words that say what to do, at a place that is in the file."""
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    if mark and opened and not text[mark.index :].strip():
        mark = opened  # the end of the file is no place to look: show what was opened
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = lines_of(text)
    if line > len(lines) or not any(rest.strip() for rest in [lines[line - 1][column - 1 :], *lines[line:]]):
        line = max((number for number, each in enumerate(lines, start=1) if each.strip()), default=1)
        column = len(lines[line - 1].rstrip()) + 1  # the end of what is written, not of the blanks after it
    message, help_ = _worded(error, lines[line - 1], column)
    if "expected ',' or" in str(error.problem) and opened and _HASH.search(lines[opened.line]):
        line, column = opened.line + 1, opened.column + 1
        help_ = "quote a text that holds '#': after a blank it begins a comment"
    if message == UNFIT and mark and (quote := _opened_quote(text, mark.index)):
        message, help_ = f"the quote that opens here ends in line {mark.line + 1}", "close it where its text ends"
        line, column = quote.line + 1, quote.column + 1
    return Diagnostic("E105", message, line=line, column=column, help=help_)


def _opened_quote(text: str, index: int) -> Any:
    """The start of a quoted text of several lines that ends right before ``index``: a quote was probably forgotten."""
    start = None
    try:
        for token in yaml.scan(text, Loader=_LOADER):
            if token.start_mark.index >= index:
                break
            if isinstance(token, yaml.ScalarToken):
                runs_on = token.style in ("'", '"') and token.end_mark.line > token.start_mark.line
                start = token.start_mark if runs_on and not text[token.end_mark.index : index].strip() else None
    except yaml.YAMLError:
        pass
    return start


_PLAIN_WORDS = (  # a part of the parser's message, ours, and the way out
    ("unexpected end of stream", "the file ends inside a quoted text", "close the quote that opens here"),
    ("entries are not allowed", "an item of a list cannot begin here", "begin it on a line of its own, below its key"),
    ("could not find expected ':'", "a line without ':'", "write key: value, or indent the line under its text"),
)
UNFIT = "this line does not fit the lines above"
_UNFIT = ("expected '-' indicator", "expected <block end>")


def _worded(error: yaml.MarkedYAMLError, source: str, column: int) -> tuple[str, str]:
    """What is wrong in line ``source`` at ``column``, and what to do."""
    problem, at, before = error.problem or "not YAML", source[column - 1 : column], source[: column - 1]
    if "mapping values are not allowed" in problem:
        if before.strip() and ":" not in before:
            return (
                "this line is indented deeper than the key above it",
                "start it in the column of that key; an item of a list begins with '- '",
            )
        return "a second ': ' on one line", 'quote the text that holds the colon: key: "text: more text"'
    if at == "\t":
        return "a tab where spaces must stand", "indent with spaces"
    if "cannot start any token" in problem:
        return f"a text must not begin with '{at}'", f'put it in quotes: "{at}…"'
    if "did not find expected node content" in problem and not source[column - 1 :].strip():
        return "the file ends where a value must stand", "write the value, and close what is open"
    if "expected ',' or" in problem:
        opened = error.context_mark
        where = f" opened in line {opened.line + 1}, column {opened.column + 1}" if opened else ""
        closing = problem.rsplit(" ", 1)[-1].strip("'")
        return f"a ',' or '{closing}' is missing", f"close the bracket{where}"
    for part, message, help_ in _PLAIN_WORDS:
        if part in problem:
            return message, help_
    if any(part in problem for part in _UNFIT) or "block mapping" in str(error.context):
        return UNFIT, "check its indentation; keys of one table start in one column"
    return problem, "check the indentation, quotes and brackets on this line and the one above"
