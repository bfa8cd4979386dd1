"""What would re-run between two plans, and why: identities compared field by field. Reads plans, changes nothing.

A changed value is told once, under the key that a spec has for it, with the stages whose rows depend on it; a changed
text comes with a unified diff. What the stages to run again ask for is taken from the second plan's estimate.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sdrl.compiler.graph import NOT_HASHED, dump_settings
from sdrl.compiler.parts import WHOLE
from sdrl.compiler.plan import Plan
from sdrl.compiler.rounds import kind_of
from sdrl.compiler.values import origin_of

_MISSING = object()
_SENTENCE = re.compile(r"([.;:!?]) +")  # a paragraph is compared by its sentences
HEX_DIGEST = 64
MAX_SHOWN = 60


@dataclass(frozen=True)
class Change:
    """One value that differs; None stands for "not there". ``text`` is a unified diff where the value is a text.

    ``origin`` says where the value after comes from (``spec:LINE``, ``preset:NAME``, ``default``, ``pinned``), empty
    for what no single key of a spec says.
    """

    path: str
    before: str | None
    after: str | None
    text: str = ""
    origin: str = ""

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
class Redo:
    """What the stages that run again ask for, where nothing is answered from the cache; money in micro-dollars.

    ``microusd`` is None where the instructor has no known price; ``updates`` are optimizer steps.
    """

    requests: int = 0
    tokens: int = 0
    microusd: int | None = 0
    base_draws: int = 0
    updates: int = 0


@dataclass(frozen=True)
class PlanDiff:
    """Stages that would run again and that stay, values that change no row, and what running again asks for."""

    reruns: tuple[StageDiff, ...]
    stays: tuple[str, ...]
    unhashed: tuple[Change, ...]
    expected: Redo = field(default_factory=Redo)
    worst: Redo = field(default_factory=Redo)

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that would run again, in order."""
        return tuple(stage.name for stage in self.reruns)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change that makes a stage run again, once, in the order of the stages."""
        return tuple({change.path: change for stage in self.reruns for change in stage.changes}.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs at all."""
        return not (self.reruns or self.unhashed)


def diff_plans(a: Plan, b: Plan) -> PlanDiff:
    """What running ``b`` after ``a`` would do again."""
    views = _View(a), _View(b)
    reruns: list[StageDiff] = []
    changed: set[str] = set()
    before = {stage.name: stage for stage in a.stages}
    for stage in b.stages:
        old = before.get(stage.name)
        if old is not None and old.hash == stage.hash:
            continue
        changed.add(stage.name)
        if old is None:  # a stage of a further round
            changes = [change for change in _changes(views[0].settings, views[1].settings) if change.path == "rounds"]
        else:
            changes = list(_told(_changes(old.identity, stage.identity), *views))
        found = dict.fromkeys(changes)
        own = [replace(change, origin=views[1].origin(change)) for change in found]
        reruns.append(StageDiff(stage.name, tuple(own), tuple(name for name in stage.parents if name in changed)))
    hashed = {change.path for stage in reruns for change in stage.changes}
    unhashed = tuple(
        replace(change, origin=views[1].origin(change))
        for change in _changes(views[0].settings, views[1].settings)
        if change.path not in hashed and _is_unhashed(change.path)
    )
    stays = tuple(stage.name for stage in b.stages if stage.name not in changed)
    expected, worst = (_redo(b, changed, case) for case in ("expected", "worst"))
    return PlanDiff(tuple(reruns), stays, unhashed, expected, worst)


def _redo(plan: Plan, stages: set[str], case: str) -> Redo:
    trainings = sum(kind_of(name) == "train" for name in stages)
    redo = Redo(updates=plan.estimate["training"]["updates"] // plan.settings.rounds * trainings)
    for entry in plan.estimate["stages"]:
        load = entry[case]
        if entry["stage"] not in stages:
            continue
        if entry["asks"] != "instructor":
            redo = replace(redo, base_draws=redo.base_draws + load["draws"])
            continue
        cost = load["microusd"]
        redo = replace(
            redo,
            requests=redo.requests + load["requests"],
            tokens=redo.tokens + load["prompt_tokens"] + load["completion_tokens"],
            microusd=None if cost is None or redo.microusd is None else redo.microusd + cost,
        )
    return redo


class _View:
    """A plan's values as a person knows them, for what the identities hold as digests."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.settings = dump_settings(plan)
        self.evaluations = {item.name: item for item in plan.evaluations}

    def setting(self, path: str) -> Any:
        """The value of a setting by its dotted path, floats as a spec writes them; ``_MISSING`` where there is none."""
        value: Any = self.settings
        for key in path.split("."):
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, Mapping) and key in value:
                value = value[key]
            else:
                return _MISSING
        return value

    def text(self, path: str) -> str:
        """The text behind a digest: a template, a text of a part, its demos."""
        kind, name, *rest = path.split(".")
        if kind == "prompts":
            return self.plan.templates.get(name, "")
        part = next((part for part in self.plan.parts if part.name == name), None)
        if part is None or not rest:
            return ""
        if rest[0] == "demos":
            return "\n".join(f"input: {demo.input}\noutput: {demo.output}" for demo in part.demos)
        return _SENTENCE.sub(r"\1\n", str(getattr(part, rest[0], None) or ""))

    def demos(self, name: str) -> str:
        """How many demos a part has."""
        count = next((len(part.demos) for part in self.plan.parts if part.name == name), 0)
        return f"{count} demo{'s' if count != 1 else ''}"

    def files(self) -> dict[str, str]:
        """The corpus: a path and its digest."""
        return {file.path: file.sha256 for file in self.plan.corpus}

    def origin(self, change: Change) -> str:
        """Where the value after comes from; empty where no setting has this path."""
        found = self.setting(change.path)
        return "" if found is _MISSING else origin_of(change.path, self.plan.origins)


def _told(changes: tuple[Change, ...], a: _View, b: _View) -> Iterator[Change]:
    """Changes of an identity under the names that people know."""
    for change in changes:
        kind, _, rest = change.path.partition(".")
        if kind == "verifier":
            yield from _changes(a.plan.verifier, b.plan.verifier, "answer")
        elif kind == "corpus":
            yield from _corpus(a, b)
        elif kind == "evaluations":
            yield _evaluation(rest, change, a, b)
        elif kind in ("instructor", "base"):
            yield replace(change, path=f"models.{change.path}")
        elif kind in ("parts", "prompts") and not change.path.endswith((".share", ".extra_rules")):
            yield _text(change, a, b)
        elif a.setting(change.path) is not _MISSING or b.setting(change.path) is not _MISSING:
            yield Change(change.path, _shown(a.setting(change.path)), _shown(b.setting(change.path)))
        else:
            yield change


def _corpus(a: _View, b: _View) -> Iterator[Change]:
    old, new = a.files(), b.files()
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) != new.get(path):
            before, after = (None if path not in files else "(contents)" for files in (old, new))
            yield Change(f"corpus {path}", before, after)
    if old == new:
        yield Change("corpus", "(how it is read)", "(how it is read)")


def _text(change: Change, a: _View, b: _View) -> Change:
    """A changed template, text or list of demos, with the lines that differ."""
    _, name, *rest = change.path.split(".")
    before, after = a.text(change.path), b.text(change.path)
    path = change.path
    if rest and name == WHOLE:  # a task without parts: the key that the spec has
        path = "demos" if rest[0] == "demos" else f"task.{rest[0]}"
    shown = (a.demos(name), b.demos(name)) if rest == ["demos"] else ("(text)", "(text)")
    if change.before is None or change.after is None:
        return replace(change, path=path)
    return Change(path, *shown, text=_text_diff(before, after))


def _evaluation(rest: str, change: Change, a: _View, b: _View) -> Change:
    """A set that is new, gone or of other problems, or one of its settings."""
    name, _, key = rest.partition(".")
    if key and key != "sha256":
        return replace(change, path=f"evaluate {name} {key}")
    before, after = (
        f"{view.evaluations[name].rows:,} problems" if name in view.evaluations else None for view in (a, b)
    )
    return Change(f"evaluate {name}", before, after)


def _is_unhashed(path: str) -> bool:
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
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return _cut("[" + ", ".join(map(str, value)) + "]")
    if isinstance(value, Mapping | list):
        return f"({len(value)} values)" if value else "(none)"
    if isinstance(value, str) and _is_digest(value):
        return "(text)"
    return _cut(repr(value).removesuffix(".0") if isinstance(value, float) else str(value))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_SHOWN else flat[: MAX_SHOWN - 1] + "…"


def _is_digest(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return len(digits) == HEX_DIGEST and all(digit in "0123456789abcdef" for digit in digits)


def _text_diff(a: str, b: str) -> str:
    """A unified diff without its two lines of names."""
    lines = list(difflib.unified_diff(a.split("\n"), b.split("\n"), lineterm="", n=1))
    return "\n".join(lines[2:])
