"""Rules of the answer block and of demos: do type, extractor, options and examples fit together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import EXTRACT_KINDS, Answer, Demo, Spec
from sdrl.spec.nearest import closest

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
WITH_OPTIONS = ("choice", "boolean", "label", "set")
NEEDS_OPTIONS = ("choice", "label")
# keys that only some types read
READ_BY: dict[str, tuple[str, ...]] = {
    "tolerance": ("number", "math"),
    "options": WITH_OPTIONS,
    "ignore_case": ("label", "text", "set"),
    "separator": ("set",),
    "schema": ("json",),
    "fields": ("json",),
    "entry_point": ("program",),
}
UNFIT = {
    "boxed": ("json", "program"),
    "last_number": ("math", "choice", "boolean", "label", "text", "set", "json", "program"),
}


def option_names(answer: Answer) -> list[str]:
    """The declared options: letters, words, or the keys of a map."""
    return list(answer.options or ())


def answer_rules(loaded: Loaded, spec: Spec) -> Findings:
    """E317 and E320 to E325: the answer block in itself."""
    answer = spec.answer
    written = loaded.written.get("answer")
    for key, types in READ_BY.items():
        if isinstance(written, dict) and written.get(key) is not None and answer.type not in types:
            message = f"answer.{key} means nothing for the type {answer.type}"
            advice = f"remove it; it belongs to {' and '.join(types) if len(types) < 3 else ', '.join(types)}"
            yield loaded.diagnostic("E323", f"answer.{key}", message, help=advice)
    yield from _extract(loaded, answer)
    yield from _options(loaded, answer)
    if answer.type == "json" and not answer.fields and not answer.schema_:
        advice = "say what is compared: fields: {total: {type: number}}"
        yield loaded.diagnostic("E324", "answer", "a json answer needs fields or a schema", help=advice)
    if answer.type == "program" and not answer.entry_point:
        advice = "name an installed entry point of the group sdrl.verifiers: entry_point: NAME"
        yield loaded.diagnostic("E325", "answer", "a program answer needs an entry point", help=advice)


def _extract(loaded: Loaded, answer: Answer) -> Findings:
    written = loaded.written["answer"]["extract"]
    kinds = [key for key in EXTRACT_KINDS if written.get(key) is not None]
    if len(kinds) != 1:
        message = f"answer.extract names {' and '.join(kinds) if kinds else 'no place'}"
        advice = "keep one of them" if kinds else f"name one: {', '.join(EXTRACT_KINDS)}"
        yield loaded.diagnostic("E317", "answer.extract", message, help=advice)
        return
    kind = kinds[0]
    if "group" in written and kind != "regex":
        yield loaded.diagnostic("E323", "answer.extract.group", "group belongs to regex", help="remove it")
    if answer.type in UNFIT.get(kind, ()):
        message = f"{kind} cannot hold a {answer.type} answer"
        advice = "use {tag: answer}, or {marker: TEXT}" if kind == "last_number" else "use {tag: answer}"
        yield loaded.diagnostic("E322", f"answer.extract.{kind}", message, help=advice)
    if kind == "tag" and not (answer.extract.tag or "").replace("-", "").replace("_", "").isalnum():
        advice = f"write the name alone: {{tag: {(answer.extract.tag or '').strip('</> ') or 'answer'}}}"
        message = "a tag is a word without brackets"
        yield loaded.diagnostic("E322", "answer.extract.tag", message, help=advice, found=answer.extract.tag)


def _options(loaded: Loaded, answer: Answer) -> Findings:
    names = option_names(answer)
    path = "answer.options"
    if not names:
        if answer.type in NEEDS_OPTIONS or answer.options is not None:
            example = "[A, B, C, D]" if answer.type == "choice" else "[word, word]"
            where = path if answer.options is not None else "answer.type"
            message = f"a {answer.type} answer needs options"
            yield loaded.diagnostic("E320", where, message, help=f"add answer.options: {example}")
        return
    if answer.type == "choice":
        yield from _letters(loaded, answer, names)
    elif answer.type == "boolean":
        if not isinstance(answer.options, dict) or set(names) != {"true", "false"}:
            message = "the options of a boolean are the words for true and false"
            yield loaded.diagnostic("E321", path, message, help="write options: {true: [yes], false: [no]}")
    elif len(names) < 2 and answer.type == "label":
        yield loaded.diagnostic("E321", path, "one option is no choice", help="name at least two")
    yield from _overlaps(loaded, answer, names)


def _letters(loaded: Loaded, answer: Answer, names: list[str]) -> Findings:
    path = "answer.options"
    if isinstance(answer.options, dict):
        advice = "write the letters: [A, B, C, D]; the options' texts belong to each sample"
        yield loaded.diagnostic("E321", path, "the options of a choice are letters", help=advice)
        return
    for index, name in enumerate(names):
        if not (len(name) <= 2 and name.isascii() and name.isalnum()):
            advice = "write letters, or use type: label for words"
            message = f"'{name}' is no letter of a choice"
            yield loaded.diagnostic("E321", f"{path}.{index}", message, help=advice, found=name)
    if len(names) < 2:
        yield loaded.diagnostic("E321", path, "one option is no choice", help="name at least two")


def _overlaps(loaded: Loaded, answer: Answer, names: list[str]) -> Findings:
    """The same word twice, upper and lower case apart or not as the spec says."""
    folds = answer.ignore_case or answer.type in ("choice", "boolean")
    seen: dict[str, str] = {}
    words = [(name, name, f"answer.options.{index}") for index, name in enumerate(names)]
    if isinstance(answer.options, dict):
        words = [
            (word, name, f"answer.options.{name}.{index}")
            for name, synonyms in answer.options.items()
            for index, word in enumerate(synonyms)
        ]
    for word, _name, path in words:
        key = " ".join((word.casefold() if folds else word).split())
        if key in seen:
            message = f"the option '{word}' appears twice"
            yield loaded.diagnostic("E321", path, message, help=f"'{seen[key]}' is the other one; keep one", found=word)
        seen.setdefault(key, word)


def demo_rules(loaded: Loaded, spec: Spec) -> Findings:
    """E326: the options of demos fit the answer."""
    lists = [("demos", spec.demos), *((f"parts.{index}.demos", part.demos) for index, part in enumerate(spec.parts))]
    names = option_names(spec.answer)
    for path, demos in lists:
        for index, demo in enumerate(demos if isinstance(demos, list) else ()):
            yield from _demo(loaded, spec.answer, names, demo, f"{path}.{index}")


def _demo(loaded: Loaded, answer: Answer, names: list[str], demo: Demo, path: str) -> Findings:
    if demo.options is None:
        return
    if answer.type != "choice":
        message = f"a demo of type {answer.type} has no options of its own"
        yield loaded.diagnostic("E326", f"{path}.options", message, help="remove them; they belong to choice")
        return
    for letter in demo.options:
        if letter not in names:
            near = closest(letter, names)
            advice = f"did you mean '{near}'?" if near else f"answer.options are {', '.join(names)}"
            message = f"the demo's option '{letter}' is not in answer.options"
            yield loaded.diagnostic("E326", f"{path}.options.{letter}", message, help=advice, found=letter)
