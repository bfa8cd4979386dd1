"""``sdrl preview``: the exact bytes that would be sent, with a first demo and passage standing in.

Prompts go to stdout, byte for byte; what stands in for what, sizes and reply schemas go to stderr, so that
``sdrl preview SPEC --prompt answer > FILE`` is exactly the prompt.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.compiler.preview import NAMES
from sdrl.spec.method_table import PROMPT_NAMES, prompt_names

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.plan import PartPlan, Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the spec")
    parser.add_argument(
        "--prompt",
        metavar="NAME",
        choices=NAMES,
        help=f"{', '.join(PROMPT_NAMES)}, or one of the method's own (default: all)",
    )
    parser.add_argument("--part", metavar="NAME", help="part of the task (default: the first)")


def run(args: argparse.Namespace) -> int:
    """Print one prompt exactly, or all with headings."""
    from sdrl.compiler.compile import compile_spec

    compiled = compile_spec(args.spec)
    part = _part(compiled.require(), args.part)
    if args.prompt:
        _write(_show(compiled, part, args.prompt))
        return 0
    for name in prompt_names(compiled.require().settings.synthesize.method):
        _write(f"===== {name} =====\n")
        _write(_show(compiled, part, name) + "\n")
    return 0


def _write(text: str) -> None:
    """Exactly these bytes, whatever the locale; at once, so that the notes on stderr stand beside their prompt."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()


def _part(plan: Plan, name: str | None) -> PartPlan:
    from sdrl.spec.diagnostics import Exit, SdrlError

    if name is None:
        return plan.parts[0]
    try:
        return plan.part(name)
    except KeyError:
        known = ", ".join(part.name for part in plan.parts)
        raise SdrlError("", f"there is no part '{name}'", help=f"parts: {known}", exit=Exit.USAGE) from None


def _show(compiled: Compiled, part: PartPlan, name: str) -> str:
    """The prompt's text; what is to be said about it goes to stderr."""
    from sdrl.compiler.preview import preview_prompt

    text, said, _ = preview_prompt(compiled, part, name)
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    for line in said:
        note = f"# {name}: {line}"
        sys.stderr.write((textwrap.fill(note, width, subsequent_indent="#   ") if width else note) + "\n")
    return text
