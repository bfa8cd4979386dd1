"""How a run ends: a status, an exit code, a message. Decides nothing; what ends a run is the executor's business."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError


@dataclass(frozen=True)
class Ending:
    """How a run ended."""

    status: str
    exit: Exit
    message: str
    error: SdrlError | None = None

    def as_result(self) -> tuple[str, Exit, str]:
        """What ``result.json`` says of it: status, exit code, message."""
        return self.status, self.exit, self.message


def by_error(error: SdrlError) -> Ending:
    """The ending that an error makes, by its exit code."""
    status = {Exit.STOPPED: "stopped", Exit.BUDGET: "budget", Exit.GATE: "gate"}.get(error.exit, "failed")
    return Ending(status, error.exit, f"{error.code}: {error.message}", error)


def by_disk(error: OSError, folder: Path) -> Ending:
    """The ending that a full or failing disk makes; ``folder`` is named where the error names no file."""
    failure = SdrlError(
        "E870",
        f"{error.strerror or error} ({error.filename or folder})",
        help="make room or mend the path, then give the same command; what was paid for is in the store",
        exit=Exit.STOPPED,
    )
    return by_error(failure)
