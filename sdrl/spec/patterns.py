"""E402: patterns that RE2 does not take, wherever a spec looks for an answer by one. Loads re2 only for these specs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Extract, Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

_WAYS_OUT = (
    ("(?", "patterns run in linear time: there is no look-around; match what stands around it, and take a group"),
    ("escape", "patterns run in linear time: there are no back-references and no escapes beyond RE2's"),
)


def pattern_rules(loaded: Loaded, spec: Spec) -> Iterator[Diagnostic]:
    """The patterns of ``answer.extract`` and of every ``gold.extract``."""
    places: list[tuple[str, Extract | None]] = [("answer.extract", spec.answer.extract)]
    places += [(f"evaluate.{index}.gold.extract", each.gold.extract) for index, each in enumerate(spec.evaluate)]
    for path, extract in places:
        if extract is not None and extract.kind == "regex":
            yield from _pattern(loaded, path, extract)


def _pattern(loaded: Loaded, path: str, extract: Extract) -> Iterator[Diagnostic]:
    from sdrl.verifier import ProgramError, Verifier  # re2 is loaded by a pattern alone

    finder = {"kind": "regex", "pattern": extract.regex, "group": extract.group}
    try:
        Verifier.from_program({"version": 1, "type": "text", "extract": finder})
    except ProgramError as error:
        where, _, reason = str(error).partition(": ")
        if where == "extract.group":
            message = f"the pattern has no group {extract.group}"
            yield loaded.diagnostic("E402", f"{path}.group", message, help="count its '(' that are not '(?:'")
            return
        help_ = next((text for mark, text in _WAYS_OUT if mark in reason), "see RE2's syntax; quote it with '…'")
        yield loaded.diagnostic("E402", f"{path}.regex", f"the pattern does not compile: {reason}", help=help_)
