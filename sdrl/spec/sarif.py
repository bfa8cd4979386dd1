"""Diagnostics as SARIF 2.1.0, one run: what GitHub code scanning and editors read.

Every code that occurs is a rule with its whole page (``help.markdown``), every file looked at an artifact. A result's
fingerprint follows code, file, key path and value, not its line, so that an alert stays the same one when lines are
added above it. ``helpUri`` is there when the installed package names its documentation.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sdrl.spec.codes import GROUPS, Code, find, group_of
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.render import relative

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render_sarif(diagnostics: Sequence[Diagnostic], sources: Sequence[str] = ()) -> str:
    """One SARIF log."""
    from sdrl import __version__

    codes = sorted({item.code for item in diagnostics})
    documentation = _documentation()
    driver: dict[str, Any] = {"name": "sdrl", "version": __version__, "semanticVersion": __version__}
    if documentation:
        driver["informationUri"] = documentation
    driver["rules"] = [_rule(code, documentation) for code in codes]
    seen: Counter[str] = Counter()
    files = list(dict.fromkeys([*sources, *(item.file or "spec" for item in diagnostics)]))
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(file)}} for file in files],
        "results": [
            _result(item, codes.index(item.code), files.index(item.file or "spec"), seen) for item in diagnostics
        ],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _documentation() -> str | None:
    """The address of the documentation, where the package's metadata has one."""
    from importlib import metadata

    try:
        listed = metadata.metadata("sdrl").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return None
    addresses = dict(entry.split(", ", 1) for entry in listed if ", " in entry)
    return addresses.get("Documentation")


def _rule(code: str, documentation: str | None) -> dict[str, Any]:
    known = find(code)
    level = "warning" if code.startswith("W") else "error"
    rule: dict[str, Any] = {"id": code, "defaultConfiguration": {"level": level}}
    if known is None:
        return {**rule, "shortDescription": {"text": code}}
    rule |= {
        "name": "".join(word.capitalize() for word in known.title.replace("-", " ").split() if word.isalnum()),
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": f"{known.what} {known.why}"},
        "help": {"text": _help(known), "markdown": _markdown(known)},
        "properties": {"tags": [GROUPS[group_of(code)]]},
    }
    if documentation:
        rule["helpUri"] = f"{documentation}#{code.lower()}"
    return rule


def _help(code: Code) -> str:
    return f"{code.what} {code.why}\nNot so: {code.bad}\nBut so: {code.good}"


def _markdown(code: Code) -> str:
    examples = "".join(
        f"\n\n{label}\n\n```yaml\n{text}\n```" for label, text in (("Not so:", code.bad), ("But so:", code.good))
    )
    return f"**{code.title}**\n\n{code.what} {code.why}{examples}\n"


def _result(item: Diagnostic, rule: int, file: int, seen: Counter[str]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(item.file or "spec"), "index": file}}
    if region := _region(item):
        place["region"] = region
    identity = "\x1f".join((item.code, item.file or "", item.path, item.found or item.message))
    seen[identity] += 1
    digest = hashlib.sha256(f"{identity}\x1f{seen[identity]}".encode("utf-8", "replace")).hexdigest()[:32]
    return {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": item.severity.value,
        "message": {"text": item.message + (f"\nhelp: {item.help}" if item.help else "")},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"sdrlDiagnostic/v1": digest},
    }


def _region(item: Diagnostic) -> dict[str, Any]:
    wanted = {
        "startLine": item.line,
        "startColumn": item.column,
        "endLine": item.end_line,
        "endColumn": item.end_column,
    }
    region: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
    if region and item.source_line and len(item.source_line) <= 400:
        region["snippet"] = {"text": item.source_line}
    return region


def _uri(path: str) -> str:
    """A relative reference, or a file address for what lies elsewhere on this machine."""
    from urllib.parse import quote

    near = relative(path).replace("\\", "/")
    quoted = quote(near.encode("utf-8", "surrogateescape"), safe="/")
    return f"file://{quoted}" if near.startswith("/") else quoted
