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

from sdrl.spec.base import SLUG
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.locate import specs_dir
from sdrl.spec.nearest import closest
from sdrl.spec.schema import FILE_NAME, schema_text

DEFAULT = "gsm8k"
REFERENCE = "_reference"


def configure(parser: argparse.ArgumentParser) -> None:
    """Name and example."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="name of the new spec; without one, examples are listed"
    )
    parser.add_argument("--from", dest="example", metavar="EXAMPLE", help=f"the example to start from ({DEFAULT})")


def run(args: argparse.Namespace) -> int:
    """List the examples, or write a spec."""
    examples = {path.stem: path for path in sorted(specs_dir().glob("*.yaml"))}
    if args.name is None:
        width = max(map(len, examples))
        columns = min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 80
        sys.stdout.write("".join(_entry(name, _about(path), width, columns) for name, path in examples.items()))
        sys.stderr.write("start from one of them: sdrl init NAME --from EXAMPLE\n")
        return Exit.OK
    chosen = args.example or DEFAULT
    if chosen not in examples:
        near = closest(chosen, examples)
        hint = f"did you mean '{near}'?" if near else f"examples: {', '.join(examples)}"
        sys.stderr.write(f"sdrl init: there is no example '{chosen}'\n  help: {hint}\n")
        return Exit.USAGE
    if not re.fullmatch(SLUG, args.name):
        message = f"'{args.name}' cannot be a name"
        meant = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\.ya?ml$", "", args.name.lower())).strip("-") or "my-task"
        raise SdrlError("E207", message, help=f"use small letters, digits and single hyphens: sdrl init {meant}")
    _write(args.name, examples[chosen])
    return Exit.OK


def _entry(name: str, about: str, width: int, columns: int) -> str:
    """One example, its description wrapped beside its name."""
    head, hang = f"{name:<{width}}  ", " " * (width + 2)
    return textwrap.fill(about, columns, initial_indent=head, subsequent_indent=hang, break_on_hyphens=False) + "\n"


def _about(path: Path) -> str:
    """The first comment of an example that is not for the editor."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return next(
        (line[1:].strip() for line in lines if line.startswith("# ") and "yaml-language-server" not in line), ""
    )


def _write(name: str, example: Path) -> None:
    target = Path(f"{name}.yaml")
    text = example.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", text, count=1)
    files = {target: text.encode()}
    if not Path(FILE_NAME).exists():
        files[Path(FILE_NAME)] = schema_text().encode()
    for used in sorted(set(re.findall(r"[\w./-]+\.(?:jinja|jsonl)\b", text))):
        source = example.parent / used
        if source.is_file() and not Path(used).exists():
            files[Path(used)] = source.read_bytes()
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            raise SdrlError("", f"{path} is already there", help="choose another name, or move it away") from None
        about = f", the example {example.stem} under your name ('sdrl init' lists others)" if path == target else ""
        sys.stderr.write(f"wrote {path}{about}\n")
    sys.stderr.write(f"next: write your task into {target}, then sdrl validate {target}\n")
