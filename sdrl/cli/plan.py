"""``sdrl plan``: what a plan will do: stages, prompts, verifier, requests, tokens and cost, expected and worst.

At last every value that is not a default, with where it comes from. Fits the terminal from 80 columns on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.plan import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="DIR_OR_SPEC", type=Path, help="a plan folder, or a spec")
    parser.add_argument("--json", action="store_true", help="the whole plan as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the summary, or the plan's document."""
    plan = plan_of(args.plan)
    if args.json:
        from sdrl.compiler.plan_json import encode_plan

        print(json.dumps(encode_plan(plan), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        from sdrl.compiler.plan_text import NARROW, WIDE, summary

        print(summary(plan, min(max(shutil.get_terminal_size().columns, NARROW), WIDE)))
    return 0


def plan_of(path: Path, beside: Path | None = None) -> Plan:
    """The plan in a folder, or of a spec compiled on the spot (its warnings are not repeated here).

    ``beside`` is what it will be compared with: where that is a plan folder, its pins are kept.

    Raises:
        SdrlError: the folder is no sound plan, or the spec has errors.
    """
    from sdrl.compiler.plan_file import read_plan

    if path.is_dir():
        return read_plan(path)
    from sdrl.compiler.compile import compile_spec

    held = read_plan(beside) if beside is not None and beside.is_dir() else None
    return compile_spec(path, held=held).require()
