"""Figures of a suite as a page: the table of arms, the questions, and a picture of the differences. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.report.blocks import Page, Section, Table, Text
from sdrl.report.page import time_words
from sdrl.report.svg import intervals
from sdrl.report.verdict import points


def page_of(results: Mapping[str, Any]) -> Page:
    """The page; renderers of ``sdrl.report`` make text or Markdown of it."""
    cells = results["cells"]
    several = len({row["budget"] for row in results["arms"]}) > 1
    subtitle = f"{cells['done']} of {cells['planned']} cells are done · right answers on {results['evaluation'] or '–'}"
    made = (
        Section("Arms", (_arms(results, several), Text(_how(results)))),
        Section("Questions", (_questions(results, several), Text(_words(results)))),
        Section("What each took", (_costs(results, several), Text(_TOOK))),
    )
    return Page(f"suite {results['name']}", subtitle, made)


def picture_of(results: Mapping[str, Any]) -> str | None:
    """Differences with their intervals; None while there is none."""
    rows = [
        (
            _label(each, results),
            *(100 * value for value in (each["interval"][0], each["difference"], each["interval"][1])),
        )
        for each in results["questions"]
        if each.get("interval")
    ]
    return intervals("Differences in points", rows, x_label="points, with 95 % intervals") if rows else None


def _label(each: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    several = len({row["budget"] for row in results["arms"]}) > 1
    return f"{each['arm']} ({each['budget']})" if several else str(each["arm"])


def _arms(results: Mapping[str, Any], several: bool) -> Table:
    head = ("arm", *(("budget",) if several else ()), "seeds", "base", "trained", "± sd", "gain")
    rows = []
    for row in results["arms"]:
        start = (row["arm"], *((row["budget"],) if several else ()))
        if row["open"]:
            rows.append((*start, "0", "–", row["open"], "", ""))
            continue
        n = f"{len(row['seeds'])} of {row['planned']}" if len(row["seeds"]) < row["planned"] else str(row["planned"])
        deviation = "–" if row["deviation"] is None else f"{100 * row['deviation']:.1f}"
        gain = "–" if row["gain"] is None else points(row["gain"])
        rows.append((*start, n, _percent(row["base"]), _percent(row["accuracy"]), deviation, gain))
    return Table(head, tuple(rows), left=frozenset({0, 1} if several else {0}))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _how(results: Mapping[str, Any]) -> str:
    return (
        "Per cent of right answers; ± sd is the sample deviation over training seeds, with the same data and the same "
        "problems. Decoding runs, where the spec has several, are a mean within a seed."
    )


def _questions(results: Mapping[str, Any], several: bool) -> Table:
    head = ("arm", "against", *(("budget",) if several else ()), "points", "95 %", "p", "p Holm", "verdict")
    rows = []
    for each in results["questions"]:
        start = (each["arm"], each["against"], *((each["budget"],) if several else ()))
        if each.get("interval") is None:
            rows.append((*start, "", "", "", "", each["verdict"]))
            continue
        low, high = each["interval"]
        figures = points(each["difference"]), f"{points(low)} to {points(high)}", _p(each["p"]), _p(each["p_holm"])
        rows.append((*start, *figures, each["verdict"]))
    left = {0, 1, len(head) - 1} | ({2} if several else set())
    return Table(head, tuple(rows), left=frozenset(left))


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def _words(results: Mapping[str, Any]) -> str:
    margin, alpha = 100 * results["margin"], results["alpha"]
    return (
        f"different: p after Holm's correction over these questions is at most {alpha:g}. equivalent: shown to lie "
        f"within {margin:g} points (two one-sided tests, Holm). undecided: neither; more seeds or problems are needed. "
        "Problems and training seeds both count as drawn by chance; with one seed on each side the words speak of "
        "these two models alone."
    )


_TOOK = (
    "train and recipe: mean seconds of a seed, recipe with every stage as if nothing were shared. wall: mean seconds "
    "that were really spent on a seed here. paid: all seeds together; expected: one seed alone, by its plan."
)


def _costs(results: Mapping[str, Any], several: bool) -> Table:
    head = (
        "arm",
        *(("budget",) if several else ()),
        "selected",
        "step",
        "train",
        "recipe",
        "wall",
        "paid $",
        "expected $",
    )
    rows = []
    for row in results["arms"]:
        if row["open"] or not row["seeds"]:
            continue
        start = (row["arm"], *((row["budget"],) if several else ()))
        selected = "/".join(sorted({str(each["selected"]) for each in row["seeds"]}))
        steps = "/".join(str(each["best_step"]) for each in row["seeds"])
        times = (time_words(row[key]) for key in ("train_seconds", "recipe_seconds", "wall_seconds"))
        rows.append((*start, selected, steps, *times, f"{row['usd']:.2f}", _expected(row["expected"])))
    return Table(head, tuple(rows), left=frozenset({0, 1} if several else {0}))


def _expected(estimate: Mapping[str, Any] | None) -> str:
    usd = (estimate or {}).get("usd")
    return "–" if usd is None else f"{usd:.2f}"
