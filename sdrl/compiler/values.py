"""``data/values.jsonl``: every value of a plan on a line of its own, with where it comes from.

``{"path": "settings.vote.draws", "value": 8, "origin": "spec:21"}``: for a person who asks why a value is what it is,
and for a reader that must say what a changed value was (``changes``). Pure; nothing is decided from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sdrl.compiler.canonical import flatten
from sdrl.compiler.graph import dump_settings
from sdrl.compiler.plan import Plan

VALUES_FILE = "data/values.jsonl"
# sections of plan.json that stand elsewhere or only vouch for the others
LEFT_OUT = ("origins", "files", "lines", "seals")
DERIVED = "derived"


def values_file(document: Mapping[str, Any]) -> bytes:
    """The lines, in the order of the paths."""
    origins = document["origins"]
    lines = []
    for section, value in sorted(document.items()):
        if section in LEFT_OUT:
            continue
        for path, leaf in flatten(value).items():
            origin = origin_of(path, origins) if section == "settings" else DERIVED
            lines.append(_line(join(section, path), leaf, origin))
    return "".join(lines).encode("utf-8", "surrogatepass")


def _line(path: str, value: Any, origin: str) -> str:
    return json.dumps({"path": path, "value": value, "origin": origin}, ensure_ascii=False, allow_nan=False) + "\n"


def join(section: str, path: str) -> str:
    """The dotted path of a value, from the top of plan.json."""
    return f"{section}.{path}" if path else section


def origin_of(path: str, origins: Mapping[str, str]) -> str:
    """Where a setting comes from: its own entry, the first one inside it, or the nearest table or list around it."""
    if path in origins:
        return origins[path]
    below = f"{path}."
    inside = next((origin for other, origin in origins.items() if other.startswith(below)), None)
    if inside is not None:
        return inside
    while path not in origins and "." in path:
        path = path.rpartition(".")[0]
    return origins.get(path, "default")


def chosen_values(plan: Plan) -> list[tuple[str, str, str]]:
    """Key, value and origin of every setting that is not a default: the spec's by line, then presets' and pins."""
    told = []
    for path, value in _listed(dump_settings(plan), ""):
        origin = origin_of(path, plan.origins)
        if origin != "default" and (value is not None or path in plan.origins):  # null: a key that a step has not
            told.append((path, shown_value(value), origin))
    return sorted(told, key=_rank)


def _listed(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """As ``flatten``, with a list of plain values as one value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _listed(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _listed(item, f"{path}.{index}")
    else:
        yield path, value


def count_values(plan: Plan) -> int:
    """How many settings a plan has, defaults included."""
    return sum(1 for _ in _listed(dump_settings(plan), ""))


def _rank(told: tuple[str, str, str]) -> tuple[str, int, str]:
    kind, _, line = told[2].partition(":")
    is_spec = kind == "spec" and line.isdigit()
    return ("" if is_spec else told[2], int(line) if is_spec else 0, told[0])


def shown_value(value: Any) -> str:
    """A value on one line, texts bare where nothing is lost by it, the rest as JSON."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, str) and value and value == " ".join(value.split()):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return f"[{', '.join(value)}]"
    return json.dumps(value, ensure_ascii=False)


def read_values(content: bytes) -> dict[str, dict[str, Any]]:
    """The lines that can be read, by path; a file that was changed may hold anything."""
    return {row["path"]: row for row in _rows(content)}


def _rows(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and isinstance(row.get("path"), str) and "value" in row:
            yield row
