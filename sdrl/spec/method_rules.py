"""Rules of the synthesis method: it has what it starts from, and sends the prompts that are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method_table import METHOD_TABLE, prompt_names
from sdrl.spec.model import Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

KEY = "synthesize.method"


def method_rules(loaded: Loaded, spec: Spec) -> Iterator[Diagnostic]:
    """E334 for what the method starts from and the spec or a part lacks; E316 for a prompt that the method never sends.

    Whether a source of demos or passages holds any is the compiler's business.
    """
    method = METHOD_TABLE[spec.synthesize.method]
    if "demos" in method.needs:
        yield from _demos(loaded, spec, method.name)
    if "corpus" in method.needs and not spec.corpus:
        message = f"the method '{method.name}' starts from passages, and the spec has no corpus"
        advice = "add corpus: [{files: [passages.jsonl]}], or take a method that needs none (docs/methods.md)"
        yield loaded.diagnostic("E334", KEY, message, help=advice)
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
