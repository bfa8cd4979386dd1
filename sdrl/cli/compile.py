"""``sdrl compile``: a spec becomes a plan folder. The folder's path goes to stdout, diagnostics and talk to stderr."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.plan import Plan
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

    compiled = compile_or_tell(args.spec, args.output, pin=args.pin)
    plan = compiled.require()
    folder = args.output or _usual_folder(args.spec, plan.name)
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


def _usual_folder(spec: Path, name: str) -> Path:
    return spec.parent / f"{name}.plan"


def compile_or_tell(spec: Path, output: Path | None = None, *, pin: bool = False) -> Compiled:
    """Compile and print the diagnostics; raises when the spec has errors (they are printed already).

    The pins of the plan that lies where this one goes are kept.
    """
    from sdrl.cli.terminal import diagnostics_text
    from sdrl.compiler.compile import compile_spec
    from sdrl.spec.diagnostics import SdrlError

    compiled = compile_spec(spec, pin=pin)
    if not pin and compiled.plan is not None and compiled.plan.pending:
        held = held_plan(output or _usual_folder(spec, compiled.plan.name))
        compiled = compiled if held is None else compile_spec(spec, held=held)
    others = [item for item in compiled.diagnostics if item.code != PENDING]
    if others:
        sys.stderr.write(diagnostics_text(others, sys.stderr))
    pending = [item for item in compiled.diagnostics if item.code == PENDING]
    if pending:
        sys.stderr.write(_pending(pending, spec))
    if compiled.plan is None:
        count = sum(item.is_error for item in compiled.diagnostics)
        raise SdrlError("", f"{spec} was not compiled: {count} error{'s' if count != 1 else ''}")
    return compiled


def held_plan(folder: Path) -> Plan | None:
    """The sound plan in a folder, or None."""
    from sdrl.compiler.plan_file import read_plan
    from sdrl.spec.diagnostics import SdrlError

    try:
        return read_plan(folder)
    except SdrlError:
        return None


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
    if replace(held, estimate={}) == replace(plan, estimate={}):  # kept rows say less of the lengths of answers
        print(folder)
        return 0
    again = ", ".join(diff_plans(held, plan).stages) or "no stage"
    raise SdrlError(
        "E603",
        f"{folder} is not what {compiled.source} says now; would run again: {again}",
        help=f"see 'sdrl diff {folder} {compiled.source}', then compile without --check",
        exit=Exit.STALE,
    )
