"""How a failure looks on stderr: one message, where, and what to do. Tracebacks go to a log file, never to the user."""

from __future__ import annotations

import errno
import sys
import tempfile
import traceback
from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError


def print_error(error: SdrlError) -> None:
    """Print an error and the diagnostics it carries."""
    if error.diagnostics:
        from sdrl.cli.terminal import diagnostics_text

        sys.stderr.write(diagnostics_text(error.diagnostics, sys.stderr).rstrip("\n") + "\n")
    lines = [f"{error.code}: {error.message}" if error.code else error.message]
    if error.help:
        lines.append(f"  help: {error.help}")
    if error.code:
        lines.append(f"  more: sdrl explain {error.code}")
    sys.stderr.write("\n".join(lines) + "\n")


def print_os_error(error: OSError) -> int:
    """A disk or file problem no deeper layer named: say which file, and that the work so far is kept."""
    if isinstance(error, FileNotFoundError) and error.filename:
        sys.stderr.write(f"sdrl: there is no file {error.filename}\n  help: check the path\n")
        return int(Exit.PROBLEMS)
    where = f" ({error.filename})" if error.filename else ""
    reason = error.strerror or str(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    help_ = "free some space and run the same command again" if full else "check the path and its permissions"
    sys.stderr.write(f"sdrl: {reason}{where}\n  help: {help_}\n")
    return int(Exit.STOPPED if full else Exit.PROBLEMS)


def write_crash_log(command: str, error: Exception) -> int:
    """An internal error: keep the traceback in a file and name it."""
    with tempfile.NamedTemporaryFile("w", prefix=f"sdrl-{command}-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    sys.stderr.write(
        f"sdrl: internal error in 'sdrl {command}': {type(error).__name__}: {error}\n"
        f"  help: this is a bug of sdrl, not of your spec; please report it with {Path(log.name)}\n"
    )
    return int(Exit.INTERNAL)
