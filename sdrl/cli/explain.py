"""``sdrl explain CODE``: a diagnostic in full: what it means, why it is refused, a bad and a good example.

Without a code it lists all codes by what they speak of. Exit 2 for a code that does not exist, with the nearest one.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import textwrap

from sdrl.spec.codes import CODES, GROUPS, Code, find, group_of
from sdrl.spec.diagnostics import Exit

_WIDEST = 88
_BOLD, _RED, _YELLOW, _GREEN, _DIM, _OFF = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"


def configure(parser: argparse.ArgumentParser) -> None:
    """One code, or none for the list."""
    parser.add_argument("code", nargs="?", help="for example E205; without one, all codes are listed")


def run(args: argparse.Namespace) -> int:
    """Print the code's page, or the list of all codes."""
    from sdrl.cli.terminal import has_color

    color = has_color()
    if args.code is None:
        sys.stdout.write(overview(color=color))
        return Exit.OK
    code = find(args.code)
    if code is None:
        sys.stderr.write(f"sdrl explain: there is no code '{args.code}'\n  help: {_nearest(args.code)}\n")
        return Exit.USAGE
    width = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    sys.stdout.write(page(code, width=width, color=color))
    return Exit.OK


def _nearest(wanted: str) -> str:
    """The code meant: by its letters and digits, or by words of its title."""
    begun = [code for code in CODES if len(wanted) > 1 and code.startswith(wanted.strip().upper())]
    if begun:
        return f"codes that begin so: {', '.join(begun)}"
    near = difflib.get_close_matches(wanted.strip().upper(), CODES, n=1)
    if near:
        return f"did you mean {near[0]} ({CODES[near[0]].title})?"
    words = wanted.lower().split()
    titled = [code for code in CODES.values() if words and all(word in code.title.lower() for word in words)]
    if titled:
        return "did you mean " + " or ".join(f"{code.code} ({code.title})" for code in titled[:3]) + "?"
    return "sdrl explain lists all codes"


def overview(*, color: bool = False) -> str:
    """All codes, by group."""
    bold, tones, off = (_BOLD, (_RED, _YELLOW), _OFF) if color else ("", ("", ""), "")
    lines: list[str] = []
    for prefix, title in GROUPS.items():
        codes = [code for code in CODES.values() if group_of(code.code) == prefix]
        if codes:
            tone = tones[prefix.startswith("W")]
            lines += ["", f"{bold}{title}{off}", *(f"  {tone}{code.code}{off}  {code.title}" for code in codes)]
    lines += ["", "sdrl explain CODE tells what a code means, why, and shows a bad and a good example."]
    return "\n".join(lines[1:]) + "\n"


def page(code: Code, *, width: int = _WIDEST, color: bool = False) -> str:
    """One code as a person reads it, texts wrapped to ``width`` columns, examples as they are."""
    warning = code.code.startswith("W")
    tone, bold, green, dim, off = (_YELLOW if warning else _RED, _BOLD, _GREEN, _DIM, _OFF) if color else ("",) * 5
    head = f"{tone}{code.code}{off} {dim}({'warning' if warning else 'error'}){off}: {bold}{code.title}{off}"
    parts = [head, "", *textwrap.wrap(code.what, width), "", *textwrap.wrap(code.why, width), ""]
    for label, shade, example in (("Not so:", tone, code.bad), ("But so:", green, code.good)):
        parts += [f"{shade}{label}{off}", *(f"  {line}" for line in example.split("\n")), ""]
    if warning and code.code.startswith("W3"):
        advice = f"lint: {{ignore: [{{code: {code.code}, reason: …}}]}}"
        parts += [f"{dim}Silence it in a spec, with a reason:{off}", f"  {advice}", ""]
    return "\n".join(parts).rstrip("\n") + "\n"
