"""Reading a problem back from its text, making it harder or easier, and the mistakes people make.

`read_problem` is the inverse of `write_problem`: it matches each sentence against the templates of a family and works
the answer out, so that the scripted instructor can solve any problem of its own language that it is shown. Stateless.
"""

from __future__ import annotations

import random
import re
from functools import cache

from sdrl.embedded.problems.language import (
    LARGEST,
    Problem,
    Sentence,
    apply,
    assemble,
    draw_number,
    draw_step,
    fill,
)
from sdrl.embedded.problems.templates import DISTRACTOR, INSTRUCTOR, OPEN, QUESTION, STEP, TEMPLATES, Template

_PATTERNS = {
    "name": r"[A-Z][A-Za-z'-]*",
    "friend": r"[A-Z][A-Za-z'-]*",
    "place": r"(?:[A-Za-z][A-Za-z'-]*)(?: [A-Za-z][A-Za-z'-]*)?",
    "nouns": r"[A-Za-z][A-Za-z'-]*(?: [A-Za-z][A-Za-z'-]*)?",
    "other": r"[A-Za-z][A-Za-z'-]*(?: [A-Za-z][A-Za-z'-]*)?",
    "n": r"\d+|some|\d+ or \d+",
    "a": r"\d+",
    "b": r"\d+",
}
_SENTENCE = re.compile(r"[^.?!]+[.?!]")
_SLOT = re.compile(r"\\\{(\w+)\\\}")


@cache
def _compiled(family: str) -> tuple[tuple[Template, re.Pattern[str]], ...]:
    """Each template of the family as a pattern; fewer slots first, so that the most literal template wins."""
    found = []
    for template in TEMPLATES:
        if template.family != family:
            continue
        seen: set[str] = set()

        def slot(match: re.Match[str], seen: set[str] = seen) -> str:
            name = match.group(1)
            if name in seen:
                return f"(?P={name})"
            seen.add(name)
            return f"(?P<{name}>{_PATTERNS[name]})"

        pattern = _SLOT.sub(slot, re.escape(template.text))
        found.append((template, re.compile(pattern)))
    found.sort(key=lambda pair: -len(_SLOT.sub("", re.escape(pair[0].text))))
    return tuple(found)


def match_sentence(sentence: str, family: str) -> tuple[Template, dict[str, str]] | None:
    """The template of the family that wrote this sentence, with its slots; None where none could have."""
    for template, pattern in _compiled(family):
        match = pattern.fullmatch(sentence)
        if match is not None:
            return template, match.groupdict()
    return None


def _numbers(text: str | None, template: Template) -> tuple[int, ...]:
    """All readings of the number of a step."""
    if template.fixed is not None:
        return (template.fixed,)
    if text == "some":
        return (2, 3, 5)
    return tuple(int(part) for part in (text or "").split(" or "))


def read_problem(text: str, family: str = INSTRUCTOR) -> Problem | None:
    """Parse a problem back into operations and answer; None where any sentence is not of the family's language."""
    pieces = [piece.strip() for piece in _SENTENCE.findall(text.strip())]
    if len(pieces) < 2 or sum(map(len, pieces)) < len(" ".join(text.split())) - len(pieces):
        return None
    sentences: list[Sentence] = []
    slots: dict[str, str] = {}
    start: int | None = None
    for index, piece in enumerate(pieces):
        matched = match_sentence(piece, family)
        if matched is None:
            return None
        template, groups = matched
        place_of = {OPEN: index == 0, QUESTION: index == len(pieces) - 1}
        if not place_of.get(template.kind, 0 < index < len(pieces) - 1):
            return None
        if any(slots.get(key, value) != value for key, value in groups.items() if key in ("name", "nouns")):
            return None
        slots.update({k: v for k, v in groups.items() if k not in ("n", "a", "b") and k not in slots})
        sentence, first = _sentence(template, groups, piece)
        start = first if first is not None else start
        sentences.append(sentence)
    if start is None or not any(s.op for s in sentences):
        return None
    for key, value in (("name", "Ana"), ("friend", "Ben"), ("place", "the library"), ("nouns", "coins")):
        slots.setdefault(key, value)
    slots.setdefault("other", "coins" if slots["nouns"] != "coins" else "books")
    return assemble(sentences, start, slots)


def _sentence(template: Template, groups: dict[str, str], text: str) -> tuple[Sentence, int | None]:
    """The sentence, and the first count where it is an opening."""
    if template.kind == OPEN and template.op is not None:
        number = int(groups["b"])
        return Sentence(template, text, template.op, number, (number,)), int(groups["a"])
    if template.kind == OPEN:
        return Sentence(template, text), _numbers(groups.get("n"), template)[0]
    if template.kind == STEP:
        readings = _numbers(groups.get("n"), template)
        return Sentence(template, text, template.op, readings[0], readings), None
    number_text = groups.get("n") if template.kind == DISTRACTOR else None
    return Sentence(template, text, None, int(number_text) if number_text and number_text.isdigit() else None), None


def harder(text: str, rng: random.Random, family: str = INSTRUCTOR) -> Problem | None:
    """The same problem with one step more (or, from six steps on, a larger first count); None if it can't be read."""
    problem = read_problem(text, family)
    if problem is None:
        return None
    sentences = list(problem.sentences)
    if problem.n_steps >= 6 or not 1 <= problem.answer < LARGEST:
        return _with_other_numbers(problem, rng, up=True)
    used = [s.template.id for s in sentences]
    template, number = draw_step(rng, family, problem.answer, used)
    new = Sentence(template, fill(template, problem.slots, number), template.op, number, (number,))
    return assemble([*sentences[:-1], new, sentences[-1]], problem.start, problem.slots)


def easier(text: str, rng: random.Random, family: str = INSTRUCTOR) -> Problem | None:
    """The same problem without its last step (a one-step problem: with smaller numbers); None if it can't be read."""
    problem = read_problem(text, family)
    if problem is None:
        return None
    steps = [i for i, s in enumerate(problem.sentences) if s.template.kind == STEP]
    if problem.n_steps <= 1 or not steps:
        return _with_other_numbers(problem, rng, up=False)
    kept = [s for i, s in enumerate(problem.sentences) if i != steps[-1]]
    return assemble(kept, problem.start, problem.slots)


def _with_other_numbers(problem: Problem, rng: random.Random, *, up: bool) -> Problem:
    """The same sentences with new numbers, larger or smaller ones; the problem itself where none are found."""
    for attempt in range(200):
        start = rng.randint(max(3, 61 - attempt), 90) if up else rng.randint(2, 10)
        count, numbers = start, []
        for op, old in problem.operations:
            fixed = old if op in "*/" else None
            number = draw_number(rng, op, count, fixed)
            if number is None or (not up and op in "+-" and number > 10):
                break
            numbers.append(number)
            count = apply(op, count, number)
        if len(numbers) == problem.n_steps and start != problem.start:
            return _renumbered(problem, start, numbers)
    return problem


def _renumbered(problem: Problem, start: int, numbers: list[int]) -> Problem:
    rest = iter(numbers)
    sentences: list[Sentence] = []
    for sentence in problem.sentences:
        template = sentence.template
        number = next(rest) if sentence.op is not None else None
        if template.kind == OPEN and template.op is not None:
            text = template.text.format(**problem.slots, a=start, b=number)
        elif template.kind == OPEN:
            text = fill(template, problem.slots, start)
        elif template.kind == STEP:
            text = fill(template, problem.slots, number)
        else:
            sentences.append(sentence)
            continue
        readings = (number,) if number is not None else ()
        sentences.append(Sentence(template, text, sentence.op, number, readings))
    return assemble(sentences, start, problem.slots)


def mistakes(problem: Problem) -> list[int]:
    """Typical wrong answers, likeliest first, without the true one and without repetition.

    The last step forgotten, the last operation turned round, the first step forgotten, every number added up, the
    distractor added, an error of one and of ten.
    """
    operations = list(problem.operations)
    wrong: list[int] = []
    count = problem.start
    for op, number in operations[:-1]:
        count = apply(op, count, number)
    last_op, last = operations[-1]
    wrong.append(count)
    wrong.append(apply({"+": "-", "-": "+", "*": "+", "/": "-"}[last_op], count, last))
    if len(operations) > 1:
        count = problem.start
        for op, number in operations[1:]:
            count = apply(op, count, number)
        wrong.append(count)
    if problem.distractor is not None:
        wrong.append(problem.answer + problem.distractor)
    wrong.append(problem.start + sum(number for _, number in operations))
    wrong += [problem.answer + 1, problem.answer - 1, problem.answer + 10, problem.answer - 10, problem.start]
    return [n for n in dict.fromkeys(wrong) if n != problem.answer and n >= 0]
