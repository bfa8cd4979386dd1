"""``sdrl compare SUITE``: run arms × budgets × training seeds on equal terms, or go on; then show the table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrl.cli.run import stoppable

if TYPE_CHECKING:
    from sdrl.compare.loading import LoadedSuite
    from sdrl.compare.running import Planned
    from sdrl.run.events import Listener


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "suite", metavar="SUITE", type=Path, nargs="?", help="a suite file, or the name of a shipped one"
    )
    parser.add_argument(
        "--list", action="store_true", help="the suites that ship, with what each arm needs; run nothing"
    )
    parser.add_argument("--spec", metavar="SPEC", type=Path, help="the spec, for a suite that names none")
    parser.add_argument(
        "--human", metavar="FILE", type=Path, help="training data that people wrote, in the form of the evaluation set"
    )
    parser.add_argument("--arms", metavar="A,B", default="", help="run only these arms; the table shows all")
    parser.add_argument("--dir", metavar="DIR", type=Path, help="where the cells run (default ./runs/NAME)")
    parser.add_argument("--store", metavar="DIR", type=Path, default=Path(".sdrl"), help="default ./.sdrl")
    parser.add_argument("--dry-run", action="store_true", help="list cells, requests, tokens and cost; run nothing")
    parser.add_argument("--report", action="store_true", help="the table of what is done; run nothing")
    parser.add_argument("--offline", action="store_true", help="answer from the request cache alone")
    parser.add_argument("--yes", action="store_true", help="do not ask before running")
    parser.add_argument("--json", action="store_true", help="print results.json at the end, not the table")


def run(args: argparse.Namespace) -> int:
    """Run what is not done, then print the table; the exit code is that of the run that stopped the suite, or 0."""
    if args.list:
        from sdrl.compare.listing import shipped_listing

        sys.stdout.write(shipped_listing(None if args.suite is None else str(args.suite)))
        return 0
    if args.suite is None:
        from sdrl.spec.diagnostics import Exit, SdrlError

        raise SdrlError("", "no suite is named", help="'sdrl compare --list' shows those that ship", exit=Exit.USAGE)
    with stoppable():
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    from sdrl.compare.cells import cells_of
    from sdrl.compare.loading import Given, load_suite
    from sdrl.compare.pinning import with_pins
    from sdrl.compare.running import plan_cells, run_cells
    from sdrl.compare.shipped import find_suite
    from sdrl.run.executor import RunOptions

    loaded = load_suite(find_suite(args.suite), Given(args.spec, args.human))
    names = {cell.name for cell in cells_of(loaded, [name for name in args.arms.split(",") if name])}
    root: Path = args.dir or Path("runs") / loaded.suite.name
    loaded = with_pins(loaded, root, look_up=not (args.dry_run or args.report))
    planned = plan_cells(loaded, cells_of(loaded))
    chosen = [each for each in planned if each.cell.name in names]
    if args.dry_run:
        sys.stdout.write(_listing(loaded, chosen, root))
        return 0
    ending = None
    if not args.report:
        if not args.yes:
            _ask(loaded, chosen, root)
        ending = run_cells(
            loaded,
            chosen,
            root,
            args.store,
            RunOptions(offline=args.offline),
            listeners=_listeners,
            tell=_tell,
            done=lambda: _keep(loaded, planned, root),
        )
    results = _write(loaded, planned, root)
    if ending is not None and ending.error is not None:
        from sdrl.cli.failure import print_error

        print_error(ending.error)
    _show(results, as_json=args.json)
    if ending is None:
        sys.stderr.write(f"figures, table and picture: {root}\n")
        return 0
    sys.stderr.write(f"{root} can go on with the same command\n")
    return int(ending.exit)


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _keep(loaded: LoadedSuite, planned: list[Planned], root: Path) -> None:
    _write(loaded, planned, root)


def _listeners() -> tuple[Listener, Callable[[], None]]:
    from sdrl.cli.progress import progress_listener

    return progress_listener()


def _write(loaded: LoadedSuite, planned: list[Planned], root: Path) -> Mapping[str, Any]:
    """Figures, table and picture of what is done by now, beside the cells."""
    from sdrl.compare.page import page_of, picture_of
    from sdrl.compare.results import FILE, read_results
    from sdrl.report.rendering import to_markdown
    from sdrl.report.svg import standalone
    from sdrl.run.folder import write_atomic, write_json

    results = read_results(loaded, planned, root)
    write_json(root / FILE, results)
    write_atomic(root / "table.md", to_markdown(page_of(results)).encode())
    if (picture := picture_of(results)) is not None:
        write_atomic(root / "differences.svg", standalone(picture).encode())
    return results


def _show(results: Mapping[str, Any], *, as_json: bool) -> None:
    from sdrl.compare.page import page_of
    from sdrl.report.rendering import to_text

    if as_json:
        sys.stdout.write(json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(to_text(page_of(results)))


def _listing(loaded: LoadedSuite, planned: list[Planned], root: Path) -> str:
    from sdrl.compare.listing import listing

    return listing(loaded, planned, root)


def _ask(loaded: LoadedSuite, planned: list[Planned], root: Path) -> None:
    from sdrl.spec.diagnostics import Exit, SdrlError

    sys.stderr.write(_listing(loaded, planned, root) + "\n")
    if not sys.stdin.isatty():
        message = "nothing was run: there is no terminal to confirm on"
        raise SdrlError("", message, help="add --yes, or look first with --dry-run", exit=Exit.USAGE)
    sys.stderr.write("Run these cells? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SdrlError("", "nothing was run", exit=Exit.OK)
