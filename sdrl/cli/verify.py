"""``sdrl verify``: JSON Lines in, verdicts out, one for each line, in order, in constant memory, on all cores.

In: ``{id?, completion, gold, options?: {A: text, …}}``; a missing id becomes the line's number, from 1; blank lines are
passed over. Out: ``{id, prediction, verdict, reason}``, as soon as it is judged. The count goes to stderr. ``--gate``
ends with exit 6 unless every verdict is ``correct`` (a file of worked examples is then a test; one without lines fails
it). A line that cannot be read ends the command with E850 and its place; what came before it is written, to ``-o`` as
to stdout. Small inputs are judged in this process; how larger ones are shared out is in ``verify_workers``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.cli.verify_rows import Judged, Lines, Problem
    from sdrl.verifier import Verifier

BATCH_BYTES = 128 << 10
BUSY = 0.8  # of the time that this process works itself: then it is what the others wait for
ALONE_S = 0.3  # judged in this process before others are started: about what starting them costs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC_OR_PLAN", type=Path, help="a spec, or a plan folder")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="JSON Lines to judge (default: stdin)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="where verdicts go (default: stdout)")
    parser.add_argument("--gate", action="store_true", help="exit 6 unless every verdict is correct")


def run(args: argparse.Namespace) -> int:
    """Judge every line."""
    from sdrl.cli.verify_rows import Lines
    from sdrl.spec.diagnostics import Exit, SdrlError
    from sdrl.verifier import ProgramError, Verifier

    program = _program(args.spec)
    try:
        verifier = Verifier.from_program(program)
    except ProgramError as error:
        raise SdrlError("E401", f"no verifier can be made of the answer in {args.spec}: {error}") from None
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        source: IO[bytes] = sys.stdin.buffer if args.file == "-" else stack.enter_context(_open(Path(args.file)))
        target = sys.stdout.buffer if args.output is None else stack.enter_context(_create(args.output, source))
        lines = Lines(source, BATCH_BYTES)
        judged = stack.enter_context(closing(_judged(program, verifier, lines)))
        try:
            for batch in judged:
                counts.update(batch.counts)
                target.write(batch.output)
                target.flush()
                if batch.problem:
                    raise _bad("<stdin>" if args.file == "-" else args.file, batch.problem)
        except BrokenPipeError:
            if not args.gate:
                raise
            _close_stdout()
            counts.clear()  # nobody saw all verdicts: the gate is not met
        finally:
            if counts or sys.exc_info()[0] is None:  # 'nothing judged' before an error is noise
                _tell(counts)
    passed = counts["correct"] == counts.total() > 0  # a gate that judged nothing is not met
    return int(Exit.GATE) if args.gate and not passed else 0


def _judged(program: Mapping[str, Any], verifier: Verifier, lines: Lines) -> Generator[Judged]:
    """The verdicts in order: here while the input is small, by one process a core when it is not."""
    from sdrl.cli.verify_rows import judge

    is_math = program["type"] == "math"
    if is_math:
        from sdrl.verifier.workers import cores, limit_pool

        limit_pool(cores())
    spent = busy = 0.0
    while not lines.at_end():
        # Mathematics is compared on all cores already, and each answer is kept for the next time: more processes pay
        # only where this one is what the others wait for.
        if spent > ALONE_S and (not is_math or busy > BUSY * spent):
            yield from _shared_out(program, verifier, lines)
            return
        began, worked = time.monotonic(), time.process_time()
        judged = judge(verifier, next(lines))
        spent += time.monotonic() - began
        busy += time.process_time() - worked
        yield judged


def _shared_out(program: Mapping[str, Any], verifier: Verifier, lines: Lines) -> Generator[Judged]:
    """The verdicts on the rest of the lines, by one process a core; by this one where there is one core."""
    from sdrl.cli.verify_rows import judge
    from sdrl.verifier.workers import cores

    if cores() == 1:
        yield from (judge(verifier, batch) for batch in lines)
        return
    from sdrl.cli.verify_workers import Workers

    with Workers(program, verifier, cores()) as workers:
        yield from workers.judged(lines)


def _program(path: Path) -> Mapping[str, Any]:
    """The frozen program of a plan, or that of a spec (which need not be complete enough to compile)."""
    if path.is_dir():
        from sdrl.compiler.plan_file import read_plan

        return read_plan(path).verifier
    from sdrl.compiler.verifier_program import verifier_program
    from sdrl.spec.loader import load_spec

    return verifier_program(load_spec(path).require().answer)


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _create(path: Path, source: IO[bytes]) -> IO[bytes]:
    """The output, written in place as a shell's ``>`` would: what was judged stays, however the command ends."""
    from sdrl.spec.diagnostics import Exit, SdrlError

    try:
        same = os.path.samestat(os.stat(path), os.fstat(source.fileno()))
    except OSError:  # it does not exist yet, or the source is no file
        same = False
    if same and path.is_file():
        raise SdrlError(
            "",
            f"-o {path} is the file that is read: writing would empty it first",
            help="name another file, and move it over this one afterwards",
            exit=Exit.USAGE,
        )
    return path.open("wb")


def _bad(name: str, problem: Problem) -> Exception:
    from sdrl.spec.diagnostics import SdrlError

    place = f"{name}:{problem.line}:{problem.column}" if problem.column else f"{name}:{problem.line}"
    return SdrlError(
        "E850",
        f"{place}: {problem.message}",
        help='one object a line: {"completion": "…", "gold": "…"}, and "id" and "options" where there are any',
    )


def _close_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(counts: Counter[str]) -> None:
    total = counts.total()
    said = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in ("correct", "incorrect", "unparsable", "error"))
    sys.stderr.write(f"{total:,} judged: {said}\n")
