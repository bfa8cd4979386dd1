"""The self-test: the compiled verifier against the spec's own texts, before anything is paid for.

Each demo extracts and equals itself (E410, E411). No text of the task that holds no answer is a right one: instruction,
description, input format, a demo's input (E412). Small changes of form leave the answer what it is, and what answers
something else, or nothing, is not right (E414). Texts made to hold it up end in time (E413). Findings underline what is
meant: the slot in a demo's output, the value in the instruction. Calls no model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdrl.compiler.demo_places import DemoRow, PlacedDemo, placed_demos
from sdrl.compiler.findings import Findings
from sdrl.compiler.mutants import like, unlike
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.spec.model import Spec
from sdrl.verifier import Extraction, ProgramError, Verifier

Golds = Sequence[tuple[str, Mapping[str, str] | None]]
HOSTILE_CHARS = 200_000
HOSTILE_LETTERS = 8  # of a pattern; each repeated makes one hostile text
HOSTILE = ("9" * 20_000, "(" * 20_000, "<answer>" * 2_500, "\\boxed{" * 2_500, '{"a":' * 4_000, "#### " * 4_000)
MOST_S = 1.0  # that one verdict may take
TRIES = 3  # that must all last too long: a machine that stands still for a moment makes any verifier look slow once
MAX_DEMOS = 200  # more demos than this are tested in part: the first ones
MAX_GOLDS = 50  # answers that a text of the task is judged against
TEXTS = ("output_format", "description", "input_format")
SLOTTED = ("marker", "tag", "boxed", "regex", "json")  # an input may well hold a number or a word that is its answer
IN_PROCESS = ("number", "choice", "boolean", "label", "text", "set", "json")
BOUNDED = (*IN_PROCESS, "math")


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
    spec: Spec,
    parts: Sequence[PartPlan],
    rows: Mapping[str, Sequence[DemoRow]],
    program: Mapping[str, Any],
    verifier: Verifier,
    findings: Findings,
) -> dict[str, Any]:
    """Run all checks; returns what was checked, for the plan."""
    tested = _SelfTest(spec, program, verifier, findings)
    demos = list(placed_demos(spec, parts, rows, MAX_DEMOS))
    counts = {"demos": len(demos), "mutants": 0, "instructions": 0}
    read = [(demo, found) for demo in demos if (found := tested.demo(demo)) is not None]
    for demo, found in read:
        counts["mutants"] += tested.mutants(demo, found, read)
    golds: list[tuple[str, Mapping[str, str] | None]] = [(gold, None) for gold in declared_golds(program)]
    golds += [(str(found.prediction), demo.demo.options) for demo, found in read]
    counts["instructions"] = tested.texts(parts, golds[:MAX_GOLDS]) + tested.inputs(read)
    tested.pattern()
    tested.time()
    return counts


def declared_golds(program: Mapping[str, Any]) -> list[str]:
    """Every value that the program declares as a possible answer; none for open types."""
    options = program.get("options")
    if options is None:
        return ["true", "false"] if program.get("type") == "boolean" else []
    return [str(option) for option in options]


class _SelfTest:
    """The checks, each adding to the findings."""

    def __init__(self, spec: Spec, program: Mapping[str, Any], verifier: Verifier, findings: Findings) -> None:
        self._spec = spec
        self._program = program
        self._verifier = verifier
        self._findings = findings

    def demo(self, placed: PlacedDemo) -> Extraction | None:
        """A demo's output must hold an answer that equals itself; the extraction when it does."""
        demo = placed.demo
        found = self._verifier.extract(demo.output, demo.options)
        if found.prediction is None:
            message = f"the demo's output {_short(demo.output)} has no answer that the verifier can read: "
            help_ = "write it as task.output_format says, or change answer.extract to what the outputs look like"
            placed.report(
                self._findings, "E410", "output", message + found.reason, help_, _stripped(demo.output, found.span)
            )
            return None
        judged = self._verifier.judge(demo.output, found.prediction, demo.options)
        if judged.verdict == "correct":
            return found
        message = f"the demo's answer {found.prediction!r} does not equal itself: {judged.verdict}, {judged.reason}"
        help_ = "check answer.type and answer.options against the demo"
        placed.report(self._findings, "E411", "output", message, help_, _stripped(demo.output, found.span))
        return None

    def mutants(self, placed: PlacedDemo, found: Extraction, others: Iterable[tuple[PlacedDemo, Extraction]]) -> int:
        """Changed forms of a demo's output must be judged as declared; returns how many were tried."""
        demo, gold = placed.demo, str(found.prediction)
        same = like(demo.output, found, self._program)
        wrong = unlike(demo.output, found, self._program, self._verifier, demo.options)
        wrong |= self._other_answer(demo, found, others)
        for name, text in (same | wrong).items():
            judged = self._verifier.judge(text, gold, demo.options)
            if (judged.verdict == "correct") == (name in same):
                continue
            if name in same:
                message = f"with {name} the demo's answer is judged {judged.verdict} ({judged.reason})"
                help_ = "models vary in form; an extractor that bears this trains better"
            else:
                message = f"with {name} the demo's output is still judged correct"
                help_ = "a model would be rewarded for it; use an extractor that reads one value from one place"
            placed.report(self._findings, "E414", "output", message, help_, _stripped(demo.output, found.span))
            break
        return len(same) + len(wrong)

    def _other_answer(
        self, demo: Sample, found: Extraction, others: Iterable[tuple[PlacedDemo, Extraction]]
    ) -> dict[str, str]:
        """The output with the answer of another demo in its place."""
        if found.span is None or self._program["type"] not in IN_PROCESS:
            return {}
        start, end = found.span
        for placed, other in others:
            told = str(other.prediction)
            if other.span is None or placed.demo.options != demo.options:
                continue
            if not self._verifier.same(told, str(found.prediction)):
                slot = placed.demo.output[other.span[0] : other.span[1]].strip()
                return {"the answer of another demo": f"{demo.output[:start]} {slot}{demo.output[end:]}"}
        return {}

    def texts(self, parts: Sequence[PartPlan], golds: Golds) -> int:
        """A model that only repeats its instruction, or the task, must never be right; returns how many texts."""
        seen: set[str] = set()
        for part in parts:
            for key in TEXTS:
                text = getattr(part, key)
                if text and text not in seen:
                    seen.add(text)
                    self._text(key, text, golds)
        return len(seen)

    def _text(self, key: str, text: str, golds: Golds) -> None:
        for gold, options in golds:
            if self._verifier.judge(text, gold, options).verdict != "correct":
                continue
            what = "the instruction" if key == "output_format" else f"task.{key}"
            self._findings.add(
                "E412",
                f"task.{key}",
                f"repeating {what} alone counts as the right answer {gold!r}",
                "say the form without an example value in it, such as '<answer> the letter </answer>'",
                part=self._written(key, text, options),
            )
            return

    def _written(self, key: str, text: str, options: Mapping[str, str] | None) -> tuple[int, int] | None:
        """Where the slot of a text stands in the spec's own, which may have {params} where ``text`` has values."""
        span, own = self._verifier.extract(text, options).span, getattr(self._spec.task, key)
        if span is None or own == text:
            return _stripped(text, span)
        at = own.rfind(text[span[0] : span[1]].strip())
        return None if at < 0 else (at, at + len(text[span[0] : span[1]].strip()))

    def inputs(self, read: Iterable[tuple[PlacedDemo, Extraction]]) -> int:
        """A model that only repeats the problem must not be right; returns how many inputs."""
        if self._program["extract"]["kind"] not in SLOTTED:
            return 0
        count = 0
        for placed, found in read:
            demo = placed.demo
            count += 1
            if self._verifier.judge(demo.input, str(found.prediction), demo.options).verdict == "correct":
                message = f"repeating the demo's input alone counts as its right answer {found.prediction!r}"
                help_ = "take the answer out of the input"
                span = _stripped(demo.input, self._verifier.extract(demo.input, demo.options).span)
                placed.report(self._findings, "E412", "input", message, help_, span)
        return count

    def pattern(self) -> None:
        """One match is linear in a text; many matches that each look far ahead are not, and are cut off."""
        pattern = str(self._program["extract"].get("pattern", ""))
        letters = dict.fromkeys(letter for letter in pattern if letter.isalnum())
        for letter in [*letters][:HOSTILE_LETTERS]:
            if all(self._verifier.extract(letter * HOSTILE_CHARS).failed for _ in range(TRIES)):
                self._findings.add(
                    "E413",
                    "answer.extract.regex",
                    f"on {HOSTILE_CHARS:,} times {letter!r} the pattern does not end in time",
                    "let it match without looking far ahead: an optional '.*' at its end does, or use marker or tag",
                )
                return

    def time(self) -> None:
        """No text may hold a verifier that is a program of its own up for longer than a second.

        The other types are not timed: what they read is bounded, which the test suite holds, and a clock would let a
        busy machine refuse a spec that is right.
        """
        if self._program["type"] in BOUNDED:
            return
        for text in HOSTILE:
            if all(self._seconds(text) > MOST_S for _ in range(TRIES)):
                shown = f"{len(text):,} characters like {text[:8]!r}"
                self._findings.add(
                    "E413",
                    "answer",
                    f"reading {shown} takes longer than {MOST_S:g} s",
                    "a verifier of your own must bound the length of what it reads",
                )
                return

    def _seconds(self, text: str) -> float:
        began = time.perf_counter()
        self._verifier.extract(text)
        return time.perf_counter() - began


def _stripped(text: str, span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The span without the blanks around it; None for nothing."""
    if span is None:
        return None
    slot = text[span[0] : span[1]]
    start = span[0] + len(slot) - len(slot.lstrip())
    return (start, start + len(slot.strip())) if slot.strip() else None


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else "…" + flat[-60:])
