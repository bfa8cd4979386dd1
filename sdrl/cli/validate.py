"""``sdrl validate``: all problems of all specs, in the format asked for.

Reads files, folders (their ``*.yaml`` and ``*.yml``, at any depth), globs, and ``-`` for stdin. The report goes to
stdout, the count to stderr. Exit 0 without errors, 1 with errors (or warnings, under ``--strict``), 2 when nothing was
named.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sdrl.spec.diagnostics import Diagnostic, Exit, has_errors
from sdrl.spec.loader import STDIN, load_spec
from sdrl.spec.source import MOST_BYTES, decode

SUFFIXES = (".yaml", ".yml")
FORMATS = ("text", "json", "github", "sarif", "junit")
_MAGIC = frozenset("*?[")


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths, format, strictness."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="spec files, folders, globs, or - for stdin")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how problems are reported")
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")


def run(args: argparse.Namespace) -> int:
    """Validate and report."""
    sources: list[str] = []
    found: list[Diagnostic] = []
    for path in _expand(args.paths):
        name, diagnostics = _one(path)
        sources.append(name)
        found += diagnostics
    if not sources:
        sys.stderr.write("sdrl validate: no spec there\n  help: name files that end in .yaml or .yml\n")
        return Exit.USAGE
    sys.stdout.write(_report(found, sources, args.format))
    if args.format == "text":
        sys.stderr.write(_summary(found, len(sources)))
    return Exit.PROBLEMS if has_errors(found) or (args.strict and found) else Exit.OK


def _expand(paths: Sequence[str]) -> Iterator[str]:
    """Every file once, in the order given; folders and globs sorted."""
    seen: set[str] = set()
    for path in paths:
        for file in _files(path):
            if file not in seen:
                seen.add(file)
                yield file


def _files(path: str) -> list[str]:
    if path == "-":
        return [path]
    if os.path.isdir(path):
        return sorted(str(file) for file in Path(path).rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if _MAGIC & set(path) and not os.path.lexists(path):
        import glob

        return sorted(glob.glob(path, recursive=True)) or [path]
    return [path]


def _one(path: str) -> tuple[str, tuple[Diagnostic, ...]]:
    if path != "-":
        return path, load_spec(path).diagnostics
    source = decode(sys.stdin.buffer.read(MOST_BYTES + 1), STDIN)
    if source.text is None:
        return STDIN, (source.problem,) if source.problem else ()
    return STDIN, load_spec(STDIN, text=source.text).diagnostics


def _report(found: Sequence[Diagnostic], sources: Sequence[str], format_: str) -> str:
    from sdrl.spec import render

    if format_ == "junit":
        return render.render_junit(found, sources)
    if format_ == "text":
        return render.render_text(found, color=_color())
    return render.RENDERERS[format_](found)


def _color() -> bool:
    """Colour on a terminal, unless NO_COLOR or a dumb terminal says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _summary(found: Sequence[Diagnostic], specs: int) -> str:
    errors = sum(item.is_error for item in found)
    parts = [_count(specs, "spec"), _count(errors, "error"), _count(len(found) - errors, "warning")]
    first = next((item.code for item in found if item.is_error), found[0].code if found else "")
    more = f"; sdrl explain {first} tells more" if first else ""
    return f"{', '.join(parts)}{more}\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
