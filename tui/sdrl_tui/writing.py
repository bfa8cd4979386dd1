"""A text area that survives its text shrinking below its cursor.

Textual (8.2) draws after much text was taken out and before the cursor is moved into what is left: undoing a paste of
many lines ended the app with a ValueError.
"""

from __future__ import annotations

import contextlib

from textual.widgets import TextArea


class Writing(TextArea):
    """What prompt and spec are written in."""

    def _recompute_cursor_offset(self) -> None:
        with contextlib.suppress(ValueError):  # the cursor moves right after, and the offset is worked out again
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call]
