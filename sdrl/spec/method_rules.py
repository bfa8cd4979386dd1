"""Rules of the synthesis method: it has what it starts from, can write for this task, and sends the prompts that are
changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method import Method
from sdrl.spec.method_table import METHOD_TABLE, prompt_names
from sdrl.spec.model import Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

KEY = "synthesize.method"


def method_rules(loaded: Loaded, spec: Spec) -> Iterator[Diagnostic]:
    """E334 for what the method starts from and the spec or a part lacks; E335 for an answer type or a language that it
    cannot write for; E316 for a prompt that the method never sends.

    Whether a source of demos or passages holds any is the compiler's business.
    """
    method = METHOD_TABLE[spec.synthesize.method]
    if "demos" in method.needs:
        yield from _demos(loaded, spec, method.name)
    if "corpus" in method.needs and not spec.corpus:
        message = f"the method '{method.name}' starts from passages, and the spec has no corpus"
        advice = "add corpus: [{files: [passages.jsonl]}], or take a method that needs none (docs/methods.md)"
        yield loaded.diagnostic("E334", KEY, message, help=advice)
    yield from _fits(loaded, spec, method)
    sent = prompt_names(method.name)
    for name in spec.prompts:
        if name not in sent:
            message = f"prompts.{name} changes nothing: the method '{method.name}' sends no such prompt"
            yield loaded.diagnostic("E316", f"prompts.{name}", message, help=f"it sends {', '.join(method.prompts)}")


def _demos(loaded: Loaded, spec: Spec, method: str) -> Iterator[Diagnostic]:
    bare = [part.name for part in spec.parts if not (spec.demos if part.demos is None else part.demos)]
    if bare or not (spec.parts or spec.demos):
        where = f"part '{bare[0]}' has none" if bare else "the spec has none"
        message = f"the method '{method}' starts from demos, and {where}"
        advice = "add demos: [{input: …, output: …}], or take a method that needs none (docs/methods.md)"
        yield loaded.diagnostic("E334", KEY, message, help=advice)


def _fits(loaded: Loaded, spec: Spec, method: Method) -> Iterator[Diagnostic]:
    """E335."""
    kind, language = spec.answer.type, spec.task.language
    if method.answers and kind not in method.answers:
        wanted = " or ".join(method.answers)
        message = f"the method '{method.name}' asks for a number of the question, and answer.type is '{kind}'"
        advice = f"it is for answers of type {wanted}; take another method (docs/methods.md)"
        yield loaded.diagnostic("E335", KEY, message, help=advice)
    if method.languages and language.split("-")[0].lower() not in method.languages:
        message = f"the method '{method.name}' has no words to ask with in the language '{language}'"
        advice = f"it has them in {', '.join(method.languages)}; take another method (docs/methods.md)"
        yield loaded.diagnostic("E335", KEY, message, help=advice)
