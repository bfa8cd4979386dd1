"""``sdrl tui [SPEC]``: author a spec in the terminal app, found through the entry point ``tui`` of ``sdrl.apps``.

Refuses a terminal that cannot show it. Imports no Textual itself.
"""

from __future__ import annotations

import argparse
import codecs
import os
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", nargs="?", metavar="SPEC", type=Path, help="the spec, made if it is not there")


def run(args: argparse.Namespace) -> int:
    """Start the app; its exit code."""
    from importlib.metadata import entry_points

    from sdrl.authoring.naming import spec_path
    from sdrl.spec.diagnostics import Exit, SdrlError

    streams = (sys.stdin, sys.stdout, sys.__stderr__)  # the app draws on the last one
    if not all(each is not None and each.isatty() for each in streams) or os.environ.get("TERM", "dumb") == "dumb":
        help_ = "run it in a terminal; 'sdrl author --script FILE' does without one"
        raise SdrlError("", "the terminal app needs a terminal that can move its cursor", help=help_, exit=Exit.USAGE)
    takes = getattr(sys.__stderr__, "encoding", None) or "utf-8"  # where the app writes
    if codecs.lookup(takes).name != "utf-8":
        help_ = "export LC_ALL=C.UTF-8, or PYTHONUTF8=1 where the terminal shows UTF-8 all the same"
        raise SdrlError(
            "", f"the terminal app writes UTF-8, and this terminal takes {takes}", help=help_, exit=Exit.USAGE
        )
    found = [entry for entry in entry_points(group="sdrl.apps") if entry.name == "tui"]
    try:
        start = found[0].load()
    except (IndexError, ModuleNotFoundError) as error:
        what = error.name if isinstance(error, ModuleNotFoundError) else "the entry point 'tui'"
        raise SdrlError(
            "E844", f"the terminal app is not installed: {what} is missing", help="pip install 'sdrl[tui]'"
        ) from None
    return int(start(spec_path(args.spec) if args.spec is not None else None))
