"""``sdrl init``: a new commented spec from an example, or the list of examples.

Writes ``NAME.yaml``, the files of the example that it needs, and ``sdrl.schema.json`` for the editor, all into the
current folder; never overwrites a file.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from pathlib import Path

from sdrl.authoring.examples import example, examples
from sdrl.spec.base import SLUG
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.nearest import closest
from sdrl.spec.schema import FILE_NAME, schema_text

DEFAULT = "gsm8k"
REFERENCE = "_reference"


def configure(parser: argparse.ArgumentParser) -> None:
    """Name and example."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="name of the new spec; without one, examples are listed"
    )
    parser.add_argument(
        "--from",
        dest="example",
        metavar="EXAMPLE",
        help=f"the example to start from (the one of that name, else {DEFAULT})",
    )


def run(args: argparse.Namespace) -> int:
    """List the examples, or write a spec."""
    known = examples()
    if args.name is None:
        width = max(map(len, known))
        columns = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 80
        sys.stdout.write("".join(_entry(name, about, width, columns) for name, about in known.items()))
        sys.stderr.write("start from one of them: sdrl init NAME --from EXAMPLE\n")
        return Exit.OK
    chosen = args.example or (args.name if args.name in known else DEFAULT)  # its name is taken at its word
    if chosen not in known:
        near = closest(chosen, known)
        hint = f"did you mean '{near}'?" if near else f"examples: {', '.join(known)}"
        sys.stderr.write(f"sdrl init: there is no example '{chosen}'\n  help: {hint}\n")
        return Exit.USAGE
    if not re.fullmatch(SLUG, args.name):
        message = f"'{args.name}' cannot be a name"
        meant = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.ya?ml$", "", args.name.lower())).strip("-") or "my-task"
        raise SdrlError("E207", message, help=f"use small letters, digits and single hyphens: sdrl init {meant}")
    _write(args.name, chosen)
    return Exit.OK


def _entry(name: str, about: str, width: int, columns: int) -> str:
    """One example, its description wrapped beside its name."""
    head, hang = f"{name:<{width}}  ", " " * (width + 2)
    return textwrap.fill(about, columns, initial_indent=head, subsequent_indent=hang, break_on_hyphens=False) + "\n"


def _write(name: str, chosen: str) -> None:
    target = Path(f"{name}.yaml")
    made = example(chosen, name)
    files = {target: made.text.encode()}
    if not Path(FILE_NAME).exists():
        files[Path(FILE_NAME)] = schema_text().encode()
    files |= {Path(used): content for used, content in made.files.items() if not Path(used).exists()}
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise SdrlError("", f"{path} is already there", help="choose another name, or move it away") from None
        whose = "" if chosen == name else " under your name"
        about = f", the example {chosen}{whose} ('sdrl init' lists others)" if path == target else ""
        sys.stderr.write(f"wrote {path}{about}\n")
    sys.stderr.write(f"next: write your task into {target}, then sdrl validate {target}\n")
