"""Figures as pictures, each with a caption that says what to read from it. Pure: figures in, SVG out.

A picture is left out where its figures are missing; ``missing`` says which, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.rounds import kind_of
from sdrl.report import svg
from sdrl.report.graph import Graph
from sdrl.report.page import draws_of, time_words
from sdrl.report.text_graphs import text_graphs
from sdrl.report.training_graphs import training_graphs


def graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Every picture that the figures allow, in the order of the page."""
    found = [make(figures) for make in (_gains, _funnel, _pass_rates)]
    found += training_graphs(figures)
    found += [_labels(figures), *text_graphs(figures), _time(figures)]
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
        (": format", "gain_format", "interval_format"),
        (": skill", "gain_skill", "interval_skill"),
    )
    return [
        (each["name"] + suffix, each[interval][0] * 100, each[gain] * 100, each[interval][1] * 100)
        for each in figures["evaluations"]
        for suffix, gain, interval in parts
        if each.get(gain) is not None and each.get(interval)
    ]


def _gains(figures: Mapping[str, Any]) -> Graph | None:
    rows = _rows_of_gains(figures)
    if not rows:
        return None
    caption = (
        "Gain of the trained over the base model in percentage points, with 95 % intervals (paired bootstrap over "
        "problems). Format and skill are the parts of the gain above them. An interval that crosses zero shows no gain."
    )
    return Graph("gains", "Gain and its parts", caption, svg.intervals("Gain and its parts", rows, x_label="points"))


def _funnel(figures: Mapping[str, Any]) -> Graph | None:
    rows = []
    for row in figures["funnel"]:
        if kind_of(row["stage"]) not in _NO_SAMPLES:
            lost = sum((row["dropped"] or {}).values())
            words = f"{row['rows'] or 0:,} kept" + (f", {lost:,} dropped" if lost else "")
            rows.append((row["stage"], float(row["rows"] or 0), float(lost), words))
    if not rows:
        return None
    caption = (
        "Samples that each stage passed on and dropped. A stage that drops most of what it gets is where money is "
        "lost; the codes of the drops are in the table below."
    )
    return Graph("funnel", "Funnel", caption, svg.bars("Funnel", rows, names=()))


_NO_SAMPLES = frozenset({"keywords", "pattern", "train", "evaluate"})


def _pass_rates(figures: Mapping[str, Any]) -> Graph | None:
    rates = figures["pass_rates"]
    if not rates:
        return None
    labels = ["never", *[f"≤{k * 10}" for k in range(1, 10)], "<100", "always"]
    groups = []
    for name, title in (("before", "initial"), ("after", "with adapted"), ("selected", "selected")):
        counts = [rates[name]["never"], *rates[name]["tenths"], rates[name]["always"]]
        groups.append((f"{title} ({rates[name]['n']:,})", [count / max(1, rates[name]["n"]) for count in counts]))
    caption = (
        f"Share of samples by the base model's pass rate in {draws_of(rates)} draws: the initial samples, those with "
        "the harder and easier rewrites (the paper's Figure 3), and what was selected for training. Columns at "
        "'never' and 'always' teach nothing; adaptation should move them to the middle."
    )
    picture = svg.columns("Pass rates before and after adaptation", labels, groups, y_label="share, by pass rate in %")
    return Graph("pass-rates", "Pass rates before and after adaptation", caption, picture)


def _labels(figures: Mapping[str, Any]) -> Graph | None:
    labels = figures["labels"]
    if not labels:
        return None
    names = ("written", "voted", "adapted", "selected")
    rows = [
        (name, float(labels[name]["wrong"]), 0.0, f"{labels[name]['wrong']:,} of {labels[name]['n']:,} wrong")
        for name in names
        if labels[name]["n"]
    ]
    caption = (
        "Labels that differ from the known truth: as the instructor wrote them, after the vote, of the rewrites, and "
        "in the selected set. The vote should take most of them out; selecting the hardest may bring some back."
    )
    return Graph("labels", "Wrong labels", caption, svg.bars("Wrong labels", rows, names=()))


def _time(figures: Mapping[str, Any]) -> Graph | None:
    rows = [
        (row["stage"], row["seconds"], 0.0, time_words(row["seconds"])) for row in figures["funnel"] if row["seconds"]
    ]
    if not rows:
        return None
    caption = "Wall time by stage, as its seal records it. A stage that was resumed counts its last, whole pass."
    return Graph("time", "Time by stage", caption, svg.bars("Time by stage", rows, names=()))
