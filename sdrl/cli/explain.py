"""``sdrl explain CODE``: a diagnostic in full: what it means, why it is refused, a bad and a good example."""

from __future__ import annotations

import argparse
import difflib
import sys

from sdrl.spec.codes import CODES, Code, find
from sdrl.spec.diagnostics import Exit


def configure(parser: argparse.ArgumentParser) -> None:
    """One code, or none for the list."""
    parser.add_argument("code", nargs="?", help="for example E205; without one, all codes are listed")


def run(args: argparse.Namespace) -> int:
    """Print the code's page, or the list of all codes."""
    if args.code is None:
        sys.stdout.write("".join(f"{code.code}  {code.title}\n" for code in CODES.values()))
        return Exit.OK
    code = find(args.code)
    if code is None:
        near = difflib.get_close_matches(args.code.upper(), CODES, n=1)
        hint = f"did you mean {near[0]}?" if near else "sdrl explain lists all codes"
        sys.stderr.write(f"sdrl explain: there is no code '{args.code}'\n  help: {hint}\n")
        return Exit.USAGE
    sys.stdout.write(page(code))
    return Exit.OK


def page(code: Code) -> str:
    """One code as a person reads it."""
    kind = "warning" if code.code.startswith("W") else "error"
    parts = [f"{code.code} ({kind}): {code.title}", "", code.what, code.why, ""]
    for label, example in (("Not so:", code.bad), ("But so:", code.good)):
        parts += [label, *(f"  {line}" for line in example.split("\n")), ""]
    return "\n".join(parts).rstrip("\n") + "\n"
