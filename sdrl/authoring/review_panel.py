"""The panel of a review: the first samples that a run waits with, else a few of every kind that it kept and dropped.

Self-Instruct's three questions on each, one sample in view at a time; at the end what was found, with its interval, in
the panel and in ``RUN/review.jsonl``. Reads a run's artifacts; writes judgements only.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdrl.authoring.effects import Judge
from sdrl.authoring.events import Judged
from sdrl.authoring.sheet import COLUMNS, Sheet
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.run.review import ReviewFiles

Row = dict[str, Any]
KEYS = "y it is good · 1 2 3 what is wrong · n something else"


def review_sheet(run: Path, columns: int = COLUMNS) -> tuple[str, Sheet, str]:
    """Title, lines, and the id of the sample in view ('' when all are judged).

    Raises:
        SdrlError: the run holds no samples.
    """
    from sdrl.run.review_sample import agreement_of

    files, rows, waits = _rows(run)
    judged = files.judgements()
    told = sum(row["id"] in judged for row in rows)
    title = f"review {run}: {told} of {len(rows)} judged"
    sheet = Sheet(columns)
    found = agreement_of(rows, judged)
    row = next((row for row in rows if row["id"] not in judged), None)
    if told:
        sheet.flow(("valid among those kept  ", "strong"), found.kept.sentence(), indent=24)
        if not waits:
            sheet.flow(("you and the run agree   ", "strong"), found.agreed.sentence(), indent=24)
        sheet.add()
    if row is None:
        sheet.flow("All judged; these figures stand in review.jsonl, the intervals are Wilson's at 95 %.")
        sheet.flow("A kind that is rare in the run is as frequent here, so shares of the run may differ.")
        if waits:
            sheet.flow("The same 'sdrl run' command goes on (/start), if enough of them are valid.")
        return title, sheet, ""
    _one(sheet, row, rows.index(row) + 1, len(rows))
    return title, sheet, str(row["id"])


def judged(asked: Judge, run: Path) -> Judged:
    """Write a judgement, and with the last one what all of them say; gives the rejections so far.

    Raises:
        SdrlError: the run holds no samples.
        OSError: the run's folder cannot be written.
    """
    from sdrl.run.review_sample import agreement_of, keep_agreement

    files, rows, _ = _rows(run)
    files.judge(asked.sample, valid=asked.is_valid, wrong=asked.wrong, note=asked.note)
    known = files.judgements()
    if all(row["id"] in known for row in rows):
        keep_agreement(files, agreement_of(rows, known))
    rejected = [(row, known[row["id"]]) for row in rows if row["id"] in known and not known[row["id"]]["valid"]]
    found = tuple(
        (tuple(map(str, verdict.get("wrong") or ())), str(verdict.get("note") or ""), float(row["agreement"]))
        for row, verdict in rejected
        if row["dropped"] is None  # what the run dropped itself asks for no stricter spec
    )
    mine = next((row for row in rows if row["id"] == asked.sample), None)
    code = mine["dropped"] if mine is not None else None
    return Judged(str(run), found, f"the run dropped it: {code}" if code else "the run kept it")


def _rows(run: Path) -> tuple[ReviewFiles, list[Row], bool]:
    """The samples to judge, and whether the run waits for them."""
    from sdrl.run.artifacts import Artifacts
    from sdrl.run.folder import RunFolder
    from sdrl.run.review import ReviewFiles
    from sdrl.run.review_sample import stratified

    folder = RunFolder(run)
    files = ReviewFiles(folder)
    artifacts = Artifacts(folder, Path())
    first = files.samples()
    if first and not artifacts.seal("vote"):
        keys = ("pass_rate", "dropped", "dropped_by", "votes", "options", "passage", "gold", "solution")
        plain = dict.fromkeys(keys) | {"stage": "generate", "agreement": 0.0, "n_draws": 0}
        return files, [plain | row for row in first], True
    stages = [path.name.removesuffix(".seal.json") for path in sorted(folder.artifacts.glob("*.seal.json"))]
    rows = stratified(artifacts, stages)
    if not rows:
        help_ = "/start starts a run; /review RUN shows another one"
        raise SdrlError("", f"{run} holds no samples to judge: none is voted on yet", help=help_)
    return files, rows, False


def _one(sheet: Sheet, row: Row, number: int, count: int) -> None:
    from sdrl.run.review import QUESTIONS
    from sdrl.run.review_sample import difficulty

    rate = row["pass_rate"]
    solved = [f"{difficulty(rate)}: the base model is right in {100 * rate:.0f} %"] if rate is not None else []
    # whether the run kept it is told after the judgement, which shall not lean on it
    sheet.wrapped(f"sample {number} of {count} · " + " · ".join([row["stage"], *solved]))
    sheet.flow((KEYS, "dim"))
    for at, text in enumerate(QUESTIONS.values(), 1):
        sheet.flow((f"  {at} {text}", "dim"), indent=4)
    sheet.head("input")
    sheet.wrapped(str(row["input"]))
    for key, text in (row["options"] or {}).items():
        sheet.wrapped(f"{key}. {text}")
    votes = ", ".join(
        f"{label}: {n}" for label, n in sorted((row["votes"] or {}).items(), key=lambda each: -each[1])[:5]
    )
    sheet.head("no label: the vote agreed on none" if row["gold"] is None else f"label {row['gold']}")
    if row["n_draws"]:
        agreed = f"{100 * row['agreement']:.0f} % of {row['n_draws']} votes"
        sheet.wrapped(f"{agreed} ({votes})" if votes else agreed)
    sheet.head("solution")
    sheet.wrapped(str(row["solution"] or "(none)"))
    if row["passage"]:
        sheet.head("passage")
        sheet.wrapped(row["passage"], "dim", most=8)
