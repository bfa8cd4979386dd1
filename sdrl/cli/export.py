"""``sdrl export RUN --to TARGET -o DIR``: samples and verifier of a run for others, usable without sdrl."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

NAMES = ("trl", "verl", "verifiers", "hf", "verifier")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")
    parser.add_argument("--to", choices=NAMES, required=True, help="whom it is for; 'verifier' is plain Python")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="a new folder")
    parser.add_argument("--push", metavar="OWNER/NAME", help="with --to hf: upload it there too, private")


def run(args: argparse.Namespace) -> int:
    """Write the export; print its folder."""
    from sdrl.cli.run_folder import run_folder
    from sdrl.export.export import export_run
    from sdrl.export.hub import check_push, push
    from sdrl.spec.diagnostics import Exit

    if args.push is not None and args.to != "hf":
        sys.stderr.write("sdrl export: --push goes with --to hf\n  help: leave it out, or write --to hf\n")
        return int(Exit.USAGE)
    if args.push is not None:
        check_push(args.push)  # before anything is written
    folder = run_folder(args.run)
    files = export_run(folder.root, args.to, args.output)
    sys.stderr.write(f"wrote {len(files)} files; begin with {args.output / 'README.md'}\n" if args.to != "hf" else "")
    print(args.output)
    if args.push is not None:
        for address in push(args.output, args.push):
            print(address)
    return int(Exit.OK)
