"""Diagnostics as JUnit XML: a suite a file, a failed case an error, so that CI pages list them one by one.

A file without errors has one case that passes. Warnings are cases that pass, their text in ``system-out``; under
``--strict`` they fail like errors, as the exit code does.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.render import render_text


def render_junit(diagnostics: Sequence[Diagnostic], sources: Sequence[str] = (), *, strict: bool = False) -> str:
    """One ``testsuites`` element."""
    files = list(dict.fromkeys([*sources, *(item.file or "spec" for item in diagnostics)]))
    suites, total, failed = [], 0, 0
    for file in files:
        mine = [item for item in diagnostics if (item.file or "spec") == file]
        cases = [_case(item, file, strict or item.is_error) for item in mine]
        if not any(item.is_error for item in mine):
            cases.insert(0, f'    <testcase classname={_attribute(file)} name="no errors" time="0"/>\n')
        failures = sum(strict or item.is_error for item in mine)
        counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0" time="0"'
        suites.append(f"  <testsuite name={_attribute(file)} {counts}>\n{''.join(cases)}  </testsuite>\n")
        total, failed = total + len(cases), failed + failures
    head = f'<testsuites name="sdrl validate" tests="{total}" failures="{failed}" errors="0" time="0">\n'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + head + "".join(suites) + "</testsuites>\n"


def _case(item: Diagnostic, file: str, fails: bool) -> str:
    place = f" at {item.line}:{item.column}" if item.line is not None else ""
    name = f"{item.code}{place}: {item.message}"
    text = _text(render_text([item]))
    if fails:
        body = f"<failure type={_attribute(item.code)} message={_attribute(item.message)}>{text}</failure>"
    else:
        body = f"<system-out>{text}</system-out>"
    return f'    <testcase classname={_attribute(file)} name={_attribute(name)} time="0">{body}</testcase>\n'


def _attribute(text: str) -> str:
    return quoteattr(_allowed(text))


def _text(text: str) -> str:
    return escape(_allowed(text))


def _allowed(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n" or ((" " <= c < "\ud800" or c > "\udfff") and c not in "\ufffe\uffff") else "?" for c in text
    )
