"""What a plan's synthesis method uses of what the plan has. Pure lookups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sdrl.compiler.backward import maskings
from sdrl.spec.method import Method
from sdrl.spec.method_table import METHOD_TABLE

if TYPE_CHECKING:
    from sdrl.compiler.plan import Plan


def method_of(plan: Plan) -> Method:
    """The plan's method."""
    return METHOD_TABLE[plan.settings.synthesize.method]


def writer_of(row: Mapping[str, Any]) -> Method | None:
    """The method that wrote a row; None for one that was adapted, or that grounded wrote."""
    return METHOD_TABLE.get((row.get("source") or {}).get("method", ""))


def demo_of(row: Mapping[str, Any]) -> str | None:
    """The id of the demo that a row is a form of; None where it is something new."""
    writer = writer_of(row)
    return str(row["source"]["parents"][0]) if writer is not None and writer.of_demo else None


def reads_passages(plan: Plan) -> bool:
    """Whether there is a library and the synthesis method reads it: else nothing is searched for."""
    return bool(plan.corpus) and "passages" in method_of(plan).reads


def asks_pattern(plan: Plan) -> bool:
    """Whether the demos' pattern is asked for, where there are demos."""
    return plan.settings.synthesize.pattern != "never" and "pattern" in method_of(plan).reads


def numbers_to_ask(plan: Plan) -> int:
    """How many numbers of its demos a method that asks backward can ask for."""
    language = plan.settings.task.language
    return sum(len(maskings(demo.input, language)) for part in plan.parts for demo in part.demos)


def few_answers(plan: Plan) -> tuple[str, ...]:
    """The answers of a task that has a fixed few of them (letters, labels, yes and no), else none."""
    answer = plan.settings.answer
    if answer.type == "boolean":
        options = answer.options if isinstance(answer.options, Mapping) else {}
        return tuple(str(words[0]) for words in options.values() if words)
    return tuple(str(option) for option in answer.options or ()) if answer.type in ("choice", "label") else ()
