"""The skills that write and solve problems: generate, harder, easier, rephrase, solve, judge, tags.

Each skill gets the blocks of the request and a generator for this draw, and returns the reply's fields. Nothing is
remembered between requests.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.embedded.instructor import describe
from sdrl.embedded.instructor.belief import believes_wrongly, drawn_result, seeded, worked_steps
from sdrl.embedded.instructor.blocks import Blocks, Pair
from sdrl.embedded.instructor.forms import Form, Kind, read_form
from sdrl.embedded.instructor.items import Item, dress, read_item
from sdrl.embedded.instructor.rates import STEP_WEIGHTS, Rates
from sdrl.embedded.instructor.truth import Truth
from sdrl.embedded.problems import (
    INSTRUCTOR,
    MISSING,
    TWO_WAYS,
    Problem,
    easier,
    harder,
    nouns_in,
    read_problem,
    write_problem,
)
from sdrl.embedded.protocol import ServeError

STOCK_TEXTS = 8
LETTERS = ("A", "B", "C", "D")
UNREADABLE = "I cannot tell: this text is not in the language of word problems that I know."
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Task:
    """A request as the skills see it: its blocks, the form of the answer and the fields the reply must have."""

    blocks: Blocks
    form: Form
    fields: Mapping[str, Any]

    @property
    def letters(self) -> tuple[str, ...]:
        """The option letters that the reply's schema names; A to D where it names none."""
        named = (self.fields.get("options") or {}).get("properties")
        return tuple(named) if named else LETTERS

    @property
    def kind(self) -> Kind:
        """What kind of answer the reply must have."""
        if "options" in self.fields:
            return "choice"
        return "label" if self.form.labels else "number"


def read_task(blocks: Blocks, schema: Mapping[str, Any] | None) -> Task:
    """Take a request apart."""
    form = read_form(blocks.get("output_format") or "", blocks.get("task") or "")
    return Task(blocks, form, (schema or {}).get("properties") or {})


class Skills:
    """The skills by name, with the declared rates and the truth file."""

    def __init__(self, rates: Rates, truth: Truth) -> None:
        self._rates = rates
        self._truth = truth
        self.by_name = {
            "keywords": self.keywords,
            "pattern": self.pattern,
            "generate": self.generate,
            "harder": self.harder,
            "easier": self.easier,
            "rephrase": self.rephrase,
            "judge": self.judge,
            "tags": self.tags,
        }

    def keywords(self, task: Task, _rng: random.Random) -> dict[str, Any]:
        """Search words for the task."""
        return {"keywords": describe.keywords(task.blocks)}

    def pattern(self, task: Task, _rng: random.Random) -> dict[str, Any]:
        """The form that the demos share."""
        return {"pattern": describe.pattern(task.blocks)}

    def generate(self, task: Task, rng: random.Random) -> dict[str, Any]:
        """A new problem about things of the passage, or a stock text with one number changed."""
        passage = task.blocks.get("passage") or ""
        flags: list[str] = []
        if rng.random() < self._rates.near_duplicate:
            problem = _near_duplicate(passage, rng)
            flags.append("near_duplicate")
        else:
            problem = _grounded(passage, rng, self._rates)
        item = dress(problem, task.kind, task.form.labels, task.letters, rng)
        return self._sample(item, task, "generate", flags, rng)

    def harder(self, task: Task, rng: random.Random) -> dict[str, Any]:
        """The sample with a step more; an unreadable sample comes back as it is."""
        return self._changed(task, "harder", rng, lambda text: harder(text, rng))

    def easier(self, task: Task, rng: random.Random) -> dict[str, Any]:
        """The sample with a step fewer; an unreadable sample comes back as it is."""
        return self._changed(task, "easier", rng, lambda text: easier(text, rng))

    def rephrase(self, task: Task, rng: random.Random) -> dict[str, Any]:
        """The sample with another question sentence for the same quantity."""
        return self._changed(task, "rephrase", rng, lambda text: _other_question(text, rng))

    def judge(self, task: Task, rng: random.Random) -> dict[str, Any]:
        """Whether a sample is sound: readable, one reading, and its output states what this instructor believes."""
        pair = _sample_pair(task)
        item = read_item(pair.input, pair.options, task.form.labels)
        if item is None:
            valid, reason = False, UNREADABLE
        elif item.problem.ambiguous:
            valid, reason = False, "The input allows more than one answer."
        else:
            stated = task.form.statement(item.answer(drawn_result(item, self._rates, rng)))
            valid = pair.output.rstrip().endswith(stated)
            reason = "The output states the right answer." if valid else f"The output should end with {stated!r}."
        return _fill_verdict(task.fields, valid, reason)

    def tags(self, task: Task, _rng: random.Random) -> dict[str, Any]:
        """What a sample takes: its operations, how many steps, and what it counts; `unreadable` for foreign text."""
        pair = _sample_pair(task)
        item = read_item(pair.input, pair.options, task.form.labels)
        return {"tags": ["unreadable"] if item is None else describe.tags(item.problem)}

    def solve(self, task: Task, rng: random.Random) -> str:
        """Worked lines and the answer in the form asked for; no answer where the text is not understood."""
        blocks = task.blocks
        item = read_item(blocks.get("problem") or "", blocks.options(), task.form.labels)
        if item is None:
            return UNREADABLE
        return self._worked(item, task.form, rng)

    def _worked(self, item: Item, form: Form, rng: random.Random) -> str:
        silent = rng.random() < self._rates.no_answer
        result = drawn_result(item, self._rates, rng)
        steps = worked_steps(item, result)
        if silent:
            return "\n".join((*form.work(steps), "So that is what we were looking for."))
        return form.write(steps, item.answer(result))

    def _changed(self, task: Task, skill: str, rng: random.Random, change: Any) -> dict[str, Any]:
        pair = _sample_pair(task)
        item = read_item(pair.input, pair.options, task.form.labels)
        changed: Problem | None = change(item.problem.text) if item is not None else None
        if changed is None:
            return _only(task.fields, {"input": pair.input, "output": pair.output, "options": dict(pair.options)})
        return self._sample(dress(changed, task.kind, task.form.labels, task.letters, rng), task, skill, [], rng)

    def _sample(self, item: Item, task: Task, skill: str, flags: list[str], rng: random.Random) -> dict[str, Any]:
        """The reply's fields for a written item; also notes its truth."""
        if item.problem.ambiguous:
            flags.append("ambiguous")
        if item.problem.distractor is not None:
            flags.append("distractor")
        if believes_wrongly(item, self._rates):
            flags.append("wrong_belief")
        self._truth.note(item, skill, flags)
        output = self._worked(item, task.form, rng)
        return _only(task.fields, {"input": item.text, "output": output, "options": dict(item.options)})


def _sample_pair(task: Task) -> Pair:
    pair = task.blocks.pair()
    if pair is None:
        raise ServeError(400, "this skill needs a <sample> block with an <input>", "missing_block")
    return pair


def _grounded(passage: str, rng: random.Random, rates: Rates) -> Problem:
    """A problem that its own reader understands, about nouns of the passage where it has some."""
    steps, weights = zip(*STEP_WEIGHTS, strict=True)
    # Names come from the built-in list: capitalised words of a passage are as often headings as people.
    nouns = nouns_in(passage)[:12]
    n_steps = rng.choices(steps, weights)[0]
    ambiguous = rng.choice((MISSING, TWO_WAYS)) if rng.random() < rates.ambiguous else None
    distractor = rng.random() < rates.distractor
    for attempt in range(8):
        problem = write_problem(
            rng,
            family=INSTRUCTOR,
            n_steps=n_steps,
            distractor=distractor,
            nouns=nouns if attempt < 4 else (),
            ambiguous=ambiguous,
        )
        understood = read_problem(problem.text)
        if understood is not None and understood.answer == problem.answer:
            return understood
    raise RuntimeError("the problem language cannot read what it writes")


def _near_duplicate(passage: str, rng: random.Random) -> Problem:
    """One of a few stock texts, chosen by the passage, with one number changed by this draw."""
    number = int(seeded("stock", passage).random() * STOCK_TEXTS)
    stock = _grounded("", seeded("stock text", number), Rates(ambiguous=0, distractor=0))
    places = list(_NUMBER.finditer(stock.text))
    for _ in range(40):
        place = rng.choice(places)
        changed = str(max(2, int(place.group()) + rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))))
        problem = read_problem(stock.text[: place.start()] + changed + stock.text[place.end() :])
        if problem is not None and _is_sound(problem):
            return problem
    return stock


def _is_sound(problem: Problem) -> bool:
    """All counts positive and all divisions exact."""
    count = problem.start
    for op, number in problem.operations:
        if op == "/" and count % number:
            return False
        count = {"+": count + number, "-": count - number, "*": count * number, "/": count // number}[op]
        if count < 1:
            return False
    return True


def _other_question(text: str, rng: random.Random) -> Problem | None:
    from sdrl.embedded.problems import TEMPLATES

    problem = read_problem(text)
    if problem is None:
        return None
    old = problem.sentences[-1]
    others = [t for t in TEMPLATES if t.family == INSTRUCTOR and t.kind == "question" and t.id != old.template.id]
    question = rng.choice(others).text.format(**problem.slots)
    return read_problem(" ".join((*(sentence.text for sentence in problem.sentences[:-1]), question)))


def _only(fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the reply's schema has, and all but the options where there is no schema body."""
    wanted: Sequence[str] = list(fields) or ["input", "output"]
    strange = [name for name in wanted if name not in values]
    if strange:
        message = f"the scripted instructor fills input, output and options; the schema also wants {', '.join(strange)}"
        raise ServeError(400, message, "unsupported_schema")
    return {name: values[name] for name in wanted}


def _fill_verdict(fields: Mapping[str, Any], valid: bool, reason: str) -> dict[str, Any]:
    """A verdict by the types of the schema's fields: booleans, numbers 0 and 1, texts."""
    by_type: dict[str, Any] = {"boolean": valid, "integer": int(valid), "number": float(valid), "string": reason}
    wanted = fields or {"valid": {"type": "boolean"}, "reason": {"type": "string"}}
    filled: dict[str, Any] = {}
    for name, schema in wanted.items():
        choices = schema.get("enum") if isinstance(schema, dict) else None
        if choices:
            filled[name] = choices[0] if valid else choices[-1]
        else:
            filled[name] = by_type.get(schema.get("type", "string") if isinstance(schema, dict) else "string", reason)
    return filled
