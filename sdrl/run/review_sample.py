"""A small sample of a run for a person to look at: a few rows of each kind that there is, kept and dropped ones alike.

A kind is the stage that wrote a row, how often the base model solves it, and why it was dropped if it was. Every kind
comes before any comes twice, so that a rare mistake is seen; so shares of the sample are not shares of the run. Equal
artifacts give an equal sample. Reads sealed rows; judgements stand in ``review``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sdrl.compiler.rounds import kind_of
from sdrl.corpus.passage import named_in
from sdrl.run.artifacts import Artifacts, Row
from sdrl.run.review import ReviewFiles
from sdrl.stages.statistics import wilson

COUNT = 20
# codes that say something of a sample's worth; others (a duplicate, an easy one) speak of its place among the rest
QUALITY = frozenset({"low_agreement", "vote_tie", "vote_unparsable", "no_answer", "poor_grade", "language"})


class Share(NamedTuple):
    """``hits`` of ``n``, with Wilson's interval at 95 %."""

    hits: int
    n: int

    def sentence(self) -> str:
        """``17 of 20: 85 % (64 to 95 %)``."""
        if not self.n:
            return "none judged yet"
        low, high = wilson(self.hits, self.n)
        return f"{self.hits} of {self.n}: {100 * self.hits / self.n:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


class Agreement(NamedTuple):
    """What a person found: valid ones among those kept, and where keeping and the person agree."""

    kept: Share
    agreed: Share

    def as_row(self) -> dict[str, Any]:
        """The line of ``review.jsonl``."""
        row: dict[str, Any] = {}
        for name, share in (("kept_valid", self.kept), ("agreement", self.agreed)):
            row[name] = {"hits": share.hits, "n": share.n, "interval": [round(end, 6) for end in wilson(*share)]}
        return row | {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def stratified(artifacts: Artifacts, stages: Sequence[str], count: int = COUNT) -> list[Row]:
    """``count`` rows {id, stage, part, input, options, gold, solution, votes, agreement, n_draws, passage, pass_rate,
    dropped, dropped_by}; ``dropped`` is the code and ``dropped_by`` its stage, None for a row that went on.
    """
    rates, dropped_later = _scored(artifacts, stages)
    passages = {row["passage"]["id"]: row["passage"]["text"] for row in artifacts.rows("retrieve")}
    kinds: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for stage in stages:
        if kind_of(stage) not in ("vote", "adapt"):
            continue
        for row, code in [
            *((r, None) for r in artifacts.rows(stage)),
            *((r, r["code"]) for r in artifacts.dropped(stage)),
        ]:
            if not row.get("id") or not row.get("input"):
                continue
            made = _shown(row, stage, rates.get(row["id"]), code or dropped_later.get(row["id"]), passages)
            kinds[(made["stage"], difficulty(made["pass_rate"]), made["dropped"] or "")].append(made)
    for rows in kinds.values():
        rows.sort(key=lambda row: hashlib.sha256(row["id"].encode()).digest())
    stages_of = sorted({stage for stage, _, _ in kinds})
    by_stage = [_in_turns([kinds[kind] for kind in sorted(kinds) if kind[0] == stage]) for stage in stages_of]
    return _in_turns(by_stage)[:count]


def difficulty(rate: float | None) -> str:
    """How often the base model solves a sample, in words; '' where it was not scored."""
    if rate is None:
        return ""
    return "never solved" if rate == 0 else "always solved" if rate == 1 else "hard" if rate <= 0.5 else "easy"


def agreement_of(rows: Iterable[Row], judged: dict[str, Row]) -> Agreement:
    """What the judgements say. Rows dropped for other reasons than their worth count for neither."""
    kept = [(row, bool(judged[row["id"]]["valid"])) for row in rows if row["id"] in judged and _counts(row)]
    stayed = [valid for row, valid in kept if row["dropped"] not in QUALITY]
    agreed = sum(valid == (row["dropped"] not in QUALITY) for row, valid in kept)
    return Agreement(Share(sum(stayed), len(stayed)), Share(agreed, len(kept)))


def keep_agreement(files: ReviewFiles, found: Agreement) -> None:
    """Append it to ``review.jsonl``; readers of judgements pass a line without ``id`` over."""
    with files.judgements_path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found.as_row()) + "\n")


def _counts(row: Row) -> bool:
    """Whether the row's place says something of its worth: kept by vote and filters, or dropped for its quality."""
    return row["dropped"] is None or row["dropped"] in QUALITY or row["dropped_by"] == "select"


def _scored(artifacts: Artifacts, stages: Sequence[str]) -> tuple[dict[str, float], dict[str, str]]:
    """The first pass rate of each sample, and why selection left it out."""
    rates: dict[str, float] = {}
    left: dict[str, str] = {}
    for stage in stages:
        if kind_of(stage) == "score":
            for row in artifacts.rows(stage):
                rates.setdefault(row["id"], row["pass_rate"])
        elif kind_of(stage) == "select":
            left |= {row["id"]: row["code"] for row in artifacts.dropped(stage)}
    return rates, left


def _shown(row: Row, stage: str, rate: float | None, code: str | None, passages: dict[str, str]) -> Row:
    origin = row.get("origin", "initial")
    texts = [passages[each] for each in named_in(row.get("passage"), passages)]
    kept = {key: row.get(key) for key in ("id", "part", "input", "options", "gold", "solution", "votes")}
    return {
        **kept,
        "stage": stage if origin == "initial" else f"{stage} ({origin})",
        "agreement": row.get("agreement") or 0.0,
        "n_draws": row.get("n_draws") or 0,
        "passage": "\n\n".join(texts) or None,
        "pass_rate": rate,
        "dropped": code,
        "dropped_by": stage if row.get("code") else "select" if code else None,
    }


def _in_turns(kinds: list[list[Row]]) -> list[Row]:
    """One row of each kind, then a second of each, and so on."""
    found: list[Row] = []
    for turn in range(max(map(len, kinds), default=0)):
        found += [rows[turn] for rows in kinds if turn < len(rows)]
    return found
