"""What the rows of a run say beside the main figures: lengths, likeness, reflection, retrieval, data and licences.

Lengths and likeness are measured as ``measures`` says, whose names they carry; the curves of training count the
model's own tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median
from typing import Any

from sdrl.corpus.passage import named_in
from sdrl.report.measures import Measures
from sdrl.report.run_data import RunData
from sdrl.report.similarity import similarities
from sdrl.run.artifacts import Row

BINS = 20  # at most so many of one width, up to the length that all but few texts keep within
FEW = 0.005
_REFLECTION = re.compile(
    r"\b(wait|hmm|let me (?:check|verify|re-?check|re-?think|see)|double[- ]check|on second thought|re-?check|"
    r"let's (?:check|verify)|actually)\b",
    re.IGNORECASE,
)


def lengths(run: RunData, measures: Measures) -> dict[str, Any] | None:
    """Histograms of problems by origin, synthetic beside real, and medians of both models' answers; None without."""
    texts = problem_texts(run)
    if not texts:
        return None
    counted = {name: [measures.length(text) for text in found] for name, found in texts.items()}
    edges = _edges([value for found in counted.values() for value in found])
    return {
        "unit": measures.unit,
        "tokenizer": measures.tokenizer,
        "edges": edges,
        "problems": {name: _histogram(found, edges) for name, found in counted.items()},
        "answers": answers_by_model(run.rows("evaluate")),
    }


SYNTHETIC, SELECTED, REAL = "synthetic", "selected", "real: "


def problem_texts(run: RunData) -> dict[str, list[str]]:
    """Problems by set: each origin, all ``synthetic`` ones, the ``selected`` and, as they are named, the real ones."""
    samples = [row for stage in ("vote", *run.in_rounds("adapt")) for row in run.rows(stage)]
    if not samples:
        return {}
    found: dict[str, list[str]] = {}
    for row in samples:
        found.setdefault(str(row.get("origin")), []).append(row["input"])
    found[SYNTHETIC] = [row["input"] for row in samples]
    chosen = {row["id"]: row for stage in run.in_rounds("select") for row in run.rows(stage) if row["split"] == "train"}
    if chosen:
        found[SELECTED] = [row["input"] for row in chosen.values()]
    for name in run.evaluation_names():
        if texts := list(run.problems(name).values()):
            found[f"{REAL}{name}"] = texts
    return found


def likeness(run: RunData, measures: Measures) -> dict[str, Any] | None:
    """Cosine similarities within the synthetic problems, the selected and each real set; None without samples."""
    texts = problem_texts(run)
    groups = {name: found for name, found in texts.items() if name in (SYNTHETIC, SELECTED) or name.startswith(REAL)}
    return similarities(groups, measures)


def _edges(values: Sequence[int]) -> list[int]:
    """Upper ends of bins of one round width; the few longest values lie beyond the last."""
    ranked = sorted(values)
    longest = max(1, ranked[int((1 - FEW) * (len(ranked) - 1))])
    widths = (digit * 10**power for power in range(10) for digit in (1, 2, 5))
    width = next(each for each in widths if each * BINS >= longest)
    return [width * place for place in range(1, -(-longest // width) + 1)]


def _histogram(values: Sequence[int], edges: Sequence[int]) -> dict[str, Any]:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[sum(value > edge for edge in edges)] += 1
    return {"n": len(values), "median": median(values), "longest": max(values), "counts": counts}


def answers_by_model(rows: Sequence[Row], models: Sequence[str] = ("base", "trained")) -> dict[str, Any]:
    """By model: median words of an answer to a test problem, and the share of answers with a word of reflection."""
    found = {}
    for model in models:
        texts = [row["completion"] for row in rows if row["model"] == model and isinstance(row.get("completion"), str)]
        if texts:
            found[model] = {
                "n": len(texts),
                "median": median(_words(text) for text in texts),
                "reflection_share": round(sum(bool(_REFLECTION.search(text)) for text in texts) / len(texts), 6),
            }
    return found


def _words(text: str) -> int:
    return len(text.split())


def retrieval(run: RunData) -> dict[str, Any] | None:
    """How good passages were as ground: samples kept by the vote, by third of the retrieval score; None without.

    A sample counts once for each passage that its prompt showed.
    """
    rows = [row for row in run.rows("retrieve") if row.get("passage")]
    if not rows:
        return None
    score = {row["passage"]["id"]: row.get("score") for row in rows}
    kept = [name for row in run.rows("vote") for name in named_in(row.get("passage"), score)]
    lost = [name for row in run.dropped("vote") for name in named_in(row.get("passage"), score)]
    known = sorted(value for value in score.values() if value is not None)
    thirds = []
    if known and (kept or lost):
        borders = [known[0], known[len(known) // 3], known[2 * len(known) // 3], known[-1]]
        for index, name in enumerate(("lowest", "middle", "highest")):
            inside = _inside(score, borders[index], borders[index + 1], is_last=index == 2)
            counts = [sum(passage in inside for passage in some) for some in (kept, lost)]
            thirds.append({"third": name, "kept": counts[0], "dropped": counts[1]})
    return {
        "passages": len(rows),
        "used": len({*kept, *lost}),
        "scores": [known[0], known[len(known) // 2], known[-1]] if known else None,
        "thirds": thirds,
    }


def _inside(score: dict[str, Any], low: float, high: float, *, is_last: bool) -> set[str]:
    return {
        name
        for name, value in score.items()
        if value is not None and low <= value and (value < high or (is_last and value <= high))
    }


def data_card(run: RunData) -> dict[str, Any]:
    """What the data are made of, when, and under which licences; a licence that the spec does not state is None."""
    corpus = [
        {"source": each.get("path") or each.get("dataset"), "rows": each.get("rows"), "license": each.get("license")}
        for each in run.plan.get("corpus") or []
    ]
    sets = [
        {"name": each.get("name"), "rows": each.get("rows"), "shift": each.get("shift"), "sha256": each.get("sha256")}
        for each in run.plan.get("evaluations") or []
    ]
    return {
        "task_license": run.setting("task.license"),
        "language": run.setting("task.language"),
        "corpus": corpus,
        "evaluations": sets,
        "models": {role: run.setting(f"models.{role}.model") for role in ("instructor", "base")},
        "identities": dict(run.plan.get("identities") or {}),
        "instructor_terms": run.setting("models.instructor.terms"),
        "filters": [name for each in run.setting("filter") or [] for name, value in each.items() if value],
        "seed": run.setting("seed"),
        "made": run.times,
        "versions": dict(run.result.get("versions") or {}),
    }


def alarms(run: RunData) -> list[dict[str, Any]] | None:
    """Alarms and warnings of the event log, each kind once with how often it was raised; None without a log."""
    if not run.folder.events.is_file():
        return None
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for event in run.told("alarm", "warning"):
        where, kind = str(event.get("stage") or ""), str(event.get("kind") or event.get("code") or "")
        first = {"stage": where, "kind": kind, "message": str(event.get("message") or ""), "times": 0}
        found.setdefault((where, kind), {**first, "remedy": event.get("remedy")})["times"] += 1
    return list(found.values())
