"""A lint of numbers (W514): right answers so small that the tolerance takes 0, or any other small number, for them.

Looks at demos and frozen evaluation rows; reads no file. What the tolerance does to larger answers is meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from sdrl.compiler.demo_lints import FrozenSet
from sdrl.compiler.demo_places import PlacedDemo
from sdrl.compiler.findings import Findings
from sdrl.spec.model import Answer
from sdrl.verifier import Verifier

# a gold that may be below 1: most rows are passed over unread
_SMALL = re.compile(rb'\{"gold":"[^"]*(?:(?<![0-9])0?\.[0-9]|[eE^]|/|frac)')
_FRACTION = re.compile(r"(-?[0-9.]+)(?:/([0-9]+))?")
HELP = "write answer.tolerance: {abs: 0, rel: 1e-6}: a share of the value, whatever its size"


def lint_golds(
    answer: Answer, demos: Sequence[PlacedDemo], sets: Iterable[FrozenSet], verifier: Verifier, findings: Findings
) -> None:
    """Report the first demo and the first row of each set whose answer lies within the tolerance of 0."""
    bound = answer.tolerance.abs
    if answer.type not in ("number", "math") or not bound:
        return
    for placed in demos:
        value = verifier.extract(placed.demo.output, placed.demo.options).prediction
        if value is not None and is_tiny(value, bound):
            placed.report(findings, "W514", "output", _message(value, bound, ""), HELP)
            break
    for index, each in enumerate(sets):
        for number, line in enumerate(each.content.split(b"\n")):
            if not _SMALL.match(line):
                continue
            value = verifier.read_gold(str(json.loads(line)["gold"]))
            if value is not None and is_tiny(value, bound):
                where = each.places[number] if number < len(each.places) else f"row {number + 1}"
                findings.add("W514", f"evaluate.{index}", _message(value, bound, f"{where}: "), HELP)
                break


def is_tiny(canonical: str, bound: Decimal) -> bool:
    """Whether a canonical number is not 0 and no further from it than ``bound``; other texts are not."""
    found = _FRACTION.fullmatch(canonical)
    if not found:
        return False
    value = abs(Decimal(found[1]))
    return 0 < value <= bound * int(found[2] or 1)


def _message(value: str, bound: Decimal, where: str) -> str:
    return f"{where}the answer {value} is within the tolerance of {bound:f} from 0: a completion that says 0 is right"
