"""``sdrl verify``: JSON Lines in, verdicts out, one for each line, in order, in constant memory.

In: ``{id?, completion, gold, options?: {A: text, …}}``; a missing id becomes the line's number, from 1. Out: ``{id,
prediction, verdict, reason}``. Progress and the count go to stderr. ``--gate`` ends with exit 6 unless every verdict is
``correct`` (a file of worked examples is then a test; one without lines fails it). A line that cannot be read ends the
command with E850 and its number; what came before it is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.verifier import Verifier

BATCH = 256
MAX_LINE_BYTES = 64 * 1024 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC_OR_PLAN", type=Path, help="a spec, or a plan folder")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="JSON Lines to judge (default: stdin)")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="where verdicts go (default: stdout)")
    parser.add_argument("--gate", action="store_true", help="exit 6 unless every verdict is correct")


def run(args: argparse.Namespace) -> int:
    """Judge every line."""
    from sdrl.spec.diagnostics import Exit

    verifier = _verifier(args.spec)
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        source: IO[bytes] = sys.stdin.buffer if args.file == "-" else stack.enter_context(_open(Path(args.file)))
        target: IO[bytes] = sys.stdout.buffer if args.output is None else stack.enter_context(args.output.open("wb"))
        name = "<stdin>" if args.file == "-" else str(args.file)
        try:
            for batch in _batches(_items(source, name)):
                rows = _judge(verifier, batch)
                counts.update(row["verdict"] for row in rows)
                target.write(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))
        finally:
            target.flush()
            _tell(counts)
    passed = counts["correct"] == counts.total() > 0  # a gate that judged nothing is not met
    return int(Exit.GATE) if args.gate and not passed else 0


def _verifier(path: Path) -> Verifier:
    """The verifier of a plan's frozen program, or of a spec (which need not be complete enough to compile)."""
    from sdrl.verifier import ProgramError, Verifier

    if path.is_dir():
        from sdrl.compiler.plan_file import read_plan

        return Verifier.from_program(read_plan(path).verifier)
    from sdrl.compiler.verifier_program import verifier_program
    from sdrl.spec.diagnostics import SdrlError
    from sdrl.spec.loader import load_spec

    spec = load_spec(path).require()
    try:
        return Verifier.from_program(verifier_program(spec.answer))
    except ProgramError as error:
        raise SdrlError("E401", f"no verifier can be made of the answer in {path}: {error}") from None


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _items(source: IO[bytes], name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(iter(lambda: source.readline(MAX_LINE_BYTES), b""), start=1):
        if line.strip():
            yield _item(line, name, number)


def _item(line: bytes, name: str, number: int) -> dict[str, Any]:
    """One line as {id, completion, gold, options}."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(name, number, f"is no valid JSON: {error}") from None
    if not isinstance(row, dict):
        raise _bad(name, number, f"is {type(row).__name__}, not an object")
    for key in ("completion", "gold"):
        if not isinstance(row.get(key), str):
            kind = "is missing" if key not in row else f"is {type(row[key]).__name__}, not a text"
            raise _bad(name, number, f"'{key}' {kind}")
    options = row.get("options")
    if options is not None and not (
        isinstance(options, dict) and all(isinstance(text, str) for text in options.values())
    ):
        raise _bad(name, number, "'options' is no map of letters to texts")
    return {"id": row.get("id", number), "completion": row["completion"], "gold": row["gold"], "options": options}


def _bad(name: str, number: int, what: str) -> Exception:
    from sdrl.spec.diagnostics import SdrlError

    return SdrlError(
        "E850",
        f"{name}:{number}: the line {what}" if what.startswith("is ") else f"{name}:{number}: {what}",
        help='one object a line: {"completion": "…", "gold": "…"}, and "id" and "options" where there are any',
    )


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Batches in order; the items before a bad line are handed out before it is reported."""
    from sdrl.spec.diagnostics import SdrlError

    batch: list[dict[str, Any]] = []
    source = iter(items)
    while True:
        try:
            item = next(source)
        except StopIteration:
            break
        except SdrlError:
            if batch:
                yield batch
            raise
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _judge(verifier: Verifier, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    judged = verifier.judge_many([(item["completion"], item["gold"], item["options"]) for item in batch])
    return [
        {"id": item["id"], "prediction": found.prediction, "verdict": found.verdict, "reason": found.reason}
        for item, found in zip(batch, judged, strict=True)
    ]


def _tell(counts: Counter[str]) -> None:
    total = counts.total()
    said = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in ("correct", "incorrect", "unparsable", "error"))
    sys.stderr.write(f"{total:,} judged: {said}\n")
