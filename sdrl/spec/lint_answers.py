"""Lints of demos and options: demos that repeat or contradict each other (W310) or the format (W311), options that are
easily taken for each other (W312).

Whether the verifier reads a demo at all is the compiler's business (E410). Loads the verifier's extractor only for
specs that have demos.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from sdrl.spec.answer_rules import WITH_OPTIONS
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Answer, Demo, Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
_NEGATIONS = frozenset(("not", "never", "neither", "nor", "cannot", "except", "without"))  # as the verifier's
# letters of other scripts that look like Latin ones, and the Latin letters and digits that look like each other
_FOREIGN = dict(zip("АВЕКМНОРСТХаеорсухіјѕԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTXaeopcyxijsdABEZHIKMNOPTYXo", strict=True))
_ALIKE = str.maketrans(_FOREIGN | {"I": "l", "1": "l", "|": "l", "0": "O"})
_BETWEEN = r"(?<=\w)[\s_-]+(?=\w)"
_WORKING = r"(?i)step by step|\breason|\bexplain|\bthink\b|\bshow (your|the) work"
_TAG = r"<([A-Za-z][\w-]*)>"
_SLOTLESS = ("whole", "last_number", "json")  # where several candidates in one output are nothing unusual


def _inline(spec: Spec) -> Iterator[tuple[str, list[Demo]]]:
    for path, demos in (("demos", spec.demos), *((f"parts.{i}.demos", p.demos) for i, p in enumerate(spec.parts))):
        if isinstance(demos, list) and demos:
            yield path, demos


def demo_answers(loaded: Loaded, spec: Spec) -> Findings:
    """W310: one input stands for one answer, and once is enough."""
    for path, demos in _inline(spec):
        answer_of = _answers(spec)
        first: dict[tuple[str, str], int] = {}
        for index, demo in enumerate(demos):
            key = (_folded(demo.input), _folded(str(sorted((demo.options or {}).items()))))
            earlier = first.setdefault(key, index)
            if earlier == index:
                continue
            ours, theirs = answer_of(demo), answer_of(demos[earlier])
            message = f"the same input as {path}.{earlier}"
            taken = 0 if spec.answer.take == "first" else -1
            if ours and theirs and ours[taken] != theirs[taken]:
                message += f", with another answer: '{_short(ours[taken])}', not '{_short(theirs[taken])}'"
            yield loaded.diagnostic("W310", f"{path}.{index}.input", message, help="keep the one that is right")


def demo_forms(loaded: Loaded, spec: Spec) -> Findings:
    """W311: a demo shows what output_format asks for, with one answer at the place where it is read."""
    for path, demos in _inline(spec):
        answer_of = _answers(spec)
        wrong = [
            (index, *fault) for index, demo in enumerate(demos) if (fault := _fault(spec, demo.output, answer_of(demo)))
        ]
        for index, message, advice in wrong[:1]:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            yield loaded.diagnostic("W311", f"{path}.{index}.output", message + more, help=advice)


def _fault(spec: Spec, output: str, answers: list[str]) -> tuple[str, str] | None:
    """What a demo's output does that its format does not ask for, and what mends it."""
    asked = spec.task.output_format
    for name in dict.fromkeys(re.findall(_TAG, asked)):
        tag = f"<{name}>"
        if f"</{name}>" in asked and name != spec.answer.extract.tag and tag not in output:
            return f"the demo's output has no {tag}…</{name}>, which output_format asks for", "add it to the output"
    if spec.answer.extract.kind in _SLOTLESS or not answers:
        return None
    if len(set(answers)) > 1:
        taken = answers[0] if spec.answer.take == "first" else answers[-1]
        message = f"the demo's output has {len(answers)} answers where one is read: {', '.join(map(_short, answers))}"
        return message, f"keep '{_short(taken)}' alone in the place that answer.extract looks at"
    rest = re.sub(_TAG, " ", re.sub(r"</\w[\w-]*>", " ", output)).replace(answers[-1], " ", 1)
    if spec.answer.extract.kind in ("marker", "tag") and re.search(_WORKING, asked):
        rest = rest.replace((spec.answer.extract.marker or "").strip() or "\0", " ")
        if not re.search(r"\w", rest):
            return "the demo's output is the bare answer, and output_format asks for reasoning", "show the reasoning"
    return None


def _answers(spec: Spec) -> Callable[[Demo], list[str]]:
    """Demo → the folded texts of every place where its answer could be read, in their order."""
    from sdrl.verifier.extract import compile_extract
    from sdrl.verifier.program import Extract, ProgramError
    from sdrl.verifier.thought import visible

    extract = spec.answer.extract
    argument = {"marker": "marker", "tag": "name", "regex": "pattern"}.get(extract.kind)
    if extract.kind == "whole" or (argument is None and extract.kind not in ("boxed", "last_number")):
        return lambda demo: []
    place = Extract(extract.kind, group=extract.group, **({argument: str(extract.argument)} if argument else {}))
    try:
        find = compile_extract(place, "first")
    except ProgramError:
        return lambda demo: []  # the compiler says what is wrong with the pattern

    def answers(demo: Demo) -> list[str]:
        try:
            return [_folded(slot.text) for slot in find(visible(demo.output)) if slot.text]
        except TimeoutError:  # a pattern that runs too long: the self-test reports it
            return []

    return answers


def options_apart(loaded: Loaded, spec: Spec) -> Findings:
    """W312: words that a model, or a person, would take for each other."""
    answer = spec.answer
    if answer.type not in WITH_OPTIONS or not answer.options:
        return
    spellings = list(_spellings(answer))
    for word, _, path in spellings:
        foreign = [character for character in word if character in _FOREIGN]
        if foreign and re.search(r"[A-Za-z]", word):
            message = f"'{word}' mixes scripts: '{foreign[0]}' only looks like a Latin letter"
            yield loaded.diagnostic("W312", path, message, help="type the word anew in one script", found=word)
        elif word.casefold() in _NEGATIONS:
            message = f"the option '{word}' is a word of negation: before another word it is read as its opposite"
            yield loaded.diagnostic("W312", path, message, help="take another word", found=word)
    for (one, group, _), (other, their, path) in combinations(spellings, 2):
        if group == their:
            continue
        message = _confused(one, other, answer)
        if message:
            yield loaded.diagnostic("W312", path, message, help="take options that nobody can mix up", found=other)


def _spellings(answer: Answer) -> Iterator[tuple[str, str, str]]:
    """Every spelling with its option and its path."""
    if isinstance(answer.options, dict):
        for name, forms in answer.options.items():
            for index, form in enumerate(forms):
                yield form, name, f"answer.options.{name}.{index}"
    else:
        for index, name in enumerate(answer.options or ()):
            yield name, name, f"answer.options.{index}"


def _confused(one: str, other: str, answer: Answer) -> str:
    """Why two spellings of different options may be taken for each other, or nothing."""
    if one.translate(_ALIKE) == other.translate(_ALIKE) and one != other:
        return f"'{other}' and '{one}' look alike"
    if answer.type == "choice":
        return ""
    if re.sub(_BETWEEN, "", one.casefold()) == re.sub(_BETWEEN, "", other.casefold()) and one != other:
        return f"'{other}' and '{one}' differ in case, spaces or hyphens alone"
    short, long = sorted((one, other), key=len)
    words, more = (re.findall(r"\w+", text.casefold()) for text in (short, long))
    if words and len(words) < len(more) and more[: len(words)] == words:
        return f"'{long}' begins with '{short}': '{short}' and a few words more is read as either"
    return ""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .*`'\"")


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"
