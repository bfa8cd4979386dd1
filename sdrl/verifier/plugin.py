"""Answer type ``program``: an installed package's verifier, found by its ``sdrl.verifiers`` entry point.

A plan names the entry point, never a file: running a stranger's plan runs no code that is not installed. It is a
callable without arguments that returns an object with ``read(slot: str, options: Mapping[str, str] | None) -> str |
None`` (the canonical value, None when unreadable) and ``same(prediction: str, gold: str) -> bool``.
"""

from __future__ import annotations

from typing import Final, Protocol

from sdrl.verifier.program import Program, ProgramError
from sdrl.verifier.result import UNREADABLE, Options, Reading

GROUP: Final = "sdrl.verifiers"


class Plugin(Protocol):
    """What an entry point returns."""

    def read(self, slot: str, options: Options | None) -> str | None:
        """The canonical value of a slot, or None."""

    def same(self, prediction: str, gold: str) -> bool:
        """Whether both are one value."""


class PluginType:
    """Adapts a plugin to the answer types."""

    def __init__(self, program: Program) -> None:
        from importlib.metadata import entry_points  # slow to load, rarely needed

        found = entry_points(group=GROUP, name=program.entry_point)
        if not found:
            raise ProgramError(f"entry_point: no installed package offers {program.entry_point!r} under {GROUP}")
        self._plugin: Plugin = next(iter(found)).load()()

    def read(self, slot: str, options: Options | None = None) -> Reading:
        """Read the slot with the plugin."""
        text = self._plugin.read(slot, options)
        return UNREADABLE if text is None else Reading(text)

    def same(self, a: str, b: str) -> bool:
        """Compare with the plugin."""
        return bool(self._plugin.same(a, b))
