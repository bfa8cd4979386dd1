"""A suite file to a ``Suite``, or every problem it has, each with its place.

Reads the YAML with the machinery of the spec, then checks what only a suite can have wrong: names that are not there or
stand twice, changes that the spec does not take (as its edits say), arms that change what a budget sets.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sdrl.compare.baselines import BASELINES, METHODS, expanded
from sdrl.compare.extending import INHERITED, Extended, Place, extended
from sdrl.compare.shipped import nearest_suite, shipped_suites, written_in
from sdrl.compare.suite import Arm, Budget, HumanData, Suite
from sdrl.compiler.plan import Plan
from sdrl.compiler.sample import Sample
from sdrl.spec.diagnostics import Diagnostic, Exit, SdrlError, has_errors, in_order
from sdrl.spec.edits import Edit, apply
from sdrl.spec.loader import Loaded, load_spec, report_refused
from sdrl.spec.model import Spec
from sdrl.spec.nearest import closest
from sdrl.spec.nodes import Mapping as MappingNode
from sdrl.spec.nodes import Mark, Node, Scalar, Sequence, parse
from sdrl.spec.reading import Reader
from sdrl.spec.source import read_source

OWN_BUDGET = "own"
SEED_KEY = "train.seed"


@dataclass(frozen=True)
class Given:
    """What the command line adds: a spec, and a file of human data in the form of its evaluation set."""

    spec: Path | None = None
    human: Path | None = None


@dataclass(frozen=True)
class LoadedSuite:
    """A suite without problems: arms with their baselines under them, at least one budget, the spec's text.

    ``optional`` are the arms of a shipped suite: what the spec cannot have of them stays open. ``demos`` are all that
    arms may take, where they have been read.
    """

    path: Path
    suite: Suite
    spec_path: Path
    spec_text: str
    text: str
    optional: frozenset[str] = frozenset()
    pins: Plan | None = None
    demos: tuple[Sample, ...] | None = None

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Every arm, in order, its baseline filled in."""
        return tuple(expanded(arm) for arm in self.suite.arms)

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """Every budget; the spec's own where none is declared."""
        return tuple(self.suite.budgets) or (Budget(name=OWN_BUDGET),)

    def edits(self, arm: Arm, budget: Budget, seed: int) -> list[Edit]:
        """What makes a cell of the spec."""
        changes = {**self.suite.set, **budget.set, **arm.set, SEED_KEY: seed}
        return [Edit("set", path, value) for path, value in changes.items()]


def load_suite(path: Path, given: Given | None = None) -> LoadedSuite:
    """Load a suite and the text of its spec.

    Raises:
        SdrlError: it has problems; carries them.
    """
    given = given or Given()
    name = str(path)
    source = read_source(path)
    if source.text is None:
        raise _problems(name, [source.problem] if source.problem else [])
    parsed = parse(source.text)
    loaded = Loaded(name, None, (), source.text, parsed.root)
    problems = [dataclasses.replace(item, file=name) for item in parsed.problems]
    if not isinstance(parsed.root, MappingNode):
        if parsed.root is not None:
            problems.append(_at(name, parsed.root.mark, "E201", "a suite is a table of keys", "begin with: suite: 1"))
        raise _problems(name, map(loaded.placed, problems))
    reader = Reader(name)
    reader.problems += problems
    written = reader.table(parsed.root, Suite, (), Mark(0, 0, 0, 0, 1, 1))
    try:
        own = Suite.model_validate(written)
    except ValidationError as error:
        report_refused(error, loaded, reader)
        raise _problems(name, map(loaded.placed, reader.problems)) from None
    base = shipped_suites().get(own.extends or "")
    meant = extended(written, written_in(base) if base else None)
    suite = Suite.model_validate(meant.data)
    _refuse(given, suite)
    check = _Check(name, parsed.root, suite, meant, given)
    found = [*reader.problems, *check.problems()]
    if has_errors(found):
        raise _problems(name, map(loaded.placed, found))
    optional = meant.inherited
    if suite.spec is None and check.spec is not None:
        optional = frozenset(expanded(arm).name or "" for arm in suite.arms)
        suite = suite.model_copy(update={"name": f"{check.spec.name}-{suite.name}"})
    suite = suite.model_copy(update={"human": check.human})
    return LoadedSuite(path, suite, check.spec_path, check.spec_text, source.text, optional)


def _refuse(given: Given, suite: Suite) -> None:
    """Refuse what the command line names wrongly: it has no place in a file (exit 2)."""
    if given.spec is not None and suite.spec is not None:
        advice = "leave --spec out, or write a suite of your own: {extends: …, spec: …}"
        raise SdrlError("", f"the suite {suite.name} has a spec of its own", help=advice, exit=Exit.USAGE)
    for option, path in (("--spec", given.spec), ("--human", given.human)):
        if path is not None and not path.is_file():
            raise SdrlError("", f"{option}: there is no file {path}", help="check the path", exit=Exit.USAGE)
    if given.spec is not None and has_errors((found := load_spec(given.spec)).diagnostics):
        raise _problems(str(given.spec), found.diagnostics)


def _problems(name: str, found: Iterable[Diagnostic]) -> SdrlError:
    ordered = in_order(found)
    count = sum(item.is_error for item in ordered)
    message = f"{name} has {count} error{'s' if count != 1 else ''}"
    return SdrlError("", message, diagnostics=ordered, exit=Exit.PROBLEMS)


def _at(file: str, mark: Mark, code: str, message: str, help_: str | None) -> Diagnostic:
    return Diagnostic(
        code,
        message,
        file=file,
        line=mark.line + 1,
        column=mark.column + 1,
        end_line=mark.end_line + 1,
        end_column=mark.end_column + 1,
        help=help_,
    )


class _Check:
    """What is wrong with a suite whose keys and values are."""

    def __init__(self, file: str, root: MappingNode, suite: Suite, meant: Extended, given: Given) -> None:
        self.file = file
        self.root = root
        self.suite = suite
        self.meant = meant
        self.given = given
        self.human = suite.human
        self.spec_path = given.spec or Path(file).parent / (suite.spec or "")
        self.spec_text = ""
        self.spec: Spec | None = None

    def problems(self) -> Iterator[Diagnostic]:
        """Names first; changes only where the spec can be read."""
        yield from self._names()
        if self.suite.spec is None and self.given.spec is None:
            advice = "name yours with --spec my-task.yaml, or write: spec: my-task.yaml"
            yield self._say("E350", "the suite is for any spec, and none is named", advice, "suite")
            return
        source = read_source(self.spec_path)
        if source.text is None:
            yield self._say(
                "E350", f"there is no spec at {self.spec_path}", "paths start at the suite's folder", "spec"
            )
            return
        self.spec_text = source.text
        loaded = load_spec(self.spec_path, source.text)
        self.spec = loaded.spec
        if has_errors(loaded.diagnostics) or self.spec is None:
            advice = f"mend it first: sdrl validate {self.spec_path}"
            yield self._say("E350", f"the spec {self.spec_path} has errors", advice, "spec")
            return
        yield from self._given_human(self.spec)
        yield from self._human_arms()
        for key, value in self.suite.set.items():
            written = any(key == each.text for each in _keys_of(self.root.get("set")))
            yield from self._changes(("set",) if written else INHERITED, {key: value})
        for place, budget in zip(self.meant.budgets, self.suite.budgets, strict=True):
            yield from self._changes(_set_of(place), budget.set)
        for place, arm in zip(self.meant.arms, self.suite.arms, strict=True):
            yield from self._changes(_set_of(place), arm.set)
            yield from self._shared(place, arm)

    def _given_human(self, spec: Spec) -> Iterator[Diagnostic]:
        """Human data that the command line names are read as the evaluation set that decides is."""
        if self.given.human is None:
            return
        sets = {each.name: each for each in spec.evaluate}
        like = sets.get(self.suite.evaluation or next(iter(sets), ""))
        if like is None:
            advice = "write human: {file: …, input: …, gold: …} in a suite"
            yield self._say("E350", "--human is read as an evaluation set is, and the spec has none", advice, "suite")
            return
        self.human = HumanData.model_validate(
            {
                "file": str(self.given.human.absolute()),
                "input": like.input,
                "gold": like.gold,
                "options": like.options,
            }
        )

    def _human_arms(self) -> Iterator[Diagnostic]:
        for place, arm in zip(self.meant.arms, self.suite.arms, strict=True):
            is_own = place != INHERITED and self.suite.spec is not None
            if is_own and arm.baseline in (None, *BASELINES) and expanded(arm).control.samples != "synthetic":
                if self.human is None:
                    advice = "add: human: {file: …, input: …, gold: …}"
                    message = f"{'.'.join(map(str, place))} trains on human data and the suite names none"
                    yield self._say("E350", message, advice, *place)

    def _names(self) -> Iterator[Diagnostic]:
        if self.suite.extends and self.suite.extends not in shipped_suites():
            message = f"no suite '{self.suite.extends}' ships with sdrl"
            yield self._say("E350", message, nearest_suite(self.suite.extends), "extends")
        elif not self.suite.arms:
            yield self._say("E203", "the key 'arms' is missing", "add: arms: [reference]", "suite")
        arms: list[str] = []
        for place, arm in zip(self.meant.arms, self.suite.arms, strict=True):
            if arm.baseline and arm.baseline not in BASELINES:
                message = f"there is no baseline '{arm.baseline}'"
                yield self._say("E350", message, _near(arm.baseline, [*BASELINES, METHODS]), *place, "baseline")
            name = arm.name or arm.baseline
            if name is None:
                message = f"{'.'.join(map(str, place))}: the key 'name' is missing"
                yield self._say("E203", message, "add: name: …", *place)
            elif name in arms:
                advice = "give one of them a name of its own"
                yield self._say("E350", f"two arms are called '{name}'", advice, *place, "name")
            arms.append(name or "")
        yield from self._questions_and_budgets(arms)

    def _questions_and_budgets(self, arms: list[str]) -> Iterator[Diagnostic]:
        budgets = [budget.name for budget in self.suite.budgets]
        for index, budget in enumerate(budgets):
            if budget in budgets[:index]:
                yield self._say("E350", f"two budgets are called '{budget}'", "rename one", "budgets", index, "name")
        for place, question in zip(self.meant.questions, self.suite.compare, strict=True):
            for key in ("arm", "against"):
                named = getattr(question, key)
                if named is not None and named not in arms:
                    message = f"{'.'.join(map(str, place))}.{key}: there is no arm '{named}'"
                    yield self._say("E350", message, _near(named, arms), *place, key)
        if len(set(self.suite.seeds)) < len(self.suite.seeds):
            yield self._say("E350", "a training seed stands twice", "each seed once", "seeds")

    def _changes(self, path: Place, changes: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Every change must be one that the spec takes."""
        for key, value in changes.items():
            if key in ("seed", SEED_KEY):
                advice = "training seeds are the suite's 'seeds'; the data is the same for all"
                yield self._say("E351", f"{key} is not an arm's to change", advice, *path, key)
                continue
            try:
                apply(self.spec_text, [Edit("set", key, value)])
            except SdrlError as error:
                yield self._say(error.code, error.message, error.help, *path, key)

    def _shared(self, place: Place, arm: Arm) -> Iterator[Diagnostic]:
        """What a budget sets is equal for all arms."""
        for budget in self.suite.budgets:
            for key in arm.set:
                clash = next((other for other in budget.set if _overlap(key, other)), None)
                if clash is not None:
                    message = f"{key} is set by the arm and by the budget '{budget.name}' ({clash})"
                    yield self._say("E351", message, "a budget is the same for all arms", *_set_of(place), key)

    def _say(self, code: str, message: str, help_: str | None, *path: str | int) -> Diagnostic:
        """A problem at a path: at the value where that is a word, at the key or the first key of an item elsewhere."""
        node: Node | None = self.root
        mark = self.root.mark
        for step in path:
            key, node = _step(node, step)
            if node is None:
                break
            mark = key.mark if key is not None else node.mark
            if isinstance(node, MappingNode) and key is None and node.items:
                mark = node.items[0][0].mark
        if isinstance(node, Scalar) and "set" not in path[:-1]:
            mark = node.mark
        return _at(self.file, mark, code, message, help_)


def _set_of(place: Place) -> Place:
    return place if place == INHERITED else (*place, "set")


def _keys_of(node: Node | None) -> list[Scalar]:
    return [key for key, _ in node.items] if isinstance(node, MappingNode) else []


def _step(node: Node | None, step: str | int) -> tuple[Scalar | None, Node | None]:
    """The key (of a table) and the value one step down; None where it is not written."""
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.items if key.text == step), (None, None))
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return None, node.items[step]
    return None, None


def _near(word: str, names: Iterable[str]) -> str:
    known = list(names)
    near = closest(word, known)
    return f"did you mean '{near}'?" if near else f"there are: {', '.join(known)}"


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
