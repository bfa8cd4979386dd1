"""Samples and answers of a run with their whole provenance, for the gallery of the HTML report.

Every sample that reached a vote or was dropped anywhere counts; of each outcome an even spread of at most ``PER_GROUP``
is shown. Texts are those of users, passages and models: data, for the page to escape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdrl.corpus.passage import named_in
from sdrl.report.labels import Judge
from sdrl.report.run_data import RunData
from sdrl.report.suspects import SUSPECT_WORDS, suspect_tests
from sdrl.run.artifacts import Row

PER_GROUP = 60


@dataclass(frozen=True)
class Sample:
    """One card: where it ended (``stage``), how (``outcome``: a verdict or a drop's code), its texts and provenance."""

    stage: str
    outcome: str
    key: str
    text: str
    texts: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = field(default_factory=tuple)
    orders: tuple[tuple[str, float], ...] = ()  # what it can be ordered by: ``rate``, ``agreement``


@dataclass(frozen=True)
class Gallery:
    """What is shown, and of how many."""

    samples: tuple[Sample, ...]
    total: int


def gallery(run: RunData) -> Gallery:
    """Samples by where they ended, then answers to evaluation problems of both models side by side."""
    groups: dict[tuple[str, str, bool], list[Sample]] = {}
    for sample in (*_samples(run), *_answers(run)):
        is_suspect = any(mark in SUSPECT_WORDS.values() for mark in sample.marks)
        groups.setdefault((sample.stage, sample.outcome, is_suspect), []).append(sample)
    shown = [sample for found in sorted(groups.values(), key=_rank) for sample in _spread(found)]
    return Gallery(tuple(shown), sum(map(len, groups.values())))


def _rank(found: Sequence[Sample]) -> int:
    """What was trained on comes first, then what came of it, then what was lost on the way."""
    first = found[0]
    return 0 if first.outcome == "train" else 1 if first.stage.startswith("evaluate ") else 2


def _spread(found: Sequence[Sample]) -> list[Sample]:
    n = min(PER_GROUP, len(found))
    return [found[index * len(found) // n] for index in range(n)]


def _samples(run: RunData) -> Iterator[Sample]:
    passages = {row["passage"]["id"]: row["passage"] for row in run.rows("retrieve") if row.get("passage")}
    judge = Judge(run.verifier, {row["input_sha256"]: row for row in run.truth()})
    makers = ["vote", *run.in_rounds("adapt")]
    made = {row["id"]: row for stage in makers for row in run.rows(stage)}
    scores = {row["id"]: row for stage in run.in_rounds("score") for row in run.rows(stage)}
    ended: dict[str, tuple[str, str]] = {}
    for stage in run.in_rounds("select"):  # a later round speaks last
        ended |= {row["id"]: (stage, str(row["split"])) for row in run.rows(stage)}
        ended |= {row["id"]: (stage, str(row["code"])) for row in run.dropped(stage)}
    for key, row in made.items():
        stage, outcome = ended.get(key, ("score", "scored") if key in scores else ("vote", "kept so far"))
        yield _card(stage, outcome, row | scores.get(key, {}), passages, judge)
    for stage in ("generate", *makers):
        for row in run.dropped(stage):
            yield _card(stage, str(row.get("code")), row, passages, judge)


def _joined(texts: Iterable[object], sign: str) -> str | None:
    return sign.join(str(text) for text in texts if text) or None


def _card(stage: str, outcome: str, row: Row, passages: Mapping[str, Row], judge: Judge) -> Sample:
    shown = [passages[each] for each in named_in(row.get("passage"), passages)]
    text = str(row.get("input") or row.get("evidence") or "")
    texts = [
        ("solution", row.get("solution")),
        ("answer as written", row.get("output") if row.get("output") != row.get("solution") else None),
        ("evidence", row.get("evidence") if row.get("input") else None),
        ("passage", _joined((each.get("text") for each in shown), "\n\n")),
    ]
    draws = f"{row['correct']} of {row['draws']}" if row.get("draws") else None
    facts = [
        ("gold", row.get("gold")),
        ("truth", judge.truth_of(row)),
        ("options", _pairs(row.get("options"))),
        ("votes", _pairs(dict(sorted((row.get("votes") or {}).items(), key=lambda vote: -vote[1])))),
        ("agreement", row.get("agreement")),
        ("solved", draws),
        ("base model's majority", row.get("majority")),
        ("origin", row.get("origin")),
        ("parent", row.get("parent")),
        ("part", row.get("part")),
        ("passage", row.get("passage")),
        *(
            (f"passage {name}", _joined(dict.fromkeys(each.get(key) for each in shown), "; "))
            for name, key in (("title", "title"), ("source", "source"), ("licence", "license"))
        ),
        ("prompt hash", row.get("prompt_hash")),
        ("request keys", _pairs(row.get("request_keys"))),
        ("attempt", row.get("attempt")),
    ]
    marks = []
    if row.get("label_doubt"):
        marks.append("label doubt")
    if judge.known([row]) and row.get("gold") is not None and not judge.is_right(row, "gold"):
        marks.append("wrong label")
    if row.get("origin"):
        marks.append(str(row["origin"]))
    known = (("rate", row.get("pass_rate")), ("agreement", row.get("agreement")))
    orders = tuple((name, float(value)) for name, value in known if value is not None)
    return Sample(stage, outcome, str(row.get("id") or ""), text, _words(texts), _words(facts), tuple(marks), orders)


def _answers(run: RunData) -> Iterator[Sample]:
    pairs: dict[tuple[str, str, int], dict[str, Row]] = {}
    for row in run.rows("evaluate"):
        pairs.setdefault((row["set"], row["problem"], row["run"]), {})[row["model"]] = row
    tests = suspect_tests(run)
    problems = {name: run.problems(name) for name in {key[0] for key in pairs}}
    for (name, problem, _), pair in pairs.items():
        if len(pair) == 2:
            base, trained = pair["base"], pair["trained"]
            texts = [(f"{model}: {row['verdict']}", row.get("completion")) for model, row in pair.items()]
            facts = [
                ("gold", base.get("gold")),
                ("base's prediction", base.get("prediction")),
                ("trained model's prediction", trained.get("prediction")),
                ("reason", trained.get("reason")),
                ("finish", trained.get("finish_reason")),
            ]
            text = problems[name].get(problem, f"problem {problem}")
            marks = [SUSPECT_WORDS[kind] for kind, test in tests.items() if _is_judged(trained) and test(trained)]
            stage, outcome = f"evaluate {name}", _change(base, trained)
            yield Sample(stage, outcome, str(problem), text, _words(texts), _words(facts), tuple(marks))


def _is_judged(row: Row) -> bool:
    return row["verdict"] == "correct" and bool(row.get("completion"))


def _change(base: Row, trained: Row) -> str:
    before, after = (row["verdict"] == "correct" for row in (base, trained))
    if before == after:
        return "right before and after" if after else "wrong before and after"
    return "gained" if after else "lost"


def _pairs(found: Mapping[str, Any] | None) -> str:
    """Names and values for people: ``33: 5; 11: 1``."""
    return "; ".join(f"{name}: {value}" for name, value in (found or {}).items())


def _words(pairs: Sequence[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in pairs
        if value not in (None, "", {}, [])
    )
