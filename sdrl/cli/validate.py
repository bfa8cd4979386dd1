"""``sdrl validate``: all problems of all specs, in the format asked for.

Reads files, folders (their ``*.yaml`` and ``*.yml`` at any depth, but for hidden folders), globs, and ``-`` for stdin;
each file once. YAML files that are no specs, such as a docker-compose.yml, are passed over in folders and globs, and
said so. Own templates must be valid where they are there; data files, the verifier's self-test and the hardware are
``sdrl compile``'s. The report goes to stdout, the count to stderr. Exit 0 without
errors, 1 with errors (or warnings, under ``--strict``), 2 when nothing was named.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sdrl.spec.diagnostics import Diagnostic, Exit, has_errors, in_order
from sdrl.spec.loader import STDIN, Loaded, load_spec
from sdrl.spec.source import MOST_BYTES, SUFFIXES, decode, is_other_yaml

FORMATS = ("text", "json", "github", "sarif", "junit")
_MAGIC = frozenset("*?[")


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths, format, strictness."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="spec files, folders, globs, or - for stdin")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how problems are reported")
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    parser.add_argument(
        "--stdin-filename", metavar="FILE", default=STDIN, help="the file that stdin stands for, in reports and paths"
    )
    parser.add_argument(
        "--skip-others", action="store_true", help="pass over YAML files that are no specs even where they are named"
    )


@dataclass
class _Found:
    """What there is to look at: files in the order given, and the YAML files that are no specs."""

    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def run(args: argparse.Namespace) -> int:
    """Validate and report."""
    there = _expand(args.paths, args.skip_others)
    if not there.files:
        return _nothing(there, args.skip_others)
    sources: list[str] = []
    found: list[Diagnostic] = []
    for path in there.files:
        name, diagnostics = _one(path, args.stdin_filename)
        sources.append(name)
        found += diagnostics
    sys.stdout.write(_report(found, sources, args))
    if args.format == "text":
        sys.stderr.write(_summary(found, len(sources), there.others))
    return Exit.PROBLEMS if has_errors(found) or (args.strict and found) else Exit.OK


def _expand(paths: Sequence[str], skip_others: bool) -> _Found:
    """Every file once, however it is spelt, in the order given; folders and globs sorted."""
    there = _Found()
    seen: set[str] = set()
    for path in paths:
        named = path == "-" or not (os.path.isdir(path) or _is_glob(path))
        for file in _files(path):
            identity = file if file == "-" else os.path.realpath(file)
            if identity in seen:
                continue
            seen.add(identity)
            skips = file != "-" and (skip_others or not named)
            (there.others if skips and is_other_yaml(file) else there.files).append(file)
    return there


def _files(path: str) -> list[str]:
    if path != "-" and os.path.isdir(path):
        return sorted(_below(path))
    if path != "-" and _is_glob(path):
        import glob

        found = (file for file in glob.glob(path, recursive=True) if not os.path.isdir(file))
        return sorted(found) or [path]
    return [path]


def _below(folder: str) -> Iterator[str]:
    """YAML files below a folder; links to folders are not followed, pipes and devices are no files."""
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            file = os.path.join(at, name).removeprefix("./")
            if name.endswith(SUFFIXES) and (os.path.isfile(file) or os.path.islink(file)):
                yield file


def _is_glob(path: str) -> bool:
    return bool(_MAGIC & set(path)) and not os.path.lexists(path)


def _one(path: str, stdin_name: str) -> tuple[str, tuple[Diagnostic, ...]]:
    if path != "-":
        return path, _all(load_spec(path))
    source = decode(sys.stdin.buffer.read(MOST_BYTES + 1), stdin_name)
    if source.text is None:
        return stdin_name, (source.problem,) if source.problem else ()
    return stdin_name, _all(load_spec(stdin_name, text=source.text))


def _all(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """The problems of the spec, and of what stands beside it."""
    from sdrl.compiler.beside import beside

    return in_order([*loaded.diagnostics, *beside(loaded)])


def _report(found: Sequence[Diagnostic], sources: Sequence[str], args: argparse.Namespace) -> str:
    if args.format == "text" and not found:
        return ""
    if args.format == "text":
        from sdrl.cli.terminal import diagnostics_text

        return diagnostics_text(found, sys.stdout)
    from sdrl.spec import render

    if args.format == "junit":
        from sdrl.spec.junit import render_junit

        return render_junit(found, sources, strict=args.strict)
    return render.renderer(args.format)(found, sources)


def _nothing(there: _Found, skip_others: bool) -> int:
    """No spec among what was named: wrong usage, but for a hook that was handed other YAML files only."""
    if there.others and skip_others:
        return Exit.OK
    passed = f" ({_passed(there.others)})" if there.others else ""
    help_ = "name files that end in .yaml or .yml; 'sdrl init my-task' writes one to begin with"
    sys.stderr.write(f"sdrl validate: no spec there{passed}\n  help: {help_}\n")
    return Exit.USAGE


def _passed(others: Sequence[str]) -> str:
    shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    return f"passed over {_count(len(others), 'YAML file')} without 'sdrl:': {shown}"


def _summary(found: Sequence[Diagnostic], specs: int, others: Sequence[str]) -> str:
    errors = sum(item.is_error for item in found)
    parts = [_count(specs, "spec"), _count(errors, "error"), _count(len(found) - errors, "warning")]
    first = next((item.code for item in found if item.is_error), found[0].code if found else "")
    more = f"; sdrl explain {first} tells more" if first else ""
    passed = f"{_passed(others)}\n" if others else ""
    return f"{passed}{', '.join(parts)}{more}\n"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
