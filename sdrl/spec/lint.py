"""Lints (W3xx): what works and is probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.reading import Path

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded


def lint(loaded: Loaded, bad: set[Path]) -> list[Diagnostic]:
    """All warnings the spec does not silence."""
    return []
