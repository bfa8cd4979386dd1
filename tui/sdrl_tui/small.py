"""One line in place of a screen that has no room: it lies above all of it, which stays as it is and takes keys."""

from __future__ import annotations

from textual.widgets import Static

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
HORIZONTAL = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (100, "-wide")]
VERTICAL = [(0, "-low"), (LEAST_HEIGHT, "-short"), (20, "-tall")]


class Small(Static):
    """In view where the terminal is too small; a screen's classes say so."""

    def __init__(self) -> None:
        super().__init__("", classes="small", markup=False)

    def on_resize(self) -> None:
        """How small it is."""
        width, height = self.app.size
        least = f"{LEAST_WIDTH}x{LEAST_HEIGHT}"
        self.update(f"make the terminal larger ({least} at least), {width}x{height} now")
