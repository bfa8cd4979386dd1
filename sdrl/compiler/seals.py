"""Seals of plan.json: digests that let a reader say which value was changed, not only that one was.

Each section of the document has one sha256 over its canonical JSON and a short digest for every leaf (path and value
together). The sha256 finds a change, the leaf digests name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.canonical import digest, flatten

LEAF_DIGITS = 8
UNSEALED = ("seals",)
MISSING = " (a value is missing)"


def seal_sections(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Section name to ``{"sha256", "leaves"}``; leaves are sorted 8-digit digests separated by spaces."""
    return {
        name: {"sha256": digest(value), "leaves": " ".join(sorted(_leaves(value)))}
        for name, value in document.items()
        if name not in UNSEALED
    }


def _leaves(value: Any) -> dict[str, str]:
    """Leaf digest to dotted path."""
    return {digest([path, leaf])[:LEAF_DIGITS]: path for path, leaf in flatten(value).items()}


def sealed_leaf(document: Mapping[str, Any], section: str, path: str, value: Any) -> bool:
    """Whether the seals vouch for this value at this path of a section."""
    seals = document.get("seals")
    seal = seals.get(section) if isinstance(seals, Mapping) else None
    leaves = seal.get("leaves") if isinstance(seal, Mapping) else None
    try:
        return isinstance(leaves, str) and digest([path, value])[:LEAF_DIGITS] in leaves.split()
    except (TypeError, ValueError):
        return False


def changed_paths(document: Mapping[str, Any], only: str | None = None) -> list[str]:
    """Dotted paths of values that the seals do not vouch for, in order; empty when all is as it was sealed.

    A value that was removed is named by its section.
    """
    seals = document.get("seals")
    if not isinstance(seals, dict):
        return ["seals"]
    changed: list[str] = []
    for name in sorted(set(seals) | set(document) - set(UNSEALED)):
        if only not in (None, name):
            continue
        seal = seals.get(name)
        if not isinstance(seal, dict) or set(seal) != {"sha256", "leaves"}:
            changed.append(name if name in document else f"seals.{name}")
        elif name not in document:
            changed.append(f"{name} (missing)")
        elif _digest_or_none(document[name]) != seal["sha256"]:
            changed += _name_changes(name, document[name], str(seal["leaves"]))
        elif " ".join(sorted(_leaves(document[name]))) != seal["leaves"]:
            changed.append(f"seals.{name}.leaves")
    return changed


def _digest_or_none(value: Any) -> str | None:
    try:
        return digest(value)
    except (TypeError, ValueError):  # a NaN, which no plan of ours contains
        return None


def _name_changes(name: str, value: Any, sealed: str) -> list[str]:
    known = set(sealed.split())
    try:
        leaves = _leaves(value)
    except (TypeError, ValueError):
        return [name]
    if known == set(leaves):  # the values hold, so the seal itself was changed
        return [f"seals.{name}.sha256"]
    named = [f"{name}.{path}" if path else name for mark, path in leaves.items() if mark not in known]
    return named or [name + MISSING]
