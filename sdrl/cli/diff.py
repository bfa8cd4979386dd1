"""``sdrl diff``: what would run again between two plans or specs, and why (with --exit-code: 1 if anything would).

Changed values first, each once, with where the new value stands; then every stage, running again or staying; then the
price of it. ``~`` is a change, ``+`` something new, ``-`` something gone; colour only on a terminal.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("a", metavar="A", type=Path, help="a plan folder or a spec: before")
    parser.add_argument("b", metavar="B", type=Path, help="a plan folder or a spec: after")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when a stage would run again")


def run(args: argparse.Namespace) -> int:
    """Compare and print."""
    from sdrl.cli.plan import plan_of
    from sdrl.cli.terminal import has_color
    from sdrl.compiler.diff import diff_plans
    from sdrl.compiler.diff_text import text_of

    found = diff_plans(plan_of(args.a, args.b), plan_of(args.b, args.a))
    print(text_of(found, width=shutil.get_terminal_size().columns, color=has_color()))
    return 1 if args.exit_code and found.reruns else 0
