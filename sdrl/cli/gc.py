"""``sdrl gc``: free what no run needs any more of the store. Replies are paid for, and are never removed."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder", metavar="DIR", type=Path, nargs="?", default=Path("runs"), help="where the runs are (default: runs)"
    )
    parser.add_argument("--store", metavar="DIR", type=Path, default=Path(".sdrl"), help="default ./.sdrl")
    parser.add_argument("--yes", action="store_true", help="remove it; without, it is only said")


def run(args: argparse.Namespace) -> int:
    """Say what is spare; with ``--yes`` remove it."""
    from sdrl.run.freeing import KINDS, free, spare
    from sdrl.spec.diagnostics import Exit, SdrlError

    if not args.store.is_dir():
        raise SdrlError("", f"there is no store at {args.store}", help="name it: sdrl gc --store DIR", exit=Exit.USAGE)
    if not args.folder.is_dir():  # a slip of the pen would make everything spare
        help_ = "name the folder that the runs lie in: sdrl gc DIR"
        raise SdrlError("", f"there is no folder {args.folder}", help=help_, exit=Exit.USAGE)
    found = spare(args.store, args.folder)
    for kind, items in found.items():
        print(f"{KINDS[kind]:<16} {len(items):>5}  {sum(item.size for item in items) / 1e6:>9,.1f} MB")
    spares = [item for items in found.values() for item in items]
    if not spares:
        print(f"every one is named by a run below {args.folder}/: nothing to free")
    elif not args.yes:
        print(f"not named by a run below {args.folder}/; --yes removes them, and a run that needs one makes it anew")
    else:
        for item in spares:
            free(item)
        print(f"freed {sum(item.size for item in spares) / 1e6:,.1f} MB; replies are kept")
    return 0
