"""``sdrl diff``: what would run again between two plans or specs, and why (with --exit-code: 1 if anything would)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.diff import PlanDiff


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("a", metavar="A", type=Path, help="a plan folder or a spec: before")
    parser.add_argument("b", metavar="B", type=Path, help="a plan folder or a spec: after")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when a stage would run again")


def run(args: argparse.Namespace) -> int:
    """Compare and print."""
    from sdrl.cli.plan import plan_of
    from sdrl.compiler.diff import diff_plans

    found = diff_plans(plan_of(args.a), plan_of(args.b))
    print(text_of(found))
    return 1 if args.exit_code and found.reruns else 0


def text_of(found: PlanDiff) -> str:
    """The difference for a person."""
    if found.is_empty:
        return "no difference"
    lines: list[str] = []
    if not found.reruns:
        lines.append("no stage would run again")
    for stage in found.reruns:
        after = f" (after {', '.join(stage.because_of)})" if stage.because_of else ""
        lines.append(f"{stage.name} would run again{after}")
        lines += [f"  {change}" for change in stage.changes]
    if found.unhashed:
        lines.append("changed, but no row depends on it")
        lines += [f"  {change}" for change in found.unhashed]
    for text in found.prompts.values():
        lines += ["", text]
    return "\n".join(lines)
