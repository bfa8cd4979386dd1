"""Writing word problems: a running count, one sentence per step, a purely numeric worked solution.

`write_problem` draws numbers, operations and sentences from one family of templates. All counts stay within 1..200,
divisions are exact. Deterministic for a given `random.Random`. Reads and writes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from sdrl.embedded.problems.templates import DISTRACTOR, OPEN, QUESTION, STEP, Template, templates
from sdrl.embedded.problems.words import NAMES, NOUNS, PLACES

LARGEST = 200
MISSING, TWO_WAYS = "missing", "two_ways"
_OPERATIONS = (("+", 38), ("-", 34), ("*", 16), ("/", 12))


@dataclass(frozen=True)
class Sentence:
    """One sentence of a problem: its template, its text and, for a step, operation and number.

    `readings` holds more than one number where the sentence is ambiguous; the first is the one `number` uses.
    """

    template: Template
    text: str
    op: str | None = None
    number: int | None = None
    readings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A word problem with its truth.

    text: the problem as one line. start: the first count. operations: (op, number) in solution order. steps: the
    worked lines ("12+7=19"). answer: the last count. readings: all answers that the text allows (one, unless it is
    ambiguous; then `answer` is the first of them). distractor: the number that does not matter, or None.
    """

    text: str
    start: int
    operations: tuple[tuple[str, int], ...]
    steps: tuple[str, ...]
    answer: int
    family: str
    template_ids: tuple[str, ...]
    readings: tuple[int, ...]
    distractor: int | None = None
    slots: dict[str, str] = field(default_factory=dict, compare=False)
    sentences: tuple[Sentence, ...] = field(default=(), compare=False)

    @property
    def n_steps(self) -> int:
        """How many operations lead to the answer."""
        return len(self.operations)

    @property
    def ambiguous(self) -> bool:
        """Whether the text allows more than one answer."""
        return len(self.readings) > 1

    def solution(self, marker: str = "####") -> str:
        """The worked lines and a last line with the marker: "12+7=19\\n19*2=38\\n#### 38"."""
        return "\n".join((*self.steps, f"{marker} {self.answer}"))


def apply(op: str, count: int, number: int) -> int:
    """One operation on the count; division rounds down.

    Raises:
        ValueError: the operation is unknown.
    """
    if op == "+":
        return count + number
    if op == "-":
        return count - number
    if op == "*":
        return count * number
    if op == "/":
        return count // number if number else count
    raise ValueError(f"unknown operation {op!r}")


def work_out(start: int, operations: Sequence[tuple[str, int]]) -> tuple[tuple[str, ...], int]:
    """The worked lines and the last count."""
    lines: list[str] = []
    count = start
    for op, number in operations:
        result = apply(op, count, number)
        lines.append(f"{count}{op}{number}={result}")
        count = result
    return tuple(lines), count


def draw_number(rng: random.Random, op: str, count: int, fixed: int | None = None) -> int | None:
    """A number that keeps the count within 1..LARGEST (and a division exact), or None when there is none."""
    if op == "+":
        highest = min(45, LARGEST - count)
        return rng.randint(2, highest) if highest >= 2 else None
    if op == "-":
        highest = min(45, count - 1)
        return rng.randint(2, highest) if highest >= 2 else None
    if op == "*":
        fits = [n for n in (2, 3, 4, 5) if count * n <= LARGEST and fixed in (None, n)]
    else:
        fits = [n for n in (2, 3, 4, 5) if count % n == 0 and count > n and fixed in (None, n)]
    return rng.choice(fits) if fits else None


def draw_step(rng: random.Random, family: str, count: int, used: Sequence[str] = ()) -> tuple[Template, int]:
    """A step sentence that is possible at this count and not yet used, with its number."""
    while True:
        op = rng.choices([o for o, _ in _OPERATIONS], [w for _, w in _OPERATIONS])[0]
        choices = [t for t in templates(family, STEP, op) if t.id not in used] or templates(family, STEP, op)
        template = rng.choice(choices)
        number = draw_number(rng, op, count, template.fixed)
        if number is not None:
            return template, number


def fill(template: Template, slots: dict[str, str], number: int | str | None) -> str:
    """The sentence of a template; `number` goes to {n}."""
    return template.text.format(**slots, n=number)


def assemble(sentences: Sequence[Sentence], start: int, slots: dict[str, str]) -> Problem:
    """Make the problem of its sentences (opening first, question last) and the first count."""
    steps = [s for s in sentences if s.op is not None]
    operations = tuple((s.op, s.number) for s in steps if s.op is not None and s.number is not None)
    lines, answer = work_out(start, operations)
    readings = [answer]
    for index, sentence in enumerate(steps):
        for other in sentence.readings[1:]:
            changed = [*operations]
            changed[index] = (operations[index][0], other)
            readings.append(work_out(start, changed)[1])
    distractors = [s.number for s in sentences if s.template.kind == DISTRACTOR]
    return Problem(
        text=" ".join(s.text for s in sentences),
        start=start,
        operations=operations,
        steps=lines,
        answer=answer,
        family=sentences[0].template.family,
        template_ids=tuple(s.template.id for s in sentences),
        readings=tuple(dict.fromkeys(readings)),
        distractor=distractors[0] if distractors else None,
        slots=dict(slots),
        sentences=tuple(sentences),
    )


def write_problem(
    rng: random.Random,
    *,
    family: str,
    n_steps: int,
    distractor: bool = False,
    nouns: Sequence[str] = (),
    names: Sequence[str] = (),
    places: Sequence[str] = (),
    ambiguous: str | None = None,
) -> Problem:
    """Write one problem of a family with 1..6 steps; empty word lists mean the built-in ones.

    ambiguous: "missing" (one number is left out: "some") or "two_ways" ("3 or 4"), else None.

    Raises:
        ValueError: n_steps is not 1..6, or `ambiguous` is unknown.
    """
    if not 1 <= n_steps <= 6:
        raise ValueError(f"n_steps is {n_steps}, must be 1..6")
    if ambiguous not in (None, MISSING, TWO_WAYS):
        raise ValueError(f"ambiguous is {ambiguous!r}, must be None, {MISSING!r} or {TWO_WAYS!r}")
    slots = _draw_slots(rng, nouns, names, places)
    sentences, start = _write_opening(rng, family, slots)
    count = start
    for sentence in sentences:
        if sentence.op is not None and sentence.number is not None:
            count = apply(sentence.op, count, sentence.number)
    used: list[str] = []
    while sum(s.op is not None for s in sentences) < n_steps:
        template, number = draw_step(rng, family, count, used)
        used.append(template.id)
        sentences.append(Sentence(template, fill(template, slots, number), template.op, number, (number,)))
        count = apply(template.op or "+", count, number)
    if ambiguous:
        _make_ambiguous(rng, family, sentences, slots, ambiguous)
    if distractor:
        template = rng.choice(templates(family, DISTRACTOR))
        number = rng.randint(2, 60)
        sentence = Sentence(template, fill(template, slots, number), None, number)
        sentences.insert(rng.randint(1, len(sentences)), sentence)
    question = rng.choice(templates(family, QUESTION))
    sentences.append(Sentence(question, fill(question, slots, None)))
    return assemble(sentences, start, slots)


def _draw_slots(
    rng: random.Random, nouns: Sequence[str], names: Sequence[str], places: Sequence[str]
) -> dict[str, str]:
    people = names if len(names) > 1 else NAMES
    name, friend = rng.sample(list(dict.fromkeys(people)), 2) if len(set(people)) > 1 else rng.sample(NAMES, 2)
    noun = rng.choice(nouns or NOUNS)
    others = [word for word in (*nouns, *NOUNS) if word != noun]
    return {
        "name": name,
        "friend": friend,
        "place": rng.choice(places or PLACES),
        "nouns": noun,
        "other": rng.choice(others),
    }


def _write_opening(rng: random.Random, family: str, slots: dict[str, str]) -> tuple[list[Sentence], int]:
    """The opening sentence and the first count; one opening in several holds the first step already."""
    template = rng.choice(templates(family, OPEN, any_op=True))
    if template.op is None:
        start = rng.randint(3, 60)
        return [Sentence(template, fill(template, slots, start))], start
    start = rng.randint(2, 30) if template.op == "*" else rng.randint(5, 60)
    number = draw_number(rng, template.op, start) or 2
    text = template.text.format(**slots, a=start, b=number)
    return [Sentence(template, text, template.op, number, (number,))], start


def _make_ambiguous(
    rng: random.Random, family: str, sentences: list[Sentence], slots: dict[str, str], how: str
) -> None:
    """Rewrite one step (adding a plain one over an opening or fixed number) so that its number can be read two ways."""
    able = [i for i, s in enumerate(sentences) if s.template.kind == STEP and s.op in ("+", "-") and s.number]
    if not able:
        plain = [t for t in templates(family, STEP, "+") if t.fixed is None]
        template = rng.choice(plain)
        steps = [i for i, s in enumerate(sentences) if s.template.kind == STEP]
        sentence = Sentence(template, "", "+", rng.randint(2, 20))
        if steps:
            sentences[steps[-1]] = sentence
            able = [steps[-1]]
        else:
            sentences.append(sentence)
            able = [len(sentences) - 1]
    index = rng.choice(able)
    old = sentences[index]
    number = old.number or 2
    if how == MISSING:
        readings: tuple[int, ...] = (2, 3, 5)
        text = fill(old.template, slots, "some")
    else:
        readings = (number, number + 1)
        text = fill(old.template, slots, f"{number} or {number + 1}")
    sentences[index] = Sentence(old.template, text, old.op, readings[0], readings)
