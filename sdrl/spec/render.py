"""How diagnostics look: text for people, JSON and GitHub annotations for machines (SARIF and JUnit: their own files).

Diagnostics and the names of all files looked at in, one string out. Columns are characters; the caret line copies tabs
so that it lines up. Annotations name files below the working folder as a repository does, by relative paths.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from sdrl.spec.diagnostics import Diagnostic

_RED, _YELLOW, _DIM, _BOLD, _OFF = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
WIDEST = 160

Renderer = Callable[[Sequence[Diagnostic], Sequence[str]], str]


def render_text(diagnostics: Sequence[Diagnostic], *, color: bool = False, width: int = WIDEST) -> str:
    """``file:line:col: CODE message``, the source line with a caret under the value, and the help.

    Source lines are cut so that they fit ``width`` columns; messages are not.
    """
    return "".join(_one(item, color, width) for item in diagnostics)


def _one(item: Diagnostic, color: bool, width: int) -> str:
    red, yellow, dim, bold, off = (_RED, _YELLOW, _DIM, _BOLD, _OFF) if color else ("",) * 5
    place = ":".join(str(part) for part in (item.file, item.line, item.column) if part is not None)
    tone = red if item.is_error else yellow
    lines = [f"{bold}{place}{off}: {tone}{item.code}{off} {printable(item.message)}".removeprefix(": ")]
    if item.source_line and item.line is not None and item.column is not None:
        lines += _excerpt(item, width, tone, dim, off)
    if item.help:
        lines.append(f"  {dim}help:{off} {printable(item.help)}")
    return "\n".join(lines) + "\n"


def _excerpt(item: Diagnostic, width: int, tone: str, dim: str, off: str) -> list[str]:
    assert item.source_line is not None and item.line is not None and item.column is not None  # the caller's test
    line, start = item.source_line.rstrip(), item.column - 1
    one_line = item.end_line == item.line and item.end_column is not None
    end = item.end_column - 1 if one_line and item.end_column is not None else start + 1
    room = width - len(f"  {item.line} | ")
    if len(line) > room:
        cut = 0 if end < room else max(0, start - room // 4)
        shown = line[cut : cut + room]
        line = ("…" if cut else shown[:1]) + shown[1:-1] + ("…" if cut + room < len(line) else shown[-1:])
        start, end = start - cut, end - cut
    end = max(start + 1, min(end, len(line)))
    before = "".join("\t" if character == "\t" else " " * _width(character) for character in line[:start])
    carets = "^" * max(1, sum(map(_width, line[start:end])))
    gutter = " " * len(str(item.line))
    return [f"  {dim}{item.line} |{off} {printable(line)}", f"  {dim}{gutter} |{off} {before}{tone}{carets}{off}"]


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def printable(text: str) -> str:
    """No control characters of a stranger's file reach the terminal."""
    return "".join(c if c.isprintable() or c in "\t" else f"\\x{ord(c):02x}" if c != "\n" else " " for c in text)


def as_record(item: Diagnostic) -> dict[str, Any]:
    """A diagnostic as plain data, stable keys."""
    return {
        "code": item.code,
        "severity": item.severity.value,
        "message": item.message,
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "end_line": item.end_line,
        "end_column": item.end_column,
        "path": item.path,
        "found": item.found,
        "help": item.help,
    }


def render_json(diagnostics: Sequence[Diagnostic], sources: Sequence[str] = ()) -> str:
    """One JSON object: the files looked at, the diagnostics and their counts."""
    errors = sum(item.is_error for item in diagnostics)
    report = {
        "schema": 1,
        "errors": errors,
        "warnings": len(diagnostics) - errors,
        "sources": list(sources),
        "diagnostics": [as_record(item) for item in diagnostics],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def render_github(diagnostics: Sequence[Diagnostic], sources: Sequence[str] = ()) -> str:
    """GitHub workflow commands: one annotation a line."""
    return "".join(_annotation(item) for item in diagnostics)


def _annotation(item: Diagnostic) -> str:
    fields: dict[str, Any] = {"title": f"sdrl ({item.code})"}
    if item.file is not None and not item.file.startswith("<"):  # what came from stdin lies in no file
        fields |= {"file": relative(item.file), "line": item.line, "endLine": item.end_line}
        if item.end_line in (None, item.line):  # GitHub takes columns within one line only
            fields |= {"col": item.column, "endColumn": item.end_column}
    shown = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in fields.items() if value is not None)
    place = ":".join(str(part) for part in (item.file, item.line, item.column) if part is not None)
    text = f"{place}: {item.code} {item.message}" + (f"\n  help: {item.help}" if item.help else "")
    text = "\n".join(printable(line) for line in text.split("\n"))
    return f"::{item.severity.value} {shown}::{_escaped(text, '')}\n"


def _escaped(text: str, more: str) -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def relative(path: str) -> str:
    """A path as it is, or relative where it lies below the working folder."""
    import os

    below = os.path.relpath(path) if path else path
    return path if below.startswith("..") else below


def renderer(format_: str) -> Renderer:
    """What writes one of the machine formats."""
    if format_ == "sarif":
        from sdrl.spec.sarif import render_sarif

        return render_sarif
    if format_ == "junit":
        from sdrl.spec.junit import render_junit

        return render_junit
    return {"json": render_json, "github": render_github}[format_]
