"""Figures as pictures, each with a caption that says what to read from it. Pure: figures in, SVG out.

A picture is left out where its figures are missing; ``missing`` says which, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.report import svg
from sdrl.report.data_graphs import data_graphs
from sdrl.report.graph import Graph
from sdrl.report.page import spent_by_stage, time_words
from sdrl.report.svg import PARTS
from sdrl.report.text_graphs import text_graphs
from sdrl.report.training_graphs import training_graphs


def graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Every picture that the figures allow, in the order of the page."""
    found = [_gains(figures), *data_graphs(figures), *text_graphs(figures), *training_graphs(figures)]
    found += [_time(figures), _cost(figures)]
    return [each for each in found if each is not None]


def missing(figures: Mapping[str, Any]) -> list[str]:
    """What a whole report has and this run does not, one sentence each."""
    training = figures["training"]
    absent = {
        "Gain: no evaluation set has been answered by both models.": not _rows_of_gains(figures),
        "Pass rates: the score stage is not whole.": not figures["pass_rates"],
        "Training curves: the train stage is not whole.": not training,
        "Validation curve: training never looked at the validation split.": bool(training)
        and not training["validation"],
        "Label noise: the truth is known for the scripted instructor only.": not figures["labels"],
        "Test accuracy by checkpoint: only base and chosen model met the test sets ('sdrl run --post-hoc' asks the "
        "others when all is chosen).": not figures["post_hoc"],
    }
    return [words for words, is_absent in absent.items() if is_absent]


def _rows_of_gains(figures: Mapping[str, Any]) -> list[tuple[str, float, float, float]]:
    parts = (
        ("", "gain", "interval"),
        (PARTS, "gain_format", "interval_format"),
        (PARTS, "gain_skill", "interval_skill"),
    )
    names = {"gain_format": "format", "gain_skill": "skill"}
    return [
        _points(suffix + names.get(gain, str(each["name"])), each, gain, interval)
        for each in figures["evaluations"]
        for suffix, gain, interval in parts
        if each.get(gain) is not None and each.get(interval)
    ]


def _points(label: str, each: Mapping[str, Any], gain: str, interval: str) -> tuple[str, float, float, float]:
    low, high = each[interval]
    return label, 100 * low, 100 * each[gain], 100 * high


def _gains(figures: Mapping[str, Any]) -> Graph | None:
    rows = _rows_of_gains(figures)
    if not rows:
        return None
    caption = (
        "Gain of the trained over the base model in percentage points, with 95 % intervals (paired bootstrap over "
        "problems). Format (answers that can be read) and skill (right where they can be read) sum to the gain above "
        "them. Hollow: the interval holds zero, so no change has been shown."
    )
    picture = svg.intervals("Gain and its parts", rows, x_label="percentage points")
    return Graph("gains", "Gain and its parts", caption, picture)


def _time(figures: Mapping[str, Any]) -> Graph | None:
    rows = [
        (row["stage"], row["seconds"], 0.0, time_words(row["seconds"])) for row in figures["funnel"] if row["seconds"]
    ]
    if not rows:
        return None
    total = sum(seconds for _, seconds, _, _ in rows)
    longest, most, _, _ = max(rows, key=lambda row: row[1])
    caption = (
        f"All stages: {time_words(total)}, of which {longest} took {most / total * 100:.0f} %. Wall time as each seal "
        "records it; a stage that was resumed counts its last, whole pass."
    )
    return Graph("time", "Time by stage", caption, svg.bars("Time by stage", rows, names=()))


def _cost(figures: Mapping[str, Any]) -> Graph | None:
    """Dollars where any were spent, else tokens."""
    spent = {stage: each for stage, each in spent_by_stage(figures).items() if each["tokens"]}
    if not spent:
        return None
    usd = sum(each["usd"] for each in spent.values())
    by = "usd" if usd else "tokens"
    rows = [
        (
            stage,
            each[by],
            0.0,
            f"${each['usd']:,.2f}, {each['tokens']:,.0f} tokens" if usd else f"{each['tokens']:,.0f}",
        )
        for stage, each in spent.items()
    ]
    title = "Cost by stage" if usd else "Tokens by stage"
    tokens = sum(each["tokens"] for each in spent.values())
    dearest, most, _, _ = max(rows, key=lambda row: row[1])
    share = most / (usd or tokens) * 100
    total = f"${usd:,.2f} for {tokens:,.0f} tokens" if usd else f"{tokens:,.0f} tokens, for which nothing was charged"
    caption = f"In all {total}; {dearest} took {share:.0f} %. Replies that the request cache gave are not among them."
    return Graph("cost", title, caption, svg.bars(title, rows, names=()))
