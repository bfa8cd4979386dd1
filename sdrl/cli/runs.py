"""``sdrl runs``: every run below ./runs, one line each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder", metavar="DIR", type=Path, nargs="?", default=Path("runs"), help="where to look (default: runs)"
    )


def run(args: argparse.Namespace) -> int:
    """List the runs, newest last."""
    from sdrl.cli.status import state_of

    found = sorted(args.folder.glob("*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    if not found:
        sys.stderr.write(f"no runs in {args.folder}/; 'sdrl run PLAN' begins one\n")
    for path in found:
        state = state_of(path.parent)
        ended = state["ended"]
        done = sum(stage["state"] in ("done", "kept") for stage in state["stages"].values())
        status = "running" if ended is None else ended["status"]
        stages = f"{done:>2}/{len(state['stages'])} stages"
        print(f"{path.parent.name:<24} {status:<8} {stages}  plan {state['plan_hash'][:12]}")
    return 0
