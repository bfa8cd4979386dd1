"""``sdrl stop``: ask the process that runs a folder to end cleanly; what it has sealed and paid for stays."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")


def run(args: argparse.Namespace) -> int:
    """Send the signal; 0 also when nothing runs there."""
    from sdrl.cli.run_folder import run_folder
    from sdrl.run.lock import ask_to_stop

    pid = ask_to_stop(run_folder(args.run_folder).lock)
    if pid is None:
        sys.stderr.write("nothing is running there\n")
        return 0
    sys.stderr.write(f"asked pid {pid} to stop; the same run command goes on\n")
    return 0
