"""Cross-field rules of a spec (E3xx, E5xx): what no single key can know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.reading import Path

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded


def check(loaded: Loaded, bad: set[Path]) -> list[Diagnostic]:
    """All broken rules; rules that would read a bad value are skipped."""
    return []
