"""Whether each exported verifier gives our verdicts: ``python -m tests.export.agreement [N]`` (default 10,000).

A comparison of mathematics has a deadline, which a busy machine passes by chance: where verdicts differ, both are asked
again, three times at most, and what differs then is a difference. The completions are those of
``tests/verifier/cases``, each also with text around it, thought before it, or said twice, under the programs they were
written for. Every target is asked in a process of its own that refuses to import sdrl.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdrl.export import TARGETS, export_run
from sdrl.verifier import Verifier

HERE = Path(__file__).parent
CASES = HERE.parent / "verifier/cases"
FORMS = ("{}", "First I think.\n{}", "<think>{}</think>\n{}", "{}\n\nThat is all.", "{}\n{}")
Work = list[dict[str, Any]]


def cases() -> Iterator[tuple[str, str, str, dict[str, str] | None]]:
    """(program as JSON, completion, gold, options) of every hand-written row."""
    for file in sorted(CASES.glob("*.jsonl")):
        header: dict[str, Any] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if isinstance(row, dict):
                header = row
            else:
                completion = header["template"].replace("{}", row[0])
                yield json.dumps(header["program"]), completion, row[1], header.get("options")


def work_of(n: int, every: int = 1, without: str = "") -> Work:
    """``n`` completions by program: every ``every``-th case but those of type ``without``, form by form."""
    chosen = [case for case in cases() if json.loads(case[0])["type"] != without][::every]
    groups, count = dict[str, list[Any]](), 0
    for form in FORMS:
        for program, completion, gold, options in chosen:
            if count < n:
                groups.setdefault(program, []).append((form.replace("{}", completion), gold, options))
                count += 1
    return [{"program": json.loads(program), "items": items} for program, items in groups.items()]


def ours(work: Work) -> list[list[str]]:
    """Our verdicts."""
    return [[one.verdict for one in Verifier.from_program(each["program"]).judge_many(each["items"])] for each in work]


def theirs(target: str, folder: Path, work: Work) -> list[list[str]]:
    """The exported verifier's verdicts, from a process that has no sdrl. It overwrites the export's program."""
    words = [sys.executable, "-I", str(HERE / "without_sdrl.py"), str(HERE / "judged_apart.py"), target, str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words, input=json.dumps(work), capture_output=True, text=True, check=True, cwd=folder, env=environment
    )
    verdicts: list[list[str]] = json.loads(done.stdout)
    return verdicts


def differing(work: Work, a: list[list[str]], b: list[list[str]]) -> Work:
    """The part of ``work`` on which two lists of verdicts differ."""
    found = []
    for each, x, y in zip(work, a, b, strict=True):
        items = [item for item, one, other in zip(each["items"], x, y, strict=True) if one != other]
        if items:
            found.append({"program": each["program"], "items": items})
    return found


def root_of(target: str, out: Path) -> Path:
    """The folder that holds the verifier of an export, or its package."""
    return out / "dataset" if target == "hf" else out


def main() -> None:
    """Print a line a target; exit 1 at a difference."""
    from collections import Counter

    from tests.export.made_run import write_run

    work = work_of(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    wanted = ours(work)
    n, differ = sum(map(len, wanted)), 0
    kinds = Counter(verdict for group in wanted for verdict in group)
    sys.stdout.write(f"{n} completions, {len(work)} programs: {dict(sorted(kinds.items()))}\n")
    with tempfile.TemporaryDirectory() as scratch:
        run = write_run(Path(scratch) / "run")
        for target in TARGETS:
            out = Path(scratch) / target
            export_run(run, target, out)
            found = theirs(target, root_of(target, out), work)
            open_, rounds = differing(work, wanted, found), 0
            asked_again = sum(len(each["items"]) for each in open_)
            while open_ and rounds < 3:
                open_, rounds = differing(open_, ours(open_), theirs(target, root_of(target, out), open_)), rounds + 1
            wrong = sum(len(each["items"]) for each in open_)
            sys.stdout.write(f"{target:<10} {n - wrong} of {n} agree ({asked_again} asked again)\n")
            sys.stdout.flush()
            differ += wrong
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
