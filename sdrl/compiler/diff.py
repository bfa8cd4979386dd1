"""What would re-run between two plans, and why: identities compared field by field. Reads plans, changes nothing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sdrl.compiler.graph import dump_settings
from sdrl.compiler.plan import Plan

_MISSING = object()
HEX_DIGEST = 64


@dataclass(frozen=True)
class Change:
    """One value that differs; None stands for "not there". Texts and files appear as ``changed``."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path}: added {self.after}"
        if self.after is None:
            return f"{self.path}: removed (was {self.before})"
        return f"{self.path}: {self.before} -> {self.after}" if self.before != self.after else f"{self.path}: changed"


@dataclass(frozen=True)
class StageDiff:
    """Why one stage would run again: its own changes, or the stages before it that do."""

    name: str
    changes: tuple[Change, ...]
    because_of: tuple[str, ...]


@dataclass(frozen=True)
class PlanDiff:
    """Stages that would run again, values that change no row, and prompt texts as unified diffs by name."""

    reruns: tuple[StageDiff, ...]
    unhashed: tuple[Change, ...]
    prompts: dict[str, str] = field(default_factory=dict)

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that would run again, in order."""
        return tuple(stage.name for stage in self.reruns)

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs at all."""
        return not (self.reruns or self.unhashed)


def diff_plans(a: Plan, b: Plan) -> PlanDiff:
    """What running ``b`` after ``a`` would do again."""
    reruns: list[StageDiff] = []
    changed: set[str] = set()
    before = {stage.name: stage for stage in a.stages}
    for stage in b.stages:
        old = before.get(stage.name)
        if old is not None and old.hash == stage.hash:
            continue
        changed.add(stage.name)
        own = _changes(old.identity if old else {}, stage.identity)
        parents = tuple(name for name in stage.parents if name in changed)
        reruns.append(StageDiff(stage.name, own, parents))
    hashed = {change.path for stage in reruns for change in stage.changes}
    settings = _changes(dump_settings(a), dump_settings(b))
    unhashed = tuple(change for change in settings if change.path not in hashed and _is_unhashed(change.path))
    prompts = {
        name: _text_diff(name, a.templates.get(name, ""), text)
        for name, text in b.templates.items()
        if a.templates.get(name) != text
    }
    return PlanDiff(tuple(reruns), unhashed, prompts)


def _is_unhashed(path: str) -> bool:
    from sdrl.compiler.graph import NOT_HASHED

    return any(path == name or path.startswith(f"{name}.") for name in NOT_HASHED)


def _changes(before: Any, after: Any, path: str = "") -> tuple[Change, ...]:
    """Values that differ, by dotted path; a table that one side lacks is one change."""
    if before == after:
        return ()
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changes: list[Change] = []
        for key in dict.fromkeys([*before, *after]):
            below = f"{path}.{key}" if path else str(key)
            changes += _changes(before.get(key, _MISSING), after.get(key, _MISSING), below)
        return tuple(changes)
    return (Change(path.removeprefix("settings."), _shown(before), _shown(after)),)


def _shown(value: Any) -> str | None:
    if value is _MISSING:
        return None
    if isinstance(value, Mapping | list):
        return f"({len(value)} values)" if value else "(none)"
    if isinstance(value, str) and _is_digest(value):
        return "(text)"
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_digest(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return len(digits) == HEX_DIGEST and all(digit in "0123456789abcdef" for digit in digits)


def _text_diff(name: str, a: str, b: str) -> str:
    lines = difflib.unified_diff(a.splitlines(), b.splitlines(), f"a/{name}", f"b/{name}", lineterm="", n=1)
    return "\n".join(lines)
