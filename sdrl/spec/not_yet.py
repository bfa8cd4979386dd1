"""Keys that are accepted and frozen into the plan, and whose work comes later: one table, shrunk as it is done.

A key is reported when its value asks for something this version does not do; a value that asks for what is done anyway
is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdrl.spec.method_table import BUILT
from sdrl.spec.model import Spec


@dataclass(frozen=True)
class NotYet:
    """A key whose work is not done: the values that change nothing, and what happens instead."""

    harmless: tuple[Any, ...]
    instead: str


NOT_YET_USED: Mapping[str, NotYet] = {
    "synthesize.method": NotYet(BUILT, "the run refuses this method"),
}


def not_yet_used(spec: Spec) -> tuple[str, ...]:
    """Dotted paths of keys whose value asks for work that is not done yet, in the order of the table."""
    return tuple(path for path, entry in NOT_YET_USED.items() if _asks(spec, path, entry))


def _asks(spec: Spec, path: str, entry: NotYet) -> bool:
    value: Any = spec
    for step in path.split("."):
        if value is None:
            return False
        value = getattr(value, step)
    return value not in entry.harmless
