"""How many tokens each prompt and each reply of a run has: rendered with what the plan holds, expected and at most.

Prompts are rendered with real passages of the corpus, with the demos, and with samples that stand for those to be
written: the scripted instructor's own form, else the demos, else rows of an evaluation set (for their length only).
Reads the corpus files in part; calls no model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sdrl.compiler.examples import passages, step_values
from sdrl.compiler.identities import TOY_BASE
from sdrl.compiler.method_use import asks_pattern
from sdrl.compiler.plan import EvaluationPlan, PartPlan, Plan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.replies import reply_schema
from sdrl.compiler.sample import Sample
from sdrl.compiler.schedule import KEYWORD_DEMOS, PATTERN_DEMOS, demo_chance
from sdrl.compiler.tokens import SCRIPTED, UNKNOWN, Tokens, tokens_of
from sdrl.compiler.typical import (
    TOY_AT_HOME,
    TOY_LETTERS,
    TOY_WORDS,
    USUAL_ANSWERING,
    USUAL_WRITING,
    Answering,
    Writing,
    scripted_sample,
)
from sdrl.spec.method import Step
from sdrl.spec.method_table import GROUNDED

RENDERED = 12  # samples that each prompt is rendered with
READ = 32  # evaluation rows, passages whose length is counted
WRAPPING = 16  # tokens that a chat API puts around a message
PASSAGES = ("passage", "other_passage")  # the variables that hold one
NO_LIMIT = 4096  # tokens of a reply at most, where a sampling block has no max_tokens
SKELETON = '{"input": "", "output": ""}'
Item = TypeVar("Item")


class Size(NamedTuple):
    """Tokens: what is expected, and a bound."""

    expected: float
    most: int


@dataclass(frozen=True)
class Known:
    """What the compiler has beside the plan: folders, frozen evaluation rows, their worked solutions and
    where they stand, the base.
    """

    base_dir: Path
    data: Mapping[str, bytes]
    worked: Mapping[str, Sequence[str]]
    places: Mapping[str, Sequence[str]]
    base_folder: Path | None = None


class Sizes:
    """The sizes of one plan's prompts and replies."""

    def __init__(self, plan: Plan, known: Known) -> None:
        self._plan = plan
        self._known = known
        self._questions: dict[str, Size] = {}
        self._sizes: dict[str, Size] = {}
        self._prompts = Prompts(plan)
        models = plan.settings.models
        self.is_scripted = bool(models and models.instructor.is_embedded)
        self.writing: Writing = USUAL_WRITING
        self.answering = _answering(plan)
        self.instructor = SCRIPTED if self.is_scripted else _instructor_tokens(plan, known.base_dir)
        self.base: Tokens = tokens_of(known.base_folder)

    @cached_property
    def samples(self) -> list[Sample]:
        """Samples as long as those that will be written; ``output`` is a worked one where ``has_outputs``."""
        plan = self._plan
        if self.is_scripted:
            return [scripted_sample(plan.settings.answer)]
        if demos := [demo for part in plan.parts for demo in part.demos]:
            return spread(demos, RENDERED)
        for evaluation in sorted(plan.evaluations, key=lambda each: each.shift != "iid"):
            if rows := self.rows(evaluation, RENDERED):
                outputs = spread(self._known.worked.get(evaluation.name, ()), len(rows)) or [""] * len(rows)
                return [replace(row, output=output) for row, output in zip(rows, outputs, strict=False)]
        options = {label: f"(option {label})" for label in plan.labels} or None
        return [Sample("", "", options)]

    @cached_property
    def has_outputs(self) -> bool:
        """Whether the samples' outputs are whole ones."""
        return any(sample.output for sample in self.samples)

    def input(self, tokens: Tokens) -> float:
        """Tokens of an input with its options."""
        found = mean(tokens.count(each.input) + _options(each, tokens) for each in self.samples)
        return found if any(each.input for each in self.samples) else found + self.writing.input_tokens

    def output(self, tokens: Tokens, texts: Sequence[str] = ()) -> float:
        """Tokens of a worked output; of ``texts`` where they are given."""
        if texts:
            return mean(tokens.count(text) for text in spread(texts, READ))
        if not self.has_outputs:
            return self.writing.output_tokens
        return mean(tokens.count(each.output) for each in self.samples)

    def written(self) -> float:
        """Tokens of a reply that holds a new sample as JSON."""
        skeleton = SKELETON if not self._plan.labels else SKELETON[:-1] + ', "options": {"A": "", "B": "", "C": ""}}'
        escaped = mean(
            self.instructor.count(json.dumps(each.input + each.output, ensure_ascii=False)[1:-1])
            - self.instructor.count(each.input + each.output)
            for each in self.samples
        )
        return self.instructor.count(skeleton) + escaped + self.input(self.instructor) + self.output(self.instructor)

    def rows(self, evaluation: EvaluationPlan, most: int) -> list[Sample]:
        """Some rows of an evaluation set, spread over it."""
        lines = self._known.data.get(evaluation.file, b"").splitlines()
        loaded = [json.loads(line) for line in spread(lines, most)]
        return [Sample(row["input"], row["gold"], row.get("options")) for row in loaded]

    def keywords(self) -> Size:
        """The prompt for search words."""
        return self._asked("keywords", lambda part: [{"demos": part.demos[:KEYWORD_DEMOS]}])

    def pattern(self) -> Size:
        """The prompt for the pattern of the demos, of the parts that have some."""
        with_demos = [part for part in self._plan.parts if part.demos]
        return self._asked("pattern", lambda part: [{"demos": part.demos[:PATTERN_DEMOS]}], with_demos)

    def step(self, step: Step) -> Size:
        """A prompt of the synthesis method: grounded's with what the run will choose, others with stand-ins."""
        if self._plan.settings.synthesize.method == GROUNDED:
            return self.generate()
        sample = self.samples[0]
        size = self._asked(
            step.prompt, lambda part: [step_values(self._plan, part, step, self._known.base_dir, sample)]
        )
        shown = [name for name in step.variables if name in PASSAGES]
        longest = max(self._longest_sample, self._passage.most)  # what stands for a passage may be longer than it
        others = (len(step.variables) - len(shown)) * self._longest_sample
        return Size(size.expected + len(shown) * self._passage.extra, size.most + len(shown) * longest + others)

    def generate(self) -> Size:
        """The prompt for a new sample: with passages and demos as the run will choose them, on average."""
        sizes = [(part.share, self._generate(part)) for part in self._plan.parts]
        return Size(sum(share * size.expected for share, size in sizes), max(size.most for _, size in sizes))

    def _generate(self, part: PartPlan) -> Size:
        synthesize, tokens = self._plan.settings.synthesize, self.instructor
        wanted = synthesize.demos_per_prompt
        n = len(part.demos) if wanted == "all" else min(wanted, len(part.demos))
        chance = demo_chance(synthesize, len(part.demos))
        passage = self._passage
        shown = self._one("generate", part, {"demos": (), "passage": passage.text})
        bare = Size(tokens.count(shown) + passage.extra, tokens.most(shown) + passage.most)
        if not n:
            return self._wrapped("generate", bare)
        lengths = sorted(_whole(demo, tokens) for demo in part.demos)
        values = {"demos": part.demos[:n], "passage": passage.text, "pattern": "-" if self._asks_pattern else None}
        text = self._one("generate", part, values)
        without = sum(_whole(demo, tokens) for demo in part.demos[:n])
        pattern = self.writing.pattern_tokens if self._asks_pattern else 0
        full = tokens.count(text) - without + n * mean(lengths) + pattern + passage.extra
        longest = tokens.most(text) + tokens.safety * (sum(lengths[-n:]) - without) + passage.most
        if self._asks_pattern:
            longest += synthesize.sampling.max_tokens or NO_LIMIT
        return self._wrapped("generate", Size(chance * full + (1 - chance) * bare.expected, int(longest)))

    @property
    def _asks_pattern(self) -> bool:
        return asks_pattern(self._plan)

    @cached_property
    def _passage(self) -> _Passage:
        """One passage to render, and what the others have beside it in tokens."""
        if not self._plan.corpus:
            return _Passage(None, 0.0, 0)
        retrieve = self._plan.settings.retrieve
        texts = passages(self._plan, self._known.base_dir, READ)
        if not texts:
            usual = retrieve.passage_words * 1.3 * retrieve.per_sample
            return _Passage("-", usual, retrieve.passage_words * 4 * retrieve.per_sample)
        counts = [self.instructor.count(text) for text in texts]
        extra = retrieve.per_sample * mean(counts) - counts[0]
        longest = max(max(counts), retrieve.passage_words * 2) if self._is_cut else max(counts)
        return _Passage(texts[0], extra, int(self.instructor.safety * retrieve.per_sample * longest) - counts[0])

    @property
    def _is_cut(self) -> bool:
        """Whether there are passages that were not read."""
        return sum(file.rows or READ + 1 for file in self._plan.corpus) > READ

    def solve(self, factor: float = 1.0) -> Size:
        """The prompt for one vote; ``factor`` is the input's length beside the usual one."""
        size = self._asked("solve", lambda _: [{"input": e.input, "options": e.options} for e in self.samples])
        return self._scaled(size, factor * self.input(self.instructor), self._shown, self._longest_sample)

    def rewrite(self, name: str) -> Size:
        """The prompt ``harder`` or ``easier``."""
        size = self._asked(name, lambda _: [{"sample": each} for each in self.samples])
        shown = self._shown + mean(self.instructor.count(each.output) for each in self.samples)
        usual = self.input(self.instructor) + self.output(self.instructor)
        solved = self._plan.settings.vote.sampling.max_tokens or NO_LIMIT
        return self._scaled(size, usual, shown, self._longest_sample + max(solved, self._longest_sample))

    @property
    def _shown(self) -> float:
        """Tokens of the samples that prompts are rendered with."""
        return mean(self.instructor.count(each.input) + _options(each, self.instructor) for each in self.samples)

    @property
    def _longest_sample(self) -> int:
        return self._plan.settings.synthesize.sampling.max_tokens or NO_LIMIT

    def _scaled(self, size: Size, usual: float, shown: float, longest: int) -> Size:
        return Size(size.expected - shown + usual, size.most + longest)

    def answer(self, factor: float = 1.0) -> Size:
        """What the base model is asked about a written sample."""
        texts = [
            self._prompts.answer(part, each.input, each.options)
            for part in self._plan.parts
            for each in spread(self.samples, max(1, RENDERED // len(self._plan.parts)))
        ]
        shown = mean(self.base.count(each.input) + _options(each, self.base) for each in self.samples)
        expected = mean(self.base.count(text) for text in texts) - shown + factor * self.input(self.base)
        # a token of the instructor is at most so many of the base model: its characters, or those of a long word
        longest = self._longest_sample * (SCRIPTED_BYTES if self.is_scripted else LONG_TOKEN)
        return Size(expected, max(self.base.most(text) for text in texts) + longest)

    def question(self, evaluation: EvaluationPlan) -> Size:
        """What the base model is asked about a row of an evaluation set; the bound holds for the rows looked at."""
        if evaluation.name not in self._questions:
            self._questions[evaluation.name] = self._question(evaluation)
        return self._questions[evaluation.name]

    def _question(self, evaluation: EvaluationPlan) -> Size:
        part = self._plan.parts[0]
        rows = self.rows(evaluation, READ)
        counts = [self._prompts.answer(part, row.input, row.options) for row in rows]
        lengths = [len(line) for line in self._known.data.get(evaluation.file, b"").splitlines()]
        longest = max((len(row.input.encode()) for row in rows), default=0)
        beyond = max(0, max(lengths, default=0) - longest)  # a token is at least one byte
        return Size(
            mean(self.base.count(text) for text in counts), max(map(self.base.most, counts), default=0) + beyond
        )

    def worked(self, evaluation: EvaluationPlan) -> float:
        """Tokens of a worked answer to a row of an evaluation set, in the base model's tokens."""
        return self.output(self.base, self._known.worked.get(evaluation.name, ()))

    def _asked(
        self,
        name: str,
        values: Callable[[PartPlan], Sequence[Mapping[str, Any]]],
        parts: Sequence[PartPlan] | None = None,
    ) -> Size:
        if name not in self._sizes:
            self._sizes[name] = self._rendered(name, values, self._plan.parts if parts is None else parts)
        return self._sizes[name]

    def _rendered(
        self, name: str, values: Callable[[PartPlan], Sequence[Mapping[str, Any]]], chosen: Sequence[PartPlan]
    ) -> Size:
        most_each = max(1, RENDERED // max(1, len(chosen)))
        texts = [self._one(name, part, given) for part in chosen for given in spread(values(part), most_each)]
        size = Size(
            mean(self.instructor.count(text) for text in texts), max(map(self.instructor.most, texts), default=0)
        )
        return self._wrapped(name, size)

    def _one(self, name: str, part: PartPlan, values: Mapping[str, Any]) -> str:
        return self._prompts.messages(name, part, **values)[0]["content"]

    def _wrapped(self, name: str, size: Size) -> Size:
        """With what an API counts around the text: the message's frame and the reply's schema."""
        if self.is_scripted:
            return size
        schema = reply_schema(name, self._plan.settings.answer)
        around = WRAPPING + (self.instructor.count(json.dumps(schema[1])) if schema else 0)
        return Size(size.expected + around, size.most + int(self.instructor.safety * around))


SCRIPTED_BYTES = 4
LONG_TOKEN = 8  # bytes of a long token of ordinary text


class _Passage(NamedTuple):
    """A passage's text, and how many more tokens the run's passages have: on average, and the longest."""

    text: str | None
    extra: float
    most: int


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most ``most`` of the items, evenly spread."""
    if len(items) <= most:
        return list(items)
    return [items[at * len(items) // most] for at in range(most)]


def mean(values: Any) -> float:
    """The mean; 0 of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _options(sample: Sample, tokens: Tokens) -> float:
    return sum(tokens.count(text) for text in (sample.options or {}).values())


def _whole(sample: Sample, tokens: Tokens) -> float:
    return tokens.count(sample.input) + tokens.count(sample.output) + _options(sample, tokens)


def _instructor_tokens(plan: Plan, base_dir: Path) -> Tokens:
    """Those of a model folder; an API's tokenizer is not at hand."""
    models = plan.settings.models
    folder = base_dir / models.instructor.model if models else None
    return tokens_of(folder) if folder is not None and folder.is_dir() else UNKNOWN


def _answering(plan: Plan) -> Answering:
    models, answer = plan.settings.models, plan.settings.answer
    if models is None or models.base.model != TOY_BASE:
        return USUAL_ANSWERING
    if answer.type == "number" and answer.extract.marker == "####":
        return TOY_AT_HOME
    return TOY_LETTERS if answer.type == "choice" else TOY_WORDS
