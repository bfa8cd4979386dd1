"""Lints that need the rows of demos and evaluation sets: a demo that gives a test problem away (W512), demos of a file
that repeat or contradict each other (W513), too few numbers in them to ask for (W515). Reads no file but to show a row;
drops nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sdrl.compiler.demo_places import PlacedDemo
from sdrl.compiler.findings import Findings
from sdrl.compiler.method_use import method_of, numbers_to_ask
from sdrl.compiler.overlap import Overlap, Shared, normal_form, telling_words
from sdrl.compiler.plan import Plan
from sdrl.verifier import Verifier

MOST = 5  # findings of a kind; the last one says how many more there are


@dataclass(frozen=True)
class FrozenSet:
    """An evaluation set's frozen rows and where each stands (file:line)."""

    name: str
    content: bytes
    places: Sequence[str]


def lint_demos(demos: Sequence[PlacedDemo], sets: Iterable[FrozenSet], verifier: Verifier, findings: Findings) -> None:
    """Report demos that come back in an evaluation set, and demos of files that do not agree with each other."""
    if not demos:
        return
    places: dict[str, Sequence[str]] = {}
    overlap = Overlap()
    for each in sets:
        places[each.name] = each.places
        overlap.add(each.name, *_candidates(each, demos))
    leaks = [(placed, found) for placed in demos if (found := overlap.find(placed.demo.input)) is not None]
    for at, (placed, found) in enumerate(leaks[:MOST]):
        message = _leak(found, places[found.name]) + _more(at, len(leaks))
        help_ = "take it out of the demos: it goes into prompts, and the set would no longer measure"
        placed.report(findings, "W512", "input", message, help_, (0, len(placed.demo.input)))
    _disagreements([placed for placed in demos if not placed.is_inline], verifier, findings)


def _candidates(each: FrozenSet, demos: Sequence[PlacedDemo]) -> tuple[dict[int, str], int]:
    """The rows that may share a run with a demo, and how many rows there are."""
    telling = set().union(*(telling_words(placed.demo.input) for placed in demos))
    lines = each.content.decode().splitlines()
    wanted = re.compile("|".join(map(re.escape, sorted(telling)))) if telling else None
    rows = {}
    for number, line in enumerate(lines):
        if wanted is not None and wanted.search(line.casefold()):
            rows[number] = str(json.loads(line)["input"])
    return rows, len(lines)


def _leak(found: Shared, places: Sequence[str]) -> str:
    where = places[found.row] if found.row < len(places) else f"row {found.row + 1}"
    if found.words is None:
        return f"the same input stands in evaluation set '{found.name}' ({where})"
    return f"it shares “{found.words}” with evaluation set '{found.name}' ({where})"


def _disagreements(demos: Sequence[PlacedDemo], verifier: Verifier, findings: Findings) -> None:
    first: dict[str, PlacedDemo] = {}
    doubled: list[tuple[PlacedDemo, PlacedDemo]] = []
    for placed in demos:
        demo = placed.demo
        key = normal_form("\n".join([demo.input, *sorted((demo.options or {}).values())]))
        earlier = first.setdefault(key, placed)
        if earlier is not placed:
            doubled.append((placed, earlier))
    for at, (placed, earlier) in enumerate(doubled[:MOST]):
        answers = [verifier.extract(each.demo.output, each.demo.options).prediction for each in (earlier, placed)]
        differs = None not in answers and not verifier.same(str(answers[0]), str(answers[1]))
        message = f"the same input as {earlier.name}"
        if differs:
            message += f", and another answer: {answers[1]!r}, not {answers[0]!r}"
        help_ = "keep the right one" if differs else "remove one of them: a repeated demo is drawn twice as often"
        placed.report(findings, "W513", "input", message + _more(at, len(doubled)), help_, (0, len(placed.demo.input)))


def lint_numbers(plan: Plan, findings: Findings) -> None:
    """Report demos that have no number, or too few of them, for a method that asks for their numbers."""
    method, wanted = method_of(plan), plan.settings.synthesize.samples
    if not method.languages:
        return
    count = numbers_to_ask(plan)
    if not count:
        message = f"no demo has a number that '{method.name}' could ask for: nothing will be written"
        findings.add("W515", "synthesize.method", message, "add demos with numbers in their inputs")
    elif method.once and count < wanted:
        message = f"the demos have {count} numbers, each is asked for once, and {wanted} samples are wanted"
        findings.add("W515", "synthesize.samples", message, f"add demos, or lower samples to {count} or less")


def _more(at: int, count: int) -> str:
    return f" (and {count - MOST} more)" if at == MOST - 1 and count > MOST else ""
