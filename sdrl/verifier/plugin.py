"""Answer type ``program``: a verifier that is a program of its own, found by its name.

A plan names it, never a file: running a stranger's plan runs no code that is not installed. The names in ``OWN`` ship
with sdrl and cannot be taken by another package; every other name is an entry point of the group ``sdrl.verifiers``: a
callable without arguments that returns a ``Plugin``. How to write one: docs/how-to/own-verifier.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol

from sdrl.verifier.program import Program, ProgramError
from sdrl.verifier.result import UNREADABLE, Options, Reading

GROUP: Final = "sdrl.verifiers"
# Found in a checkout too, where no installation has written entry points.
OWN: Final = {"sql-sqlite": ("sql_sqlite", "SqlSqlite")}


class Unreadable(ValueError):
    """Raised by a plugin's ``read``: the slot is no value, and why, in a few small words.

    ``conflict`` makes the completion incorrect rather than unparsable: it answers, and wrongly (several values, a query
    that does not run).
    """

    def __init__(self, reason: str, *, conflict: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.conflict = conflict


class Plugin(Protocol):
    """What an entry point returns."""

    def read(self, slot: str, options: Options | None) -> str | None:
        """The canonical value of a slot; None, or Unreadable with a reason, when it is none.

        ``options`` is what the sample brings along: ``{"input": …}``, the text of the sample's input. Reading a
        canonical value must give that value again: a label is the canonical value that won the vote.
        """

    def same(self, prediction: str, gold: str) -> bool:
        """Whether both canonical values are one value."""


class PluginType:
    """Adapts a plugin to the answer types."""

    def __init__(self, program: Program) -> None:
        self._plugin: Plugin = _load(program.entry_point)()

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the slot with the plugin."""
        try:
            text = self._plugin.read(slot, options)
        except Unreadable as found:
            return Reading(None, found.reason, found.conflict)
        return UNREADABLE if text is None else Reading(text)

    def same(self, a: str, b: str) -> bool:
        """Compare with the plugin."""
        return bool(self._plugin.same(a, b))


def _load(name: str) -> Callable[[], Any]:
    """The callable behind a name: one of our own, else of an installed package."""
    if name in OWN:
        module, attribute = OWN[name]
        own: Callable[[], Any] = getattr(import_module(f"{__package__}.{module}"), attribute)
        return own
    from importlib.metadata import entry_points  # slow to load, rarely needed

    found = entry_points(group=GROUP, name=name)
    if not found:
        raise ProgramError(f"entry_point: no installed package offers {name!r} under {GROUP}")
    try:
        loaded: Callable[[], Any] = next(iter(found)).load()
    except Exception as error:  # named border: another package's import
        raise ProgramError(f"entry_point: {name!r} cannot be loaded: {type(error).__name__}: {error}") from None
    return loaded
