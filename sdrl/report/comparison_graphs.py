"""Pictures of several runs beside each other: gains, the later runs against the first, pass rates, curves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from sdrl.report import svg
from sdrl.report.data_graphs import RATES, shares_of
from sdrl.report.graph import Graph, known

Against = tuple[str, str, Mapping[str, Any]]  # the set, the later run's letter, its summary against the first


def comparison_graphs(figures: Sequence[Mapping[str, Any]], against: Sequence[Against]) -> list[Graph]:
    """Every picture that the runs allow; curves and pass rates of as many runs as there are colours."""
    made = [_gains(figures), _against(against), _pass_rates(figures)]
    made += [_curve(figures, "reward", "Reward", "mean reward"), _validation(figures)]
    return [each for each in made if each is not None]


def _gains(figures: Sequence[Mapping[str, Any]]) -> Graph | None:
    names = list(dict.fromkeys(each["name"] for one in figures for each in one["evaluations"]))
    rows = [
        (f"{name}, {letter}", *(100 * value for value in (each["interval"][0], each["gain"], each["interval"][1])))
        for name in names
        for letter, one in zip(ascii_uppercase, figures, strict=False)
        for each in one["evaluations"]
        if each["name"] == name and each.get("gain") is not None
    ]
    if not rows:
        return None
    caption = (
        "Gain of each run's trained model over its own base model, with 95 % intervals (paired bootstrap over "
        "problems). Intervals that overlap do not mean that two runs are equal: that is the next picture's question."
    )
    return Graph("gains", "Gains", caption, svg.intervals("Gains", rows, x_label="percentage points"))


def _against(against: Sequence[Against]) -> Graph | None:
    rows = [
        (f"{name}, {letter}", *(100 * value for value in (each["interval"][0], each["gain"], each["interval"][1])))
        for name, letter, each in against
    ]
    if not rows:
        return None
    caption = (
        "Right answers of each later run's trained model minus those of A's, on the same problems, with 95 % intervals "
        "(paired bootstrap). Hollow: the interval holds zero, no difference has been shown. They speak of the "
        "problems, not of the seeds of training."
    )
    picture = svg.intervals("Against A", rows, x_label="percentage points more than A")
    return Graph("against-first", "Trained models against A's", caption, picture)


def _pass_rates(figures: Sequence[Mapping[str, Any]]) -> Graph | None:
    groups = [
        (f"{letter} ({each['pass_rates']['selected']['n']:,})", shares_of(each["pass_rates"]["selected"]))
        for letter, each in zip(ascii_uppercase, figures[: svg.COLOURS], strict=False)
        if each["pass_rates"]
    ]
    if len(groups) < 2:
        return None
    caption = "The samples that each run trained on, by the base model's pass rate." + _only_some(figures)
    title = "Pass rates of the selected samples"
    x_label = "pass rate of the base model, %"
    picture = svg.columns(title, RATES, groups, y_label="share of samples", x_label=x_label, first=1)
    return Graph("pass-rates-of-all", title, caption, picture)


def _curve(figures: Sequence[Mapping[str, Any]], name: str, title: str, y_label: str) -> Graph | None:
    found = [known((each["training"] or {}).get("curves", {}).get(name)) for each in figures[: svg.COLOURS]]
    return _drawn(figures, f"{name}-of-all", title, y_label, found, is_share=False)


def _validation(figures: Sequence[Mapping[str, Any]]) -> Graph | None:
    found = [known((each["training"] or {}).get("validation")) for each in figures[: svg.COLOURS]]
    return _drawn(figures, "validation-of-all", "Validation accuracy", "right answers", found, is_share=True)


def _drawn(
    figures: Sequence[Mapping[str, Any]],
    name: str,
    title: str,
    y_label: str,
    found: Sequence[Sequence[tuple[float, float]]],
    *,
    is_share: bool,
) -> Graph | None:
    if not any(len(points) > 1 for points in found):
        return None
    series = [svg.Series(letter, points) for letter, points in zip(ascii_uppercase, found, strict=False)]
    caption = "By step; runs with other batch sizes see other numbers of samples at the same step." + _only_some(
        figures
    )
    picture = svg.lines(title, series, x_label="step", y_label=y_label, is_share=is_share)
    return Graph(name, title, caption, picture)


def _only_some(figures: Sequence[Mapping[str, Any]]) -> str:
    return f" Only the first {svg.COLOURS} runs are drawn." if len(figures) > svg.COLOURS else ""
