"""Rules of the synthesis method: it has what it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.model import Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

KEY = "synthesize.method"


def method_rules(loaded: Loaded, spec: Spec) -> Iterator[Diagnostic]:
    """E334 for demos that the method starts from and the spec or a part lacks.

    Whether a source of demos holds any is the compiler's business.
    """
    method = METHOD_TABLE[spec.synthesize.method]
    if "demos" not in method.needs:
        return
    bare = [part.name for part in spec.parts if not (spec.demos if part.demos is None else part.demos)]
    if bare or not (spec.parts or spec.demos):
        where = f"part '{bare[0]}' has none" if bare else "the spec has none"
        message = f"the method '{method.name}' starts from demos, and {where}"
        advice = "add demos: [{input: …, output: …}], or take a method that needs none (docs/methods.md)"
        yield loaded.diagnostic("E334", KEY, message, help=advice)
