"""Stand-ins for what a run will fill in: a passage, a sample, a pattern; for previews and for estimates.

Reads the beginning of the first corpus file. Says where each stand-in comes from, so that nobody takes it for data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrl.compiler.backward import asked_back, asked_of, language_of, maskings
from sdrl.compiler.method_use import asks_pattern, few_answers, method_of, reads_passages
from sdrl.compiler.rows import RowProblem, fill, read_rows
from sdrl.compiler.sample import Sample
from sdrl.compiler.schedule import topics_for
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE
from sdrl.verifier.verifier import Verifier

if TYPE_CHECKING:
    from sdrl.compiler.plan import PartPlan, Plan
    from sdrl.spec.method import Step

MAX_TEXT_BYTES = 65_536
MAX_SCANNED_BYTES = 262_144
POOL_SHOWN = 8  # demos in a prompt that shows a pool


@dataclass(frozen=True)
class StandIn:
    """A value and where it comes from."""

    value: Any
    source: str


def first_passage(plan: Plan, base_dir: Path) -> StandIn | None:
    """The first passage of the first local corpus file, cut to ``retrieve.passage_words``; None without a corpus."""
    if not plan.corpus:
        return None
    words = plan.settings.retrieve.passage_words
    for file in plan.corpus:
        text = _first_text(base_dir / file.path, plan.settings.corpus[file.source].text)
        if text:
            return StandIn(" ".join(text.split()[:words]), f"the first passage of {file.path}")
    return StandIn("(a passage of the corpus)", "a stand-in: the corpus is not at hand")


def passages(plan: Plan, base_dir: Path, most: int) -> list[str]:
    """At most ``most`` passages, evenly spread over the beginnings of the local corpus files; none where none is at
    hand.

    A text that is longer than ``retrieve.passage_words`` is cut there, as a run cuts it (at sentences, though).
    """
    words = plan.settings.retrieve.passage_words
    files = [file for file in plan.corpus if (base_dir / file.path).is_file()]
    found: list[str] = []
    for file in files:
        found += _texts(base_dir / file.path, plan.settings.corpus[file.source].text, max(1, most // len(files)))
    pieces = []
    for text in found:
        cut = text.split()
        pieces.append(text if len(cut) <= words else " ".join(cut[: -(-len(cut) // -(-len(cut) // words))]))
    return [piece for piece in pieces if piece]


def _texts(path: Path, field: str, most: int) -> list[str]:
    """Texts from the first 256 kB of a JSON Lines file, evenly spread; of any other file the first one."""
    if path.suffix != ".jsonl":
        return [_first_text(path, field)]
    with path.open("rb") as file:
        lines = file.read(MAX_SCANNED_BYTES).split(b"\n")
    whole = [line for line in (lines[:-1] or lines) if line.strip()]
    texts = []
    for line in whole[:: max(1, -(-len(whole) // most))]:
        try:
            row = json.loads(line)
            texts.append(fill(field, row) if "{" in field else str(row.get(field, "")))
        except (ValueError, AttributeError):  # a bad row is said when the index is built
            continue
    return texts


def _first_text(path: Path, field: str) -> str:
    if not path.is_file():
        return ""
    if path.suffix in (".txt", ".md"):
        with path.open("rb") as file:
            return file.read(MAX_TEXT_BYTES).decode("utf-8", "ignore")
    try:
        for _, row in read_rows(path, 1):
            return fill(field, row) if "{" in field else str(row.get(field, ""))
    except RowProblem:
        return ""
    return ""


def example_sample(plan: Plan, part: PartPlan, data: Mapping[str, bytes]) -> StandIn:
    """The part's first demo, else the first evaluation row, else words that say what would stand there."""
    if part.demos:
        return StandIn(part.demos[0], f"the first demo of part '{part.name}'")
    for evaluation in plan.evaluations:
        content = data.get(evaluation.file, b"")
        if content:
            row = json.loads(content.split(b"\n", 1)[0])
            sample = Sample(row["input"], row["gold"], row.get("options"))
            return StandIn(sample, f"the first row of evaluation set '{evaluation.name}' (a run never shows it)")
    options = {label: f"(option {label})" for label in plan.labels} or None
    return StandIn(Sample("(an input of the task)", "(an output of the task)", options), "a stand-in: there is no demo")


def prompt_values(
    plan: Plan, part: PartPlan, base_dir: Path, data: Mapping[str, bytes]
) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """By prompt name: the values to render it with, and one line for each stand-in among them."""
    sample = example_sample(plan, part, data)
    passage = first_passage(plan, base_dir) if reads_passages(plan) else None
    how_many = plan.settings.synthesize.demos_per_prompt
    demos = list(part.demos if how_many == "all" else part.demos[:how_many])
    has_pattern = bool(demos) and asks_pattern(plan)
    generate: dict[str, Any] = {
        "demos": demos,
        "pattern": "(the pattern that the instructor finds in the demos)" if has_pattern else None,
        "passage": passage.value if passage else None,
    }
    said = [f"passage: {passage.source}"] if passage else ["passage: none, the task has no corpus"]
    if has_pattern:
        said.append("pattern: a stand-in, the instructor writes it")
    asked = {"input": sample.value.input, "options": sample.value.options}
    about = [f"sample: {sample.source}"]
    shown = {
        "keywords": ({"demos": list(part.demos[:3])}, []),
        "pattern": ({"demos": list(part.demos)}, []),
        "generate": (generate, said),
        "solve": (asked, about),
        "harder": ({"sample": sample.value}, about),
        "easier": ({"sample": sample.value}, about),
        "judge": ({"sample": sample.value}, about),
        "tags": ({"sample": sample.value}, about),
        "answer": (asked, about),
    }
    method = METHOD_TABLE[plan.settings.synthesize.method]
    for step in method.steps if method.name != GROUNDED else ():
        given = step_values(plan, part, step, base_dir, sample.value)
        lines = [f"{name}: a stand-in" for name, value in given.items() if value and name not in ("demos", "sample")]
        shown[step.prompt] = given, [*lines, *(about if "sample" in given else ())]
    return shown


def step_values(plan: Plan, part: PartPlan, step: Step, base_dir: Path, sample: Sample) -> dict[str, Any]:
    """Values for one prompt of a synthesis method: the plan's own where it has some, else words that say what stands
    there."""
    passage = first_passage(plan, base_dir) if reads_passages(plan) else None
    text = passage.value if passage else None
    known: dict[str, Any] = {
        "demos": _demos(plan, part, sample),
        "pattern": "(the pattern that the instructor finds in the demos)"
        if part.demos and asks_pattern(plan)
        else None,
        "passage": text,
        "other_passage": text,
        "sample": sample,
        "input": sample.input,
        "options": sample.options,
        "label": next(iter(few_answers(plan)), None),
        "count": str(topics_for(plan.settings.synthesize, part.share)),
        "problem": sample.input,
        **_backward(plan, sample),
    }
    return {name: known.get(name, f"(the {name.replace('_', ' ')} of this attempt)") for name in step.variables}


def _demos(plan: Plan, part: PartPlan, sample: Sample) -> tuple[Sample, ...]:
    """The demos of one prompt; where the sample is the demo that it starts from, others."""
    method, wanted = method_of(plan), plan.settings.synthesize.demos_per_prompt
    if method.pool:
        return part.demos[:POOL_SHOWN]
    demos = tuple(demo for demo in part.demos if demo != sample) if method.of_demo else part.demos
    return demos if wanted == "all" else demos[:wanted]


def _backward(plan: Plan, sample: Sample) -> dict[str, str]:
    """What a method that asks backward makes of the sample's first number; nothing under other methods."""
    method, language = method_of(plan), plan.settings.task.language
    masked = next(iter(maskings(sample.input, language)), None) if method.languages else None
    if masked is None or language_of(language) not in method.languages:
        return {}
    answer = Verifier.from_program(plan.verifier).extract(sample.output).prediction or "(the demo's answer)"
    problem = asked_back(masked, answer, language)
    if "declare" in method.prompts:  # the instructor's statement is about as long as the question
        problem = asked_of(f"(the statement made of: {masked.question} {answer})", masked.unknown, language)
    return {"masked_question": masked.question, "unknown": masked.unknown, "value": answer, "problem": problem}
