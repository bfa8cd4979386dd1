"""Demos by number: the spec's own first, then rows of the suite's human data; smaller counts are part of larger ones.

Reads the spec's demos and the human file with the compiler's machinery. A human row is a demo where its solution, read
as a completion, gives its own gold, and where no evaluation set asks it.
"""

from __future__ import annotations

from sdrl.compare.human import free_rows, solved
from sdrl.compare.loading import LoadedSuite
from sdrl.compare.suite import DemoCount
from sdrl.compiler.canonical import digest
from sdrl.compiler.compile import compile_spec
from sdrl.compiler.sample import Sample
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply
from sdrl.spec.nodes import Mapping, parse
from sdrl.verifier import Verifier

_KEY = "demos"


def all_demos(loaded: LoadedSuite) -> tuple[Sample, ...]:
    """Every demo that an arm may take, in order: the spec's, then the human ones that it does not hold already.

    Raises:
        SdrlError: the spec does not compile, or its parts have demos of their own (E352).
    """
    text = apply(loaded.spec_text, [Edit("set", key, value) for key, value in loaded.suite.set.items() if key != _KEY])
    compiled = compile_spec(loaded.spec_path, text=text, held=loaded.pins)
    if compiled.plan is None:
        first = next(item for item in compiled.diagnostics if item.is_error)
        raise SdrlError("E352", f"the spec does not compile: {first.code} {first.message}", help=first.help)
    plan = compiled.plan
    if any(part.demos is not None for part in plan.settings.parts):
        advice = "take the demos out of the parts, or set them in the arm: set: {parts: …}"
        raise SdrlError("E352", "demos are counted for the whole task, and its parts have their own", help=advice)
    if any(name.startswith(f"{_KEY}:") for name in plan.pending):
        advice = "download it once and name the file: demos: {files: […], input: …, output: …}"
        raise SdrlError("E352", "the spec's demos are a data set of the hub, which is not at hand", help=advice)
    own = plan.parts[0].demos
    if loaded.suite.human is None:
        return own
    rows, _ = free_rows(loaded, compiled)
    has_options = plan.verifier["type"] != "program"
    written = [
        Sample(row["input"], row["solution"], row["options"] if has_options else None)
        for row in solved(rows, Verifier.from_program(plan.verifier))
    ]
    known = {demo.input for demo in own}
    return (*own, *(demo for demo in written if demo.input not in known))


def chosen(demos: tuple[Sample, ...], wanted: DemoCount, seed: int) -> tuple[Sample, ...]:
    """The demos of an arm.

    Raises:
        SdrlError: there are fewer (E352).
    """
    if wanted.count > len(demos):
        there = f"there {'is' if len(demos) == 1 else 'are'} {len(demos) or 'none'}"
        message = f"{wanted.count} demo{'s' * (wanted.count != 1)} wanted, {there} in the spec and the human data"
        raise SdrlError("E352", message, help="add demos, or human data whose solutions give their own gold")
    if wanted.take == "sample":
        demos = tuple(sorted(demos, key=lambda demo: digest([seed, _KEY, demo.input])))
    return demos[: wanted.count]


def with_demos(text: str, demos: tuple[Sample, ...]) -> str:
    """The text of a spec with these demos in place of its own."""
    root = parse(text).root
    if isinstance(root, Mapping) and root.get(_KEY) is not None:
        text = apply(text, [Edit("remove", _KEY)])  # written anew: an edit of a long list goes item by item
    return apply(text, [Edit("set", _KEY, [demo.to_dict() for demo in demos])]) if demos else text
