"""``sdrl compile``: a spec becomes a plan folder. The folder's path goes to stdout, diagnostics and talk to stderr."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.spec.diagnostics import Diagnostic

PENDING = "W501"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec to compile")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="plan folder (default NAME.plan beside the spec)"
    )
    parser.add_argument("--pin", action="store_true", help="look up pending hub resources and freeze them")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the plan folder is not up to date"
    )


def run(args: argparse.Namespace) -> int:
    """Compile and write, or check what is there."""
    from sdrl.compiler.compile import write_plan

    compiled = compile_or_tell(args.spec, pin=args.pin)
    plan = compiled.require()
    folder = args.output or args.spec.parent / f"{plan.name}.plan"
    if args.check:
        return _check(compiled, folder)
    write_plan(compiled, folder)
    print(folder)
    state = (
        f"{len(plan.pending)} resource(s) pending, run needs 'sdrl compile {args.spec} --pin'"
        if plan.pending
        else "ready"
    )
    sys.stderr.write(f"plan {plan.hash[:12]}: {state}\n")
    return 0


def compile_or_tell(spec: Path, *, pin: bool = False) -> Compiled:
    """Compile and print the diagnostics; raises when the spec has errors (they are printed already)."""
    from sdrl.compiler.compile import compile_spec
    from sdrl.spec.diagnostics import SdrlError
    from sdrl.spec.render import render_text

    compiled = compile_spec(spec, pin=pin)
    others = [item for item in compiled.diagnostics if item.code != PENDING]
    if others:
        sys.stderr.write(render_text(others, color=sys.stderr.isatty()))
    pending = [item for item in compiled.diagnostics if item.code == PENDING]
    if pending:
        sys.stderr.write(_pending(pending, spec))
    if compiled.plan is None:
        count = sum(item.is_error for item in compiled.diagnostics)
        raise SdrlError("", f"{spec} was not compiled: {count} error{'s' if count != 1 else ''}")
    return compiled


def _pending(items: list[Diagnostic], spec: Path) -> str:
    """All that is not at hand in one block: the line of the spec, and what it is."""
    count = "a resource is" if len(items) == 1 else f"{len(items)} resources are"
    places = [f"{item.file}:{item.line}" for item in items]
    room = max(map(len, places))
    lines = [
        f"{PENDING} {count} not at hand yet",
        *(f"  {place:<{room}}  {item.message.split(': ', 1)[-1]}" for place, item in zip(places, items, strict=True)),
        f"  help: 'sdrl compile {spec} --pin' looks up and freezes what the hub has now",
    ]
    return "\n".join(lines) + "\n"


def _check(compiled: Compiled, folder: Path) -> int:
    """Exit 3 and what would re-run when the plan in ``folder`` is not what the spec says now."""
    from sdrl.compiler.diff import diff_plans
    from sdrl.compiler.plan_file import read_plan
    from sdrl.spec.diagnostics import Exit, SdrlError

    held, plan = read_plan(folder), compiled.require()
    stale = [name for name, content in compiled.files.items() if _bytes(folder / name) != content]
    if held.hash == plan.hash and not stale:
        print(folder)
        return 0
    again = ", ".join(diff_plans(held, plan).stages) or "no stage"
    raise SdrlError(
        "E603",
        f"{folder} is not what {compiled.source} says now; would run again: {again}",
        help=f"see 'sdrl diff {folder} {compiled.source}', then compile without --check",
        exit=Exit.STALE,
    )


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
