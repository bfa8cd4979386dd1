"""Review before spending: a person judges the first samples, and only then the run goes on.

``RUN/artifacts/review.jsonl`` holds the samples, ``RUN/review.jsonl`` the judgements {id, valid, wrong, note, at}, one
a line, appended; the last one of an id counts. Asks a person nothing: ``sdrl review`` and later viewers do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.run.folder import RunFolder, write_atomic
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.model import Review
from sdrl.stages.context import Row, StageContext
from sdrl.stages.first_samples import first_samples
from sdrl.stages.statistics import wilson

# Self-Instruct's three questions on a generated example (arXiv 2212.10560, section 4.4), as what may be wrong
QUESTIONS: Mapping[str, str] = {
    "task": "it is no problem of this task",
    "input": "the input is unclear or cannot be answered",
    "output": "the label is wrong",
}


@dataclass(frozen=True)
class Standing:
    """Where a review is: samples there, how many were judged and how many of these are valid."""

    samples: int
    judged: int
    valid: int
    min_valid: float

    @property
    def is_complete(self) -> bool:
        """Whether every sample was judged."""
        return self.judged >= self.samples

    @property
    def is_met(self) -> bool:
        """Whether every sample was judged and the share of valid ones is large enough."""
        return self.is_complete and self.valid >= self.min_valid * self.samples - 1e-9

    def sentence(self) -> str:
        """``17 of 20 valid: 85 % (64 to 95 %), the spec asks for 80 %``; the interval is Wilson's at 95 %."""
        if not self.judged:
            return f"none of {self.samples} samples judged yet"
        low, high = wilson(self.valid, self.judged)
        left = "" if self.is_complete else f", {self.samples - self.judged} not judged yet"
        share = f"{100 * self.valid / self.judged:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"
        return f"{self.valid} of {self.judged} valid: {share}, the spec asks for {100 * self.min_valid:.0f} %{left}"


@dataclass(frozen=True)
class ReviewFiles:
    """The samples and judgements of one run."""

    folder: RunFolder

    @property
    def samples_path(self) -> Path:
        """What is to be judged."""
        return self.folder.artifacts / "review.jsonl"

    @property
    def judgements_path(self) -> Path:
        """What was judged."""
        return self.folder.root / "review.jsonl"

    def samples(self) -> list[Row]:
        """The samples, in the order of their attempts; none before the run came so far."""
        return _lines(self.samples_path)

    def keep_samples(self, rows: Sequence[Row]) -> None:
        """Write the samples, whole or not at all."""
        text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
        write_atomic(self.samples_path, text.encode())

    def judgements(self) -> dict[str, Row]:
        """The last judgement of each id."""
        return {row["id"]: row for row in _lines(self.judgements_path) if "id" in row and "valid" in row}

    def judge(self, sample: str, *, valid: bool, wrong: Sequence[str] = (), note: str = "") -> None:
        """Append one judgement, on disk before this returns."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        row = {"id": sample, "valid": valid, "wrong": list(wrong), "note": note, "at": at}
        data = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        with self.judgements_path.open("ab") as file:
            if file.tell() and not _ends_a_line(self.judgements_path):
                data = b"\n" + data  # a kill cut the line before this one
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def standing(self, review: Review) -> Standing:
        """Where the review is."""
        samples, judged = self.samples(), self.judgements()
        mine = [judged[row["id"]] for row in samples if row["id"] in judged]
        return Standing(len(samples), len(mine), sum(bool(row["valid"]) for row in mine), review.min_valid)


async def before_spending(ctx: StageContext, folder: RunFolder, emit: Callable[[str, Mapping[str, Any]], None]) -> None:
    """Let a run pass whose first samples were judged and found good enough; write them down for judging otherwise.

    Raises:
        SdrlError: E874, samples wait for a person; E875, too few of them are valid (both exit 6).
    """
    review, files = ctx.plan.settings.review, ReviewFiles(folder)
    if not files.samples_path.exists():
        rows = await first_samples(ctx, review.samples)
        if not rows:
            return  # the stages say better why nothing is written
        files.keep_samples(rows)
    standing = files.standing(review)
    if standing.is_met:
        return
    emit("review", {"samples": standing.samples, "judged": standing.judged, "valid": standing.valid})
    if not standing.is_complete:
        raise SdrlError(
            "E874",
            f"{standing.samples - standing.judged} of {standing.samples} samples wait for a person: "
            "the spec asks for a review before the rest is written",
            help=f"sdrl review {folder.root}; then the same command goes on",
            exit=Exit.GATE,
        )
    raise SdrlError(
        "E875",
        f"the review is not met: {standing.sentence()}; {_most_wrong(files)}",
        help="mend the spec (task, demos, extra_rules) and run it in another folder; "
        f"sdrl review {folder.root} --again judges once more",
        exit=Exit.GATE,
    )


def _most_wrong(files: ReviewFiles) -> str:
    ids = {row["id"] for row in files.samples()}
    judged = [row for name, row in files.judgements().items() if name in ids and not row["valid"]]
    counts = {text: sum(key in row.get("wrong", ()) for row in judged) for key, text in QUESTIONS.items()}
    said = [f"{count} times {text}" for text, count in counts.items() if count]
    return ", ".join(said) or "no reasons were given"


def _lines(path: Path) -> list[Row]:
    """The objects of a JSON Lines file; what a kill cut off is passed over."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
