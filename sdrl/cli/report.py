"""``sdrl report RUN…``: verdict, figures and tables of runs, as text, Markdown or JSON. Asks no model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

FORMATS = {".md": "markdown", ".markdown": "markdown", ".txt": "text", ".json": "json"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("runs", nargs="+", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write to FILE (.md, .txt or .json)")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")
    parser.add_argument("--ascii", action="store_true", help="no characters beyond ASCII")


def run(args: argparse.Namespace) -> int:
    """Report on each run in turn."""
    from sdrl.report import read_figures
    from sdrl.spec.diagnostics import Exit

    form = "json" if args.json else "text"
    if args.output is not None:
        form = FORMATS.get(args.output.suffix.lower(), "")
        if not form or (args.json and form != "json"):
            sys.stderr.write(f"sdrl report: cannot write {args.output}; use .md, .txt or .json\n")
            return int(Exit.USAGE)
    figures = [read_figures(root) for root in args.runs]
    if args.output is None:
        sys.stdout.write(_rendered(figures, form, args.ascii or not _prints_blocks()))
    else:
        from sdrl.run.folder import write_atomic

        write_atomic(args.output, _rendered(figures, form, args.ascii).encode())
        sys.stderr.write(f"wrote {args.output}\n")
    return int(Exit.OK)


def _rendered(figures: list[dict[str, object]], form: str, ascii_only: bool) -> str:
    from sdrl.report import build_page, to_markdown, to_text

    if form == "json":
        return json.dumps(figures[0] if len(figures) == 1 else figures, indent=2, ensure_ascii=False) + "\n"
    pages = [build_page(each, ascii_only=ascii_only) for each in figures]
    if form == "markdown":
        return "\n".join(to_markdown(page) for page in pages)
    return "\n\n".join(to_text(page, ascii_only=ascii_only) for page in pages)


def _prints_blocks() -> bool:
    try:
        "█▁│".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
