"""``sdrl review``: judge a few samples by hand, in a plain terminal or from a file.

In a terminal one sample after another is shown; each judgement is on disk before the next one is asked for. ``--from
FILE`` takes JSON Lines {id, valid, wrong?, note?}, all or none of them; ``--json`` prints the samples with their
judgements, in that form. Exit 0 when the review is met, 6 when it is not (yet).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.run.review import ReviewFiles, Standing
    from sdrl.spec.model import Review

Row = dict[str, Any]
Ask = Callable[[str], str]
MOST_LINES = 24
WHOLE = "all"  # the one part of a task that has none


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")
    parser.add_argument("--from", dest="file", metavar="FILE", type=Path, help='JSON Lines {"id": …, "valid": true}')
    parser.add_argument("--again", action="store_true", help="judge also what was judged before")
    parser.add_argument("--json", action="store_true", help="print the samples and their judgements as JSON Lines")


def run(args: argparse.Namespace) -> int:
    """Judge, or show; the exit code says whether the review is met."""
    from sdrl.run.review import ReviewFiles

    files = ReviewFiles(_folder(args.run_folder))
    review = _asked_for(files)
    if args.json:
        _print(files)
    elif args.file is not None:
        _from_file(files, args.file)
    else:
        judge_in_terminal(files, again=args.again)
    return _tell(files.standing(review), args.run_folder)


def _folder(root: Path) -> Any:
    from sdrl.cli.run_folder import run_folder
    from sdrl.spec.diagnostics import Exit, SdrlError

    folder = run_folder(root)
    if not (folder.plan / "plan.json").exists():
        raise SdrlError("", f"{root} is no run folder (it has no plan)", exit=Exit.USAGE)
    return folder


def _asked_for(files: ReviewFiles) -> Review:
    """The plan's review; raises when there is nothing to judge."""
    from sdrl.compiler.plan_file import read_plan
    from sdrl.spec.diagnostics import Exit, SdrlError

    review = read_plan(files.folder.plan).settings.review
    if files.samples():
        return review
    why = "the run has not come so far" if review.samples else "its spec asks for no review"
    raise SdrlError(
        "",
        f"{files.folder.root} holds no samples to judge: {why}",
        help="start the run first" if review.samples else "add review: {samples: 20, min_valid: 0.8} to the spec",
        exit=Exit.USAGE,
    )


def judge_in_terminal(files: ReviewFiles, *, again: bool = False, ask: Ask = input) -> None:
    """Show each sample and ask; ends when all are judged, at ``q``, or where the input ends."""
    samples = files.samples()
    known = {} if again else files.judgements()
    at = next((place for place, row in enumerate(samples) if row["id"] not in known), len(samples))
    while at < len(samples):
        row = samples[at]
        sys.stdout.write(_shown(row, at, len(samples)))
        sys.stdout.flush()
        try:
            word = ask("Is it a good example?  [y]es  [n]o  [s]kip  [b]ack  [q]uit: ").strip().lower()[:1]
            if word == "q":
                break
            if word == "n":
                wrong, note = _reasons(ask)
                files.judge(row["id"], valid=False, wrong=wrong, note=note)
            elif word == "y":
                files.judge(row["id"], valid=True)
            elif word not in ("s", "b"):
                sys.stdout.write("  answer with one of y, n, s, b, q\n")
                continue
        except EOFError:
            break
        at = max(0, at - 1) if word == "b" else at + 1
    sys.stdout.write("\n")


def _reasons(ask: Ask) -> tuple[list[str], str]:
    from sdrl.run.review import QUESTIONS

    for number, text in enumerate(QUESTIONS.values(), start=1):
        sys.stdout.write(f"    {number}  {text}\n")
    numbers = ask("  What is wrong? (such as 1 or 23; Enter: something else): ")
    note = ask("  A note (Enter: none): ").strip()
    return [key for number, key in enumerate(QUESTIONS, start=1) if str(number) in numbers], note


def _shown(row: Row, at: int, count: int) -> str:
    """One sample for a person, wrapped to the terminal; control characters of a model never reach it."""
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    votes = f"{100 * row['agreement']:.0f} % of {row['n_draws']} votes agree"
    part = "" if row["part"] == WHOLE else f" · {row['part']}"
    head = f"\n─── sample {at + 1} of {count}{part} · {votes} ".ljust(width, "─")
    blocks = [head, _block("input", row["input"], width)]
    if row.get("options"):
        blocks.append(_block("options", "\n".join(f"{key}. {text}" for key, text in row["options"].items()), width))
    blocks.append(_block("label", str(row["gold"]), width))
    blocks.append(_block("solution", row["solution"] or "", width))
    if row.get("passage"):
        blocks.append(_block("passage", row["passage"], width, most=8))
    return "\n".join(blocks) + "\n\n"


def _block(name: str, text: str, width: int, most: int = MOST_LINES) -> str:
    lines: list[str] = []
    for line in text.splitlines() or [""]:
        clean = "".join(character if character.isprintable() else " " for character in line)
        lines += textwrap.wrap(clean, max(20, width - 12)) or [""]
    if len(lines) > most:
        lines = [*lines[:most], f"… {len(lines) - most} more lines"]
    return "\n".join(f"  {name if number == 0 else '':<8}  {line}".rstrip() for number, line in enumerate(lines))


def _print(files: ReviewFiles) -> None:
    judged = files.judgements()
    for row in files.samples():
        verdict = judged.get(row["id"], {"valid": None, "wrong": [], "note": ""})
        print(json.dumps({**row, **{key: verdict.get(key) for key in ("valid", "wrong", "note")}}, ensure_ascii=False))


def _from_file(files: ReviewFiles, path: Path) -> None:
    ids = {row["id"] for row in files.samples()}
    rows = [
        _judgement(line, f"{path}:{number}", ids) for number, line in enumerate(_text(path).splitlines(), 1) if line
    ]
    for row in rows:
        if row["valid"] is not None:
            files.judge(row["id"], valid=row["valid"], wrong=row.get("wrong") or (), note=str(row.get("note") or ""))


def _text(path: Path) -> str:
    from sdrl.spec.diagnostics import Exit, SdrlError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SdrlError("E876", f"{path} cannot be read: {error}", exit=Exit.PROBLEMS) from None


def _judgement(line: str, place: str, ids: set[str]) -> Mapping[str, Any]:
    from sdrl.run.review import QUESTIONS
    from sdrl.spec.diagnostics import SdrlError

    def bad(what: str) -> SdrlError:
        return SdrlError("E876", f"{place}: {what}", help='one object a line: {"id": "…", "valid": true}')

    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise bad(f"no JSON: {error}") from None
    if not isinstance(row, dict):
        raise bad("no object")
    if row.get("id") not in ids:
        raise bad(f"the run has no sample {row.get('id')!r}")
    if not (row.get("valid") is None or isinstance(row["valid"], bool)):
        raise bad("'valid' is true, false, or null for a sample that was not judged")
    wrong = row.get("wrong") or []
    if not (isinstance(wrong, list) and all(key in QUESTIONS for key in wrong)):
        raise bad(f"'wrong' is a list of {', '.join(QUESTIONS)}")
    return row


def _tell(standing: Standing, root: Path) -> int:
    from sdrl.spec.diagnostics import Exit

    if standing.is_met:
        end = f"met; run the same 'sdrl run' command again to go on with {root}"
    elif standing.is_complete:
        end = "not met; mend the spec and run it in another folder"
    else:
        end = f"go on with: sdrl review {root}"
    sys.stderr.write(f"{standing.sentence()}: {end}\n")
    return int(Exit.OK if standing.is_met else Exit.GATE)
