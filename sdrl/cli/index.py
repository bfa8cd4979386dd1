"""``sdrl index FILES… -o DIR``: a passage index in DIR. Says what it holds on stderr; its address is the output."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help=".jsonl, .parquet, .txt or .md, or a glob")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path, help="folder of the index")
    parser.add_argument("--text", default="text", metavar="FIELD", help="field that holds the text (default: text)")
    parser.add_argument("--words", type=int, default=350, metavar="N", help="longest passage in words (default: 350)")


def run(args: argparse.Namespace) -> int:
    """Build the index, or find that DIR already holds exactly it."""
    from sdrl.corpus import read_passages, write_index
    from sdrl.spec.diagnostics import Exit
    from sdrl.spec.model import Source

    if args.words < 1:
        sys.stderr.write("sdrl index: --words must be at least 1\n")
        return int(Exit.USAGE)
    start = time.perf_counter()
    source = Source(files=args.files, text=args.text)
    info = write_index(read_passages([source], Path.cwd(), passage_words=args.words), args.output)
    seconds = time.perf_counter() - start
    state = "unchanged" if info.reused else "built"
    sys.stderr.write(f"{state}: {info.passages:,} passages from {len(info.sources)} source(s) in {seconds:.1f} s\n")
    for name, count in sorted(info.licenses.items()):
        sys.stderr.write(f"  license {name or 'not stated'}: {count:,}\n")
    print(info.address)
    return int(Exit.OK)
