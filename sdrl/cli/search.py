"""``sdrl search DIR QUERY``: the best passages for a query, as text for people or JSON Lines."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("index", metavar="DIR", type=Path, help="folder that 'sdrl index' made")
    parser.add_argument("query", nargs="+", metavar="QUERY", help='words; "a phrase" in quotes, +must, -not')
    parser.add_argument("-k", type=int, default=10, metavar="N", help="how many passages (default: 10)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, whole passages")


def run(args: argparse.Namespace) -> int:
    """Search; no hit is no failure."""
    from sdrl.corpus import open_index
    from sdrl.spec.diagnostics import Exit

    if args.k < 1:
        sys.stderr.write("sdrl search: -k must be at least 1\n")
        return int(Exit.USAGE)
    hits = open_index(args.index).search(" ".join(args.query), args.k, snippets=not args.json)
    width = min(100, shutil.get_terminal_size((80, 24)).columns)
    for hit in hits:
        passage = hit.passage
        if args.json:
            row = {"rank": hit.rank, "score": hit.score, "id": passage.id, "title": passage.title}
            row |= {"text": passage.text, "source": passage.source, "license": passage.license}
            print(json.dumps(row, ensure_ascii=False))
            continue
        head = textwrap.shorten(passage.title or passage.id, width - 13, placeholder=" …")
        print(f"{hit.rank:>3}. {head:<{width - 13}}{hit.score:8.2f}")
        for line in textwrap.wrap(hit.snippet, width - 5):
            print("     " + line)
    if not hits:
        sys.stderr.write("no passage holds any of these words\n")
    return int(Exit.OK)
