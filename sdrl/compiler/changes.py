"""Which value of a plan folder was changed, and from what: for the message of E602.

Reads a plan that does not hold its seals. Old values come from ``data/values.jsonl`` and are believed only where the
seals vouch for them, so that whoever changed both is still told the path. Changed files are named by their first
changed line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from sdrl.compiler.canonical import digest_bytes, flatten, pretty_json
from sdrl.compiler.seals import MISSING, changed_paths, sealed_leaf
from sdrl.compiler.values import VALUES_FILE, join, read_values

MAX_LINES = 1_000  # digests kept for one file; longer files have one digest for several lines
LINE_DIGITS = 4
MAX_VALUE = 60


def line_digests(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """By file: how many lines one digest covers, and the digests, separated by spaces."""
    digests: dict[str, dict[str, Any]] = {}
    for name, content in sorted(files.items()):
        every = 1 + content.count(b"\n") // MAX_LINES
        digests[name] = {"every": every, "digests": " ".join(_blocks(content, every))}
    return digests


def _blocks(content: bytes, every: int) -> list[str]:
    lines = content.split(b"\n")
    blocks = (b"\n".join(lines[at : at + every]) for at in range(0, len(lines), every))
    return [f"{crc32(block):08x}"[:LINE_DIGITS] for block in blocks]  # names a line; sha256 finds the change


def changed_values(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> list[str]:
    """One text for each value of plan.json that its seals do not vouch for: path, old value, new value."""
    values = read_values(contents.get(VALUES_FILE, b""))
    now = {
        join(section, path): leaf
        for section, value in document.items()
        if section != "seals"
        for path, leaf in flatten(value).items()
    }
    texts: list[str] = []
    for path in changed_paths(document):
        section = path.removesuffix(MISSING)
        gone = _gone(section, document, values, now) if section != path else []
        texts += gone or [_shown(path, document, values, now, contents)]
    return texts


def _gone(
    section: str, document: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]], now: Mapping[str, Any]
) -> list[str]:
    """The values of a section that the seals know and plan.json no longer has."""
    return [
        f"{path} (compiled {_value(row['value'])}, now missing)"
        for path, row in values.items()
        if path.startswith(f"{section}.")
        and path not in now
        and sealed_leaf(document, section, path.removeprefix(f"{section}."), row["value"])
    ]


def _shown(
    path: str,
    document: Mapping[str, Any],
    values: Mapping[str, Mapping[str, Any]],
    now: Mapping[str, Any],
    contents: Mapping[str, bytes],
) -> str:
    if path.startswith("seals") or path.endswith(")"):
        return path
    section, _, below = path.partition(".")
    for old in _candidates(section, below, values, contents):
        if sealed_leaf(document, section, below, old):
            return f"{path} (compiled {_value(old)}, now {_value(now[path]) if path in now else 'missing'})"
    return f"{path} (now {_value(now[path])})" if path in now else f"{path} (missing)"


def _candidates(
    section: str, below: str, values: Mapping[str, Mapping[str, Any]], contents: Mapping[str, bytes]
) -> list[Any]:
    """What the value may have been."""
    if section == "files":
        return [digest_bytes(contents[below])] if below in contents else []
    if section == "origins":
        row = values.get(join("settings", below))
        return [row.get("origin")] if row else []
    row = values.get(join(section, below))
    return [row["value"]] if row else []


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def changed_files(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> list[str]:
    """Every file whose content is not what the (sealed) plan says; none where the plan itself was changed there."""
    if changed_paths(document, only="files"):
        return []
    wanted = document.get("files")
    if not isinstance(wanted, dict):  # taken out, and the seals forged
        return ["files (missing)"]
    return [
        _changed_file(name, content, document)
        for name, content in contents.items()
        if digest_bytes(content) != wanted[name]
    ]


def _changed_file(name: str, content: bytes, document: Mapping[str, Any]) -> str:
    """The file, its first changed line where the plan can tell, and the field for the verifier's program."""
    place = f"{name}{_line(name, content, document)}"
    if name != "verifier.json":
        return place
    try:
        now = flatten(json.loads(content))
    except (ValueError, RecursionError):
        return place
    program = document.get("verifier")
    was = flatten(program) if isinstance(program, dict) else {}
    fields = [path for path in {**was, **now} if was.get(path, ...) != now.get(path, ...)]
    told = [
        f"verifier.{path} (compiled {_value(was[path]) if path in was else 'nothing'}, "
        f"now {_value(now[path]) if path in now else 'missing'})"
        for path in fields
    ]
    return f"{place}: {', '.join(told)}" if told else place


def _line(name: str, content: bytes, document: Mapping[str, Any]) -> str:
    """``:LINE`` or ``:FIRST-LAST`` of the first block of lines whose digest is another; empty where none is."""
    if changed_paths(document, only="lines"):
        return ""
    known = document.get("lines", {}).get(name, {})
    every, wanted = known.get("every", 1), str(known.get("digests", "")).split()
    found = _blocks(content, every)
    for block in range(max(len(wanted), len(found))):
        if wanted[block : block + 1] != found[block : block + 1]:
            first = block * every + 1
            return f":{first}" if every == 1 else f":{first}-{first + every - 1}"
    return ""


def same_layout(document: Mapping[str, Any], raw: bytes) -> bool:
    """Whether plan.json is spelled exactly as it would be written."""
    try:
        return pretty_json(document) == raw
    except (TypeError, ValueError):  # a NaN
        return False
