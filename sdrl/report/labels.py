"""Label noise, where the truth is known: how many labels are wrong, and what the vote was worth as a filter.

The scripted instructor keeps the true answer of each problem it wrote in a side file. A label is wrong when the
verifier does not take it for the true answer. A problem is *bad* when no label could be trusted: its majority label is
wrong, there is no majority, or its text allows several answers.

precision: of the problems that the vote dropped, the share that was bad. recall: of the bad ones, the share dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.report.run_data import RunData
from sdrl.run.artifacts import Row
from sdrl.verifier import Verifier

VOTE_CODES = frozenset({"vote_tie", "vote_unparsable", "low_agreement"})


def label_noise(run: RunData) -> dict[str, Any] | None:
    """Shares of wrong labels by stage, the vote's and the label doubt's precision and recall; None without a truth."""
    truth = {row["input_sha256"]: row for row in run.truth()}
    if not truth:
        return None
    judge = Judge(run.verifier, truth)
    voted, adapted, selected = (judge.known(run.rows(stage)) for stage in ("vote", "adapt", "select"))
    dropped = judge.known(run.dropped("vote"))
    by_vote = [row for row in dropped if row["code"] in VOTE_CODES]
    passed = voted + [row for row in dropped if row["code"] not in VOTE_CODES]
    scored = {row["id"]: row for row in run.rows("score")}
    doubted = [row for row in voted + adapted if scored.get(row["id"], {}).get("label_doubt")]
    sure = [row for row in voted + adapted if row["id"] in scored and not scored[row["id"]].get("label_doubt")]
    return {
        "written": judge.noise(voted + dropped, "output"),
        "voted": judge.noise(voted, "gold"),
        "adapted": judge.noise(adapted, "gold"),
        "selected": judge.noise([row for row in selected if row["split"] == "train"], "gold"),
        "vote": _filter_quality(by_vote, passed, judge.is_bad),
        "doubt": _filter_quality(doubted, sure, judge.is_bad),
    }


class Judge:
    """Compares labels with the truth, by the run's own verifier."""

    def __init__(self, verifier: Verifier, truth: Mapping[str, Row]) -> None:
        self._verifier = verifier
        self._truth = truth

    def known(self, rows: Sequence[Row]) -> list[Row]:
        """The rows whose truth is known."""
        return [row for row in rows if "input" in row and _digest(row) in self._truth]

    def truth_of(self, row: Row) -> str | None:
        """The true answer of the row's problem, where it is known."""
        return str(self._truth[_digest(row)]["gold"]) if self.known([row]) else None

    def is_right(self, row: Row, field: str) -> bool:
        """Whether the row's label, or the completion its writer gave, says the true answer."""
        text, options = row.get(field), row.get("options")
        gold = str(self._truth[_digest(row)]["gold"])
        if text is None:
            return False
        if field == "output":
            return self._verifier.judge(text, gold, options).verdict == "correct"
        true = self._verifier.read_gold(gold, options)
        return true is not None and self._verifier.same(str(text), true)

    def is_bad(self, row: Row) -> bool:
        """Whether no label of the row's problem could be trusted."""
        return "ambiguous" in self._truth[_digest(row)].get("flags", ()) or not self.is_right(row, "gold")

    def noise(self, rows: Sequence[Row], field: str) -> dict[str, Any]:
        """``{n, wrong, ambiguous}`` counts and the wrong share (None without rows)."""
        wrong = sum(not self.is_right(row, field) for row in rows)
        ambiguous = sum("ambiguous" in self._truth[_digest(row)].get("flags", ()) for row in rows)
        return {"n": len(rows), "wrong": wrong, "ambiguous": ambiguous, "wrong_share": _share(wrong, len(rows))}


def _filter_quality(dropped: Sequence[Row], passed: Sequence[Row], is_bad: Any) -> dict[str, Any]:
    caught = sum(is_bad(row) for row in dropped)
    missed = sum(is_bad(row) for row in passed)
    return {
        "dropped": len(dropped),
        "passed": len(passed),
        "bad_dropped": caught,
        "bad_passed": missed,
        "precision": _share(caught, len(dropped)),
        "recall": _share(caught, caught + missed),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _digest(row: Row) -> str:
    return hashlib.sha256(str(row["input"]).encode("utf-8", "surrogatepass")).hexdigest()
