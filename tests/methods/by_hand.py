"""A method driven by hand: an attempt of a small project, and replies given one by one; no run, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan import Plan
from sdrl.compiler.prompts import Prompts
from sdrl.methods import METHODS, Attempt, Draft, Example, Refusal, Reply
from sdrl.verifier import Verifier
from tests.compiler.project import SPEC, write_project

LABELS = "{type: choice, options: [A, B], extract: {marker: '####'}}"


def plan_of(folder: Path, method: str, answer: str | None = None) -> Plan:
    """The plan of the compiler's test project under this method; ``answer``: another answer block, without demos."""
    spec = SPEC.replace("synthesize: {", f"synthesize: {{method: {method}, ")
    if answer:
        kept = spec[: spec.index("answer:")], spec[spec.index("corpus:") : spec.index("evaluate:")]
        spec = f"{kept[0]}answer: {answer}\n{kept[1]}"
    return compile_spec(write_project(folder, spec)).require()


def attempt_of(plan: Plan, turn: int = 0, **changes: Any) -> Attempt:
    """One attempt with three passages and the part's demos."""
    library = tuple({"id": f"p{at}", "text": f"Text {at}."} for at in range(3))
    given = {"passage": library[turn % 3], "library": library, "demos": plan.parts[0].demos, "seed": turn} | changes
    verifier = Verifier.from_program(plan.verifier)
    return Attempt(
        turn, plan.parts[0], given.pop("passage"), None, given.pop("demos"), plan, verifier, turn=turn, **given
    )


def played(attempt: Attempt, *replies: Reply) -> tuple[list[Draft], Example | Refusal | None]:
    """What the method asks for, and how it ends; None where it would ask on after the last reply."""
    writing = METHODS[attempt.plan.settings.synthesize.method].write(attempt)
    drafts: list[Draft] = []
    given: list[Reply | None] = [None, *replies]
    for reply in given:
        try:
            drafts.append(next(writing) if reply is None else writing.send(reply))
        except StopIteration as end:
            return drafts, end.value
    return drafts, None


def text_of(plan: Plan, draft: Draft) -> str:
    """The prompt as it would be sent."""
    values: Mapping[str, Any] = draft.values
    return Prompts(plan).messages(draft.prompt, plan.parts[0], **values)[0]["content"]
