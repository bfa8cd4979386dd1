"""``sdrl stop``: ask the process that runs a folder to end cleanly; what it has sealed and paid for stays."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path)


def run(args: argparse.Namespace) -> int:
    """Send the signal; 0 also when nothing runs there."""
    from sdrl.run.folder import RunFolder
    from sdrl.run.lock import holder_pid
    from sdrl.spec.diagnostics import Exit, SdrlError

    folder = RunFolder(args.run_folder)
    if not folder.events.exists():
        raise SdrlError("", f"{folder.root} is no run folder (it has no events.jsonl)", exit=Exit.USAGE)
    pid = holder_pid(folder.lock)
    if not pid:
        sys.stderr.write("nothing is running there\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    sys.stderr.write(f"asked pid {pid} to stop; the same run command goes on\n")
    return 0
