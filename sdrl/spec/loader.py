"""A spec file to a ``Spec``, or every problem it has, each with its place.

Order: bytes to text (``source``), text to nodes (``nodes``), nodes to typed data (``reading``), preset under it
(``presets``), models (``model``), cross-field rules and lints (``rules``, ``lint``). A syntax error is the parser's
first and ends it; all later problems are reported at once, so values that cannot be used are replaced by stand-ins and
rules that would read these are skipped. Reads the spec, and whether the files it names exist.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from sdrl.spec.base import Table
from sdrl.spec.diagnostics import Diagnostic, Exit, SdrlError, has_errors, in_order
from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mapping, Mark, Node, Scalar, Sequence, parse
from sdrl.spec.presets import PRESETS, merged
from sdrl.spec.reading import Path, Reader, dotted
from sdrl.spec.shapes import Shape, fields_of
from sdrl.spec.source import LINE_BREAK, check_text, lines_of, place_of, read_source
from sdrl.spec.violations import describe

STDIN = "<stdin>"
_COMMENT = re.compile(r"[ \t]*(#[^\r\n]*)")
_SECRET = re.compile(r"\b(?:sk|pk|hf|gsk|xai|AIza)[-_][A-Za-z0-9_-]{8,}")


@dataclass(frozen=True)
class Loaded:
    """What became of one spec file. ``spec`` is None when there are errors; warnings do not stop it."""

    source: str
    spec: Spec | None
    diagnostics: tuple[Diagnostic, ...]
    text: str = field(default="", repr=False)
    root: Node | None = field(default=None, repr=False)
    written: dict[str, Any] = field(default_factory=dict, repr=False)
    preset: str = "recommended"

    @property
    def folder(self) -> FilePath:
        """Folder that relative paths of the spec start from."""
        return FilePath() if self.source == STDIN else FilePath(self.source).parent

    @cached_property
    def origins(self) -> dict[str, str]:
        """Dotted path of every value → ``spec:LINE``, ``preset:NAME`` or ``default``."""
        if self.spec is None:
            return {}
        found: dict[str, str] = {}
        tree = self.spec.model_dump(mode="json", by_alias=True)
        _trace(self, tree, self.written, PRESETS[self.preset], (), found)
        return found

    @cached_property
    def positions(self) -> dict[str, tuple[int, int]]:
        """Dotted path of every written value → line and column, from 1."""
        found: dict[str, tuple[int, int]] = {}
        stack: list[tuple[Path, Node]] = [((), self.root)] if self.root is not None else []
        while stack:
            path, node = stack.pop()
            found[dotted(path)] = (node.mark.line + 1, node.mark.column + 1)
            if isinstance(node, Mapping):
                stack += [((*path, key.text), value) for key, value in node.items]
            elif isinstance(node, Sequence):
                stack += [((*path, index), item) for index, item in enumerate(node.items)]
        return found

    def at(self, path: str) -> tuple[int, int]:
        """Line and column of a value, or of the nearest table around it that is written; (1, 1) at the root."""
        mark = _mark(self.root, _split(path))
        return (mark.line + 1, mark.column + 1)

    def diagnostic(
        self,
        code: str,
        path: str,
        message: str,
        *,
        help: str | None = None,  # noqa: A002 - the word users see
        found: str | None = None,
        part: tuple[int, int] | None = None,
    ) -> Diagnostic:
        """A diagnostic with the place of ``path`` filled in; of ``found`` inside it, where that can be seen there.

        ``part`` is the (start, end) of what is meant within the text at ``path``, in characters of its value.
        """
        mark = self._narrowed(_mark(self.root, _split(path)), found)
        node = _node(self.root, _split(path)) if part is not None else None
        if part is not None and isinstance(node, Scalar):
            from sdrl.spec.scalar_places import place_of

            mark = place_of(self.text, mark, node.text, *part)
        made = Diagnostic(
            code,
            message,
            path=path,
            file=self.source,
            line=mark.line + 1,
            column=mark.column + 1,
            end_line=mark.end_line + 1,
            end_column=mark.end_column + 1,
            found=found,
            help=help,
        )
        return self.placed(made)

    def placed(self, item: Diagnostic) -> Diagnostic:
        """The diagnostic with its source line; with none where what it speaks of is not written, which has no place."""
        if item.source_line is not None or item.line is None:
            return item
        root, key = self.root, _split(item.path)[:1] if item.path else ()
        if (item.line, item.column) == (1, 1) and key and isinstance(root, Mapping) and root.get(str(key[0])) is None:
            first = root.items[0][0].mark if root.items else root.mark
            line = first.line + 1
            return dataclasses.replace(item, line=line, end_line=line, end_column=2, source_line="")
        return dataclasses.replace(item, source_line=self.source_line(item.line))

    def _narrowed(self, mark: Mark, found: str | None) -> Mark:
        """The mark of ``found`` within ``mark``, if it stands there on one line and as it is."""
        index = self.text.find(found, mark.index, mark.end_index) if found else -1
        if index < 0 or found is None or LINE_BREAK.search(found):
            return mark
        line, column = place_of(self.text, index)
        return Mark(line - 1, column - 1, index, line - 1, column - 1 + len(found), index + len(found))

    def source_line(self, line: int) -> str | None:
        """The text of a line, from 1; what looks like a key is hidden, for reports go into logs."""
        lines = self._lines
        return _SECRET.sub(_hidden, lines[line - 1]) if 0 < line <= len(lines) else None

    @cached_property
    def _lines(self) -> list[str]:
        return lines_of(self.text)

    def require(self) -> Spec:
        """The spec.

        Raises:
            SdrlError: it has errors; carries them.
        """
        if self.spec is not None:
            return self.spec
        errors = sum(item.is_error for item in self.diagnostics)
        message = f"{self.source} has {errors} error{'s' if errors != 1 else ''}"
        raise SdrlError("", message, diagnostics=self.diagnostics, exit=Exit.PROBLEMS)


def load_spec(path: FilePath | str, text: str | None = None) -> Loaded:
    """Load a spec from a file, or from ``text`` that stands for it. Never raises for anything in the file."""
    name = str(path)
    source = read_source(FilePath(path)) if text is None else check_text(text, name)
    if source.text is None:
        problem = source.problem
        return Loaded(name, None, (problem,) if problem else (), text or "")
    parsed = parse(source.text)
    loaded = Loaded(name, None, (), source.text, parsed.root)
    problems = [dataclasses.replace(item, file=name) for item in parsed.problems]
    if parsed.root is None:
        return _finish(loaded, problems)
    reader = Reader(name)
    reader.problems += problems
    if not isinstance(parsed.root, Mapping):
        reader.report("E201", (), parsed.root.mark, "a spec is a table of keys", "begin with: sdrl: 1")
        return _finish(loaded, reader.problems)
    if (suite := _suite_key(parsed.root)) is not None:
        help_ = f"sdrl compare {name} runs it; the spec is the file that its key 'spec' names"
        reader.report("E202", ("suite",), suite, "this is a suite of comparisons, not a spec", help_)
        return _finish(loaded, reader.problems)
    start = Mark(0, 0, 0, 0, 1, 1)
    written = reader.table(parsed.root, Spec, (), start)
    preset = written.get("extends", "recommended")
    loaded = dataclasses.replace(loaded, written=written, preset=preset)
    spec = _validated(loaded, reader)
    problems = reader.problems
    if spec is not None:
        from sdrl.spec.lint import lint
        from sdrl.spec.rules import check

        draft = dataclasses.replace(loaded, spec=spec)
        problems = [*problems, *check(draft, reader.bad)]
        if not has_errors(problems):  # advice on a spec that is about to change would be noise
            problems += lint(draft)
    return _finish(loaded, problems, spec)


def _suite_key(root: Mapping) -> Mark | None:
    """Where a file says that it is a suite; None for a spec, whatever else is wrong with it."""
    marks = {key.text: key.mark for key, _ in root.items}
    return marks.get("suite") if "sdrl" not in marks else None


def _hidden(secret: re.Match[str]) -> str:
    """As long as what it hides, so that carets stay in place."""
    return secret[0][:3] + "*" * (len(secret[0]) - 3)


def _finish(loaded: Loaded, problems: Iterable[Diagnostic], spec: Spec | None = None) -> Loaded:
    placed = in_order(loaded.placed(_with_help(item)) for item in problems)
    return dataclasses.replace(loaded, diagnostics=placed, spec=None if has_errors(placed) else spec)


def _with_help(item: Diagnostic) -> Diagnostic:
    """The diagnostic with one way to mend it: where no better one is known, a value that may stand there."""
    if item.help is not None or not item.code.startswith("E2"):
        return item
    from sdrl.spec.advice import example_at

    return dataclasses.replace(item, help=example_at(Spec, _split(item.path)))


def _validated(loaded: Loaded, reader: Reader) -> Spec | None:
    """Models over written values and preset; values they refuse are reported and left to their defaults."""
    written = loaded.written
    for _ in range(8):  # each round removes what was refused; rounds come from containers that only then are seen
        data = merged(PRESETS[loaded.preset], written)
        _stand_in(data, Spec)
        try:
            return Spec.model_validate(data)
        except ValidationError as error:
            refused = report_refused(error, loaded, reader)
            if not refused:
                return None
            for path in refused:
                written = _without(written, path)
    return None


def report_refused(error: ValidationError, loaded: Loaded, reader: Reader) -> set[Path]:
    """Report what the models refuse, each at its place; returns the paths of the refused values."""
    refused: set[Path] = set()
    placed = [(item, *_locate(loaded.root, item["loc"])) for item in error.errors(include_url=False)]
    for item, path, mark in placed:
        if path in refused or any(other[: len(path)] == path != other for _, other, _ in placed):
            continue  # where a text or a table may stand, what is wrong inside the table says it all
        refused.add(path)
        if path in reader.bad or (item["type"] == "missing" and (*path, item["loc"][-1]) in reader.bad):
            continue
        code, message, help_ = describe(item, dotted(path))
        if item["input"] == "" and (comment := _COMMENT.match(loaded.text, mark.end_index)):
            help_ = f"quote a text that begins with '#': \"{comment[1].strip()}\"; without quotes it is a comment"
        reader.report(code, path, mark, message, help_, str(item.get("input"))[:40])
    return refused


def _locate(root: Node | None, location: tuple[int | str, ...]) -> tuple[Path, Mark]:
    """Pydantic's location, which names union members too, to a path of the document."""
    path: Path = ()
    node = root
    for step in location:
        below = _child(node, step)
        if below is not None:
            node, path = below, (*path, step)
    assert node is not None  # only called with a root
    return path, node.mark


def _child(node: Node | None, step: int | str) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _mark(root: Node | None, path: Path) -> Mark:
    node, mark = root, Mark(0, 0, 0, 0, 1, 1)
    for step in path:
        below = _child(node, step)
        if below is None:
            break
        mark = below.mark
        if not isinstance(below, Scalar) and isinstance(node, Mapping):
            mark = next(key.mark for key, _ in node.items if key.text == step)  # a table is named by its key
        node = below
    return mark


def _node(root: Node | None, path: Path) -> Node | None:
    node = root
    for step in path:
        node = _child(node, step)
    return node


def _split(path: str) -> Path:
    return tuple(int(step) if step.isdigit() else step for step in path.split(".")) if path else ()


def _without(data: Any, path: Path) -> Any:
    """A copy without the value at ``path``; a list loses the item, its holder goes when nothing else helps."""
    if not path:
        return {}
    step, rest = path[0], path[1:]
    if isinstance(data, dict):
        if not rest or step not in data:
            return {key: value for key, value in data.items() if key != step}
        return {**data, step: _without(data[step], rest)}
    if isinstance(data, list) and isinstance(step, int):
        changed = list(data)
        changed[step : step + 1] = [_without(data[step], rest)] if rest else []
        return changed
    return data


def _stand_in(data: dict[str, Any], table: type[Table]) -> None:
    """Fill required keys that are missing, so that the rest can be checked; the spec itself is then refused."""
    for key, spec_field in fields_of(table).items():
        shape = spec_field.shape
        if key not in data and spec_field.required:
            data[key] = _example(shape)
        value = data.get(key)
        if shape.table is not None and isinstance(value, dict) and _means_table(value, shape):
            data[key] = value = dict(value)
            _stand_in(value, shape.table)
        elif shape.item is not None and shape.item.table is not None and isinstance(value, list):
            data[key] = copies = [dict(item) if isinstance(item, dict) else item for item in value]
            for item in copies:
                if isinstance(item, dict):
                    _stand_in(item, shape.item.table)


def _means_table(value: dict[str, Any], shape: Shape) -> bool:
    """Where a free mapping may stand too, a mapping without any key of the table is that."""
    return shape.table is not None and (shape.values is None or bool(set(value) & set(fields_of(shape.table))))


def _example(shape: Shape) -> Any:
    if shape.literals:
        return shape.literals[0]
    if shape.text:
        return "missing"
    if shape.number:
        return 1
    if shape.item is not None:
        return []
    return {}


def _trace(loaded: Loaded, tree: Any, written: Any, preset: Any, path: Path, found: dict[str, str]) -> None:
    """Origins of all leaves below ``path``: an empty list or table is a leaf."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            below = written.get(key, _NONE) if isinstance(written, dict) else _NONE
            given = preset.get(key, _NONE) if isinstance(preset, dict) else _NONE
            _trace(loaded, value, below, given, (*path, key), found)
        return
    if isinstance(tree, list) and tree and isinstance(written, list):
        for index, value in enumerate(tree):
            below = written[index] if index < len(written) else _NONE
            _trace(loaded, value, below, _NONE, (*path, index), found)
        return
    name = dotted(path)
    if written is not _NONE:
        found[name] = f"spec:{_mark(loaded.root, path).line + 1}"
    elif preset is not _NONE:
        found[name] = f"preset:{loaded.preset}"
    else:
        found[name] = "default"


_NONE: Any = object()
