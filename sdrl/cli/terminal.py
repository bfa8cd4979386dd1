"""What the terminal can show: colour and width, one answer for every command; and diagnostics drawn for it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

from sdrl.spec.diagnostics import Diagnostic

NARROWEST = 40


def has_color(stream: TextIO | None = None) -> bool:
    """Colour on a terminal, unless NO_COLOR or a dumb terminal says otherwise; FORCE_COLOR asks for it elsewhere."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def diagnostics_text(diagnostics: Sequence[Diagnostic], stream: TextIO) -> str:
    """Diagnostics for a stream: lines of the spec are cut to a terminal's width, so that carets stay under them."""
    from sdrl.spec.render import WIDEST, render_text

    width = min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST) if stream.isatty() else WIDEST
    return render_text(diagnostics, color=has_color(stream), width=width)
