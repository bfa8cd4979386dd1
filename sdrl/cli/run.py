"""``sdrl run``: execute a plan, or go on with it. Given a spec it compiles first, shows hash and estimate, and asks."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.plan import Plan
    from sdrl.run.ending import Ending
    from sdrl.run.executor import RunOptions
    from sdrl.run.folder import RunFolder

STAGES = "keywords retrieve pattern generate vote probe adapt score select train evaluate".split()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="a plan folder, or a spec")
    parser.add_argument("--run", metavar="DIR", type=Path, help="the run folder (default ./runs/NAME)")
    parser.add_argument("--store", metavar="DIR", type=Path, default=Path(".sdrl"), help="default ./.sdrl")
    stages = f"{', '.join(STAGES)}; score-2 and so on where there are rounds"
    parser.add_argument("--until", metavar="STAGE", help=f"stop after this stage: {stages}")
    parser.add_argument(
        "--budget", metavar="KEY=VALUE", action="append", default=[], help="usd=80, requests=…, tokens=…, wall_hours=24"
    )
    parser.add_argument("--offline", action="store_true", help="answer from the request cache alone")
    parser.add_argument(
        "--post-hoc",
        action="store_true",
        help="keep every checkpoint; when all is chosen, ask them the test problems, and the base model behind demos",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before running a spec")
    parser.add_argument("--json", action="store_true", help="print result.json at the end")


def run(args: argparse.Namespace) -> int:
    """Run and report the end in one line; the exit code is the run's."""
    with stoppable():
        return _run(args)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """A signal before the executor listens (while libraries load) ends as one that comes later: one line, exit 5.

    At once and not by an exception: raised inside the import of a compiled library, that one is the library's crash.
    """
    import os
    import signal

    from sdrl.spec.diagnostics import Exit

    def end(*_: object) -> None:
        os.write(2, b"sdrl: stopped before it began; the same command goes on\n")
        os._exit(Exit.STOPPED)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(args: argparse.Namespace) -> int:
    from sdrl.run.executor import RunOptions
    from sdrl.run.folder import RunFolder

    options = RunOptions(until=args.until, budget=_budget(args.budget), offline=args.offline, post_hoc=args.post_hoc)
    plan, compiled_folder = _plan(args)
    folder = RunFolder(args.run or Path("runs") / plan.name)
    try:
        ending = _shown(plan, folder, args.store, options)
        while _wants_review(ending) and _review_here(folder):
            ending = _shown(plan, folder, args.store, options)
    finally:
        _discard(compiled_folder)
    if ending.status in ("done", "gate"):
        _write_page(folder)
    return _tell(ending, folder.root, as_json=args.json)


def _refuse_unknown(until: str | None, plan: Plan) -> None:
    from sdrl.spec.diagnostics import Exit, SdrlError
    from sdrl.spec.nearest import closest

    names = [stage.name for stage in plan.stages]
    if until is not None and until not in names:
        near = closest(until, names)
        help_ = f"did you mean '{near}'?" if near else f"stages: {', '.join(names)}"
        raise SdrlError("", f"the plan has no stage '{until}'", help=help_, exit=Exit.USAGE)


def _write_page(folder: RunFolder) -> None:
    """``RUN/report.html``; that it cannot be written takes nothing from the run."""
    from sdrl.cli.report import write_page
    from sdrl.spec.diagnostics import SdrlError

    try:
        write_page(folder)
    except (SdrlError, OSError) as error:
        sys.stderr.write(f"{folder.report} was not written: {error}\n")


def _shown(plan: Plan, folder: RunFolder, store: Path, options: RunOptions) -> Ending:
    """Execute while the terminal shows how far it is; the display is down again when this returns."""
    from sdrl.cli.progress import progress_listener
    from sdrl.run.executor import execute

    listener, stop = progress_listener()
    try:
        return execute(plan, folder, store, options, (listener,))
    finally:
        stop()


def _wants_review(ending: Ending) -> bool:
    """Whether samples wait for a person, and one sits at this terminal."""
    waits = ending.error is not None and ending.error.code == "E874"
    return waits and sys.stdin.isatty() and sys.stdout.isatty()


def _review_here(folder: RunFolder) -> bool:
    """Let the person judge now; whether all samples were judged."""
    from sdrl.cli.review import judge_in_terminal
    from sdrl.compiler.plan_file import read_plan
    from sdrl.run.review import ReviewFiles

    files = ReviewFiles(folder)
    judge_in_terminal(files)
    standing = files.standing(read_plan(folder.plan).settings.review)
    sys.stderr.write(f"{standing.sentence()}\n")
    return standing.is_complete


def _budget(words: list[str]) -> dict[str, str]:
    from sdrl.spec.diagnostics import Exit, SdrlError

    budget = {}
    for word in words:
        key, _, value = word.partition("=")
        form = r"[0-9]+(\.[0-9]*)?|\.[0-9]+" if key in ("usd", "wall_hours") else r"[0-9]+"
        if key not in ("usd", "requests", "tokens", "wall_hours") or not re.fullmatch(form, value):
            raise SdrlError(
                "",
                "--budget takes usd= and dollars, wall_hours= and hours, or requests= or tokens= and a whole number, "
                f"not '{word}'",
                exit=Exit.USAGE,
                help="for example: --budget usd=80",
            )
        budget[key] = value
    return budget


def _plan(args: argparse.Namespace) -> tuple[Plan, Path | None]:
    from sdrl.compiler.plan_file import read_plan
    from sdrl.spec.diagnostics import Exit, SdrlError

    if args.plan.is_dir():
        plan = read_plan(args.plan)
        _refuse_unknown(args.until, plan)
        return plan, None
    if not args.plan.exists():
        raise SdrlError("", f"there is no plan or spec at {args.plan}", exit=Exit.USAGE, help=_absent(args.plan))
    folder = _compile_aside(args.plan)
    try:
        plan = read_plan(folder)
        _refuse_unknown(args.until, plan)
        if plan.settings.models is not None:  # without them nothing runs, and the executor says so
            _ask(plan, confirmed=args.yes)
    except BaseException:
        _discard(folder)
        raise
    return plan, folder


def _absent(plan: Path) -> str:
    """How the plan that is not there is made."""
    spec = next((path for suffix in (".yaml", ".yml") if (path := plan.with_suffix(suffix)).is_file()), None)
    return f"make it first: sdrl compile {spec}" if spec else "check the path; 'sdrl compile SPEC' makes a plan"


def _compile_aside(spec: Path) -> Path:
    """Compile into a temporary folder, which the executor copies into the run."""
    import tempfile

    from sdrl.cli.terminal import diagnostics_text
    from sdrl.compiler.compile import compile_spec, write_plan
    from sdrl.spec.diagnostics import SdrlError, Severity

    compiled = compile_spec(spec)
    if compiled.diagnostics:
        sys.stderr.write(diagnostics_text(compiled.diagnostics, sys.stderr).rstrip("\n") + "\n")
    if compiled.plan is None:
        count = sum(diagnostic.severity == Severity.ERROR for diagnostic in compiled.diagnostics)
        raise SdrlError("", f"{spec} does not compile ({count} problem{'s' if count != 1 else ''} above)")
    folder = Path(tempfile.mkdtemp(prefix="sdrl-plan-"))
    write_plan(compiled, folder)
    return folder


def _ask(plan: Plan, *, confirmed: bool) -> None:
    """Say what will be run and what it is expected to take; ask, unless the command said yes already."""
    from sdrl.compiler.plan_text import brief
    from sdrl.spec.diagnostics import Exit, SdrlError

    sys.stderr.write(brief(plan) + "\n\nsdrl plan shows all of it.\n")
    if confirmed:
        return
    if not sys.stdin.isatty():
        raise SdrlError(
            "",
            "nothing was run: there is no terminal to confirm on",
            help="add --yes, or compile first and run the plan folder",
            exit=Exit.USAGE,
        )
    sys.stderr.write("Run this plan? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise SdrlError("", "nothing was run", exit=Exit.OK)


def _discard(folder: Path | None) -> None:
    import shutil

    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(ending: Ending, root: Path, *, as_json: bool) -> int:
    from sdrl.cli.failure import print_error

    if ending.error is not None:
        print_error(ending.error)
    if as_json:
        print((root / "result.json").read_text(encoding="utf-8"), end="")
    if ending.exit == 0:
        sys.stderr.write(f"{ending.message}: {root}  (sdrl report {root})\n")
    elif ending.status == "stopped":
        sys.stderr.write(f"{root} can go on with the same command\n")
    return int(ending.exit)
