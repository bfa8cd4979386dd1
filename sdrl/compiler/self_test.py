"""The self-test: the compiled verifier against the spec's own examples, before anything is paid for.

Each demo extracts and equals itself; the instruction alone is never a right answer; small changes of form around or in
the answer slot leave the answer what it is; a pattern of the spec's own ends in time on texts made to hold it up.
Findings point at the demo, the instruction or the pattern. Calls no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.spec.model import DemoSource, Spec
from sdrl.verifier import Extraction, ProgramError, Verifier

Options = Mapping[str, str] | None
HOSTILE_CHARS = 200_000
HOSTILE_LETTERS = 8  # of a pattern; each repeated makes one hostile text
MAX_DEMOS = 200  # more demos than this are tested in part: the first ones
# around the whole completion: nothing that an answer is made of changes
AROUND: dict[str, Callable[[str], str]] = {
    "a trailing newline": lambda text: text + "\n",
    "spaces at the end": lambda text: text + "  ",
}
# inside the slot: forms that these answer types read as the same value
INSIDE: dict[str, Callable[[str], str]] = {
    "spaces around it": lambda slot: f" {slot} ",
    "bold type": lambda slot: f"**{slot}**",
    "a final dot": lambda slot: f"{slot}.",
}
INSIDE_TYPES = ("number", "choice", "boolean", "label")
INSIDE_EXTRACTORS = ("marker", "tag", "boxed")


def compile_verifier(program: Mapping[str, Any], findings: Findings) -> Verifier | None:
    """The verifier of a program, or a finding on ``answer``."""
    try:
        return Verifier.from_program(program)
    except ProgramError as error:
        findings.add(
            "E401", "answer", f"no verifier can be made of this answer: {error}", "sdrl explain E401 tells more"
        )
        return None


def self_test(
    spec: Spec, parts: Sequence[PartPlan], program: Mapping[str, Any], verifier: Verifier, findings: Findings
) -> dict[str, Any]:
    """Run all checks; returns what was checked, for the plan."""
    counts = {"demos": 0, "mutants": 0, "instructions": 0}
    golds: list[tuple[str, Options]] = [(gold, None) for gold in declared_golds(program)]
    for place, demo in _placed_demos(spec, parts):
        counts["demos"] += 1
        found = _check_demo(place, demo, verifier, findings)
        if found is not None:
            counts["mutants"] += _check_mutants(place, demo, found, program, verifier, findings)
            golds.append((str(found.prediction), demo.options))
    for text in dict.fromkeys(part.output_format for part in parts):
        counts["instructions"] += 1
        _check_instruction(text, golds, verifier, findings)
    _check_pattern(program, verifier, findings)
    return counts


def declared_golds(program: Mapping[str, Any]) -> list[str]:
    """Every value that the program declares as a possible answer; none for open types."""
    options = program.get("options")
    if options is None:
        return ["true", "false"] if program.get("type") == "boolean" else []
    return [str(option) for option in options]


def _placed_demos(spec: Spec, parts: Sequence[PartPlan]) -> Iterator[tuple[str, Sample]]:
    """Each demo once, with the path that a finding should point at."""
    seen: set[int] = set()
    for index, part in enumerate(parts):
        inherits = not spec.parts or spec.parts[index].demos is None
        source = spec.demos if inherits else spec.parts[index].demos
        base = "demos" if inherits else f"parts.{index}.demos"
        if id(source) in seen:
            continue
        seen.add(id(source))
        for number, demo in enumerate(part.demos[:MAX_DEMOS]):
            yield base if isinstance(source, DemoSource) else f"{base}.{number}.output", demo


def _check_demo(place: str, demo: Sample, verifier: Verifier, findings: Findings) -> Extraction | None:
    found = verifier.extract(demo.output, demo.options)
    shown = f"the demo's output {_short(demo.output)}"
    if found.prediction is None:
        findings.add(
            "E410",
            place,
            f"{shown} has no answer that the verifier can read: {found.reason}",
            "write it in task.output_format, or change answer.extract to what the outputs look like",
        )
        return None
    judged = verifier.judge(demo.output, found.prediction, demo.options)
    if judged.verdict != "correct":
        findings.add(
            "E411",
            place,
            f"{shown} does not equal its own answer {found.prediction!r}: {judged.verdict}, {judged.reason}",
            "check answer.type and answer.options against the demo",
        )
        return None
    return found


def _check_mutants(
    place: str, demo: Sample, found: Extraction, program: Mapping[str, Any], verifier: Verifier, findings: Findings
) -> int:
    """Slightly changed forms of a demo's output must be read as the same value; returns how many were tried."""
    mutants = {name: change(demo.output) for name, change in AROUND.items()}
    reads_forms = program["type"] in INSIDE_TYPES and program["extract"]["kind"] in INSIDE_EXTRACTORS
    if found.span is not None and reads_forms:
        start, end = found.span
        for name, change in INSIDE.items():
            mutants[name] = demo.output[:start] + change(demo.output[start:end].strip()) + demo.output[end:]
    for name, text in mutants.items():
        verdict = verifier.judge(text, str(found.prediction), demo.options)
        if verdict.verdict != "correct":
            findings.add(
                "E414",
                place,
                f"with {name} the answer of the demo's output is judged {verdict.verdict} ({verdict.reason})",
                "models vary in form; an extractor that bears this trains better",
            )
    return len(mutants)


def _check_instruction(text: str, golds: Sequence[tuple[str, Options]], verifier: Verifier, findings: Findings) -> None:
    """A model that only repeats its instruction must never be right."""
    for gold, options in golds:
        if verifier.judge(text, gold, options).verdict == "correct":
            findings.add(
                "E412",
                "task.output_format",
                f"repeating the instruction alone counts as the right answer {gold!r}",
                "say the form without an example value in it, such as '<answer> the letter </answer>'",
            )
            return


def _check_pattern(program: Mapping[str, Any], verifier: Verifier, findings: Findings) -> None:
    """One match is linear in a text; many matches that each look far ahead are not, and the verifier cuts them off."""
    pattern = str(program["extract"].get("pattern", ""))
    letters = dict.fromkeys(letter for letter in pattern if letter.isalnum())
    for letter in [*letters][:HOSTILE_LETTERS]:
        if verifier.extract(letter * HOSTILE_CHARS).failed:
            findings.add(
                "E413",
                "answer.extract.regex",
                f"on {HOSTILE_CHARS:,} times {letter!r} the pattern does not end in time",
                "let it match without looking far ahead: an optional '.*' at its end does, or use marker or tag",
            )
            return


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else "…" + flat[-60:])
