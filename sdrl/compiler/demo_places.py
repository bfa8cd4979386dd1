"""Where demos stand: in the spec (dotted path) or in a row of a file (file and line); findings about a part of one.

A demo of a file is shown in its file: the row's line, the column of what is meant. Reads that one line again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import DemoSource, Spec

LINES = (".jsonl",)  # files whose rows are lines; of others a row has a number only
Field = Literal["input", "output"]


@dataclass(frozen=True)
class DemoRow:
    """A row of a file of demos: its line in JSON Lines, its number in other files, from 1."""

    file: Path
    number: int

    def __str__(self) -> str:
        return f"{self.file.name}:{self.number}" if self.file.suffix in LINES else f"{self.file.name} row {self.number}"


@dataclass(frozen=True)
class PlacedDemo:
    """A demo, the path of its list in the spec, its index there, and its row where it comes from a file."""

    demo: Sample
    base: str
    index: int
    row: DemoRow | None
    is_inline: bool

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.row) if self.row is not None else f"{self.base}.{self.index}"

    def report(
        self,
        findings: Findings,
        code: str,
        field: Field,
        message: str,
        help_: str | None,
        part: tuple[int, int] | None = None,
    ) -> None:
        """Report a problem of the demo's input or output; of ``part`` of it, in characters."""
        if self.is_inline:
            findings.add(code, f"{self.base}.{self.index}.{field}", message, help_, part=part)
        elif self.row is None or self.row.file.suffix not in LINES:
            findings.add(code, self.base, f"{self.name}: {message}", help_)
        else:
            text = self.demo.input if field == "input" else self.demo.output
            findings.add_at(_in_file(self.row, self.base, code, text, message, help_, part))


def placed_demos(
    spec: Spec, parts: Sequence[PartPlan], rows: Mapping[str, Sequence[DemoRow]], most: int | None = None
) -> Iterator[PlacedDemo]:
    """Each demo once, at most ``most`` of a list."""
    seen: set[int] = set()
    for index, part in enumerate(parts):
        inherits = not spec.parts or spec.parts[index].demos is None
        source = spec.demos if inherits else spec.parts[index].demos
        base = "demos" if inherits else f"parts.{index}.demos"
        if id(source) in seen:
            continue
        seen.add(id(source))
        known = rows.get(base, ())
        for number, demo in enumerate(part.demos[:most]):
            row = known[number] if number < len(known) else None
            yield PlacedDemo(demo, base, number, row, not isinstance(source, DemoSource))


def _in_file(
    row: DemoRow, path: str, code: str, text: str, message: str, help_: str | None, part: tuple[int, int] | None
) -> Diagnostic:
    line = _line(row)
    start, end = _columns(line, text, part)
    return Diagnostic(
        code,
        message,
        path=path,
        file=str(row.file),
        line=row.number,
        column=start + 1,
        end_line=row.number,
        end_column=end + 1,
        help=help_,
        source_line=line,
    )


def _line(row: DemoRow) -> str:
    with row.file.open(encoding="utf-8-sig", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if number == row.number:
                return line.rstrip("\r\n")
    return ""


def _columns(line: str, text: str, part: tuple[int, int] | None) -> tuple[int, int]:
    """Where a text of the row, or a part of it, stands in its line; the whole line where it is written otherwise."""
    start, end = part or (0, len(text))
    for ascii_only in (False, True):
        before, wanted, whole = (
            json.dumps(piece, ensure_ascii=ascii_only)[1:-1] for piece in (text[:start], text[start:end], text)
        )
        at = line.rfind(whole)
        if at >= 0 and wanted:
            return at + len(before), at + len(before) + len(wanted)
        at = line.rfind(wanted) if wanted.strip() else -1
        if at >= 0:
            return at, at + len(wanted)
    return 0, len(line)
