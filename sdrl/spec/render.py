"""How diagnostics look: text for people, JSON, GitHub annotations, SARIF 2.1.0 and JUnit for machines.

Pure: diagnostics in, one string out. Columns are characters; the caret line copies tabs so that it lines up.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from sdrl.spec.diagnostics import Diagnostic

_RED, _YELLOW, _DIM, _BOLD, _OFF = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_WIDEST = 160


def render_text(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """``file:line:col: CODE message``, the source line with a caret under the value, and the help."""
    return "".join(_one(item, color) for item in diagnostics)


def _one(item: Diagnostic, color: bool) -> str:
    red, yellow, dim, bold, off = (_RED, _YELLOW, _DIM, _BOLD, _OFF) if color else ("",) * 5
    place = ":".join(str(part) for part in (item.file, item.line, item.column) if part is not None)
    tone = red if item.is_error else yellow
    lines = [f"{bold}{place}{off}: {tone}{item.code}{off} {_printable(item.message)}".removeprefix(": ")]
    if item.source_line is not None and item.line is not None and item.column is not None:
        lines += _excerpt(item, tone, dim, off)
    if item.help:
        lines.append(f"  {dim}help:{off} {_printable(item.help)}")
    return "\n".join(lines) + "\n"


def _excerpt(item: Diagnostic, tone: str, dim: str, off: str) -> list[str]:
    assert item.source_line is not None and item.line is not None and item.column is not None  # the caller's test
    line, start = item.source_line.rstrip(), item.column - 1
    one_line = item.end_line == item.line and item.end_column is not None
    end = item.end_column - 1 if one_line and item.end_column is not None else start + 1
    if len(line) > _WIDEST:
        cut = max(0, start - 40)
        line, start, end = line[cut : cut + _WIDEST], start - cut, end - cut
    end = max(start + 1, min(end, len(line)))
    before = "".join("\t" if character == "\t" else " " * _width(character) for character in line[:start])
    carets = "^" * max(1, sum(map(_width, line[start:end])))
    gutter = " " * len(str(item.line))
    return [f"  {dim}{item.line} |{off} {_printable(line)}", f"  {dim}{gutter} |{off} {before}{tone}{carets}{off}"]


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(text: str) -> str:
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


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """One JSON object: the diagnostics and their counts."""
    errors = sum(item.is_error for item in diagnostics)
    report = {
        "schema": 1,
        "errors": errors,
        "warnings": len(diagnostics) - errors,
        "diagnostics": [as_record(item) for item in diagnostics],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """GitHub workflow commands: one annotation a line."""
    return "".join(_annotation(item) for item in diagnostics)


def _annotation(item: Diagnostic) -> str:
    fields = {
        "file": item.file,
        "line": item.line,
        "col": item.column,
        "endLine": item.end_line,
        "endColumn": item.end_column,
        "title": item.code,
    }
    shown = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in fields.items() if value is not None)
    text = item.message + (f" (help: {item.help})" if item.help else "")
    return f"::{item.severity.value} {shown}::{_escaped(text, '')}\n"


def _escaped(text: str, more: str) -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def render_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """SARIF 2.1.0, one run."""
    from sdrl import __version__
    from sdrl.spec.codes import find

    codes = sorted({item.code for item in diagnostics})
    rules = [
        {"id": code, "shortDescription": {"text": known.title if (known := find(code)) else code}} for code in codes
    ]
    driver = {"name": "sdrl", "version": __version__, "rules": rules}
    results = [_sarif_result(item, codes.index(item.code)) for item in diagnostics]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _sarif_result(item: Diagnostic, rule: int) -> dict[str, Any]:
    region = {
        "startLine": item.line,
        "startColumn": item.column,
        "endLine": item.end_line,
        "endColumn": item.end_column,
    }
    known = {key: value for key, value in region.items() if value is not None}
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(item.file or "spec")}}
    if known:
        place["region"] = known
    text = item.message + (f"\n{item.help}" if item.help else "")
    return {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": item.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.replace("\\", "/"), safe="/")


def render_junit(diagnostics: Sequence[Diagnostic], sources: Sequence[str]) -> str:
    """JUnit XML: one test case a spec, failed when it has errors; warnings go to its output."""
    from xml.sax.saxutils import quoteattr

    cases = []
    failed = 0
    for source in sources:
        mine = [item for item in diagnostics if item.file == source]
        errors = [item for item in mine if item.is_error]
        warnings = [item for item in mine if not item.is_error]
        failed += bool(errors)
        body = ""
        if errors:
            count = f"{len(errors)} error{'s' if len(errors) != 1 else ''}"
            body += f"<failure message={quoteattr(count)}>{_xml(render_text(errors))}</failure>"
        if warnings:
            body += f"<system-out>{_xml(render_text(warnings))}</system-out>"
        cases.append(f'  <testcase classname="sdrl.validate" name={quoteattr(source)}>{body}</testcase>\n')
    head = f'<testsuite name="sdrl validate" tests="{len(sources)}" failures="{failed}" errors="0">\n'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + head + "".join(cases) + "</testsuite>\n"


def _xml(text: str) -> str:
    from xml.sax.saxutils import escape

    return escape("".join(c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "?" for c in text))


RENDERERS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": render_text,
    "json": render_json,
    "github": render_github,
    "sarif": render_sarif,
}
