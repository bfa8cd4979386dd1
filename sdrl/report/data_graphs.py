"""Pictures of how the samples came about: funnel, pass rates, labels, retrieval. Pure: figures in, SVG out.

Each caption begins with what this run shows and goes on with how to read the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compiler.rounds import kind_of
from sdrl.report import svg
from sdrl.report.graph import Graph
from sdrl.report.page import draws_of
from sdrl.report.verdict import percent
from sdrl.stages.statistics import wilson

RATES = ("never", *(f"≤{k * 10}" for k in range(1, 10)), "<100", "always")
_NO_SAMPLES = frozenset({"keywords", "pattern", "train", "evaluate"})


def data_graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Every picture of the data that the figures allow."""
    made = (_funnel(figures), _pass_rates(figures), _by_round(figures), _labels(figures), _retrieval(figures))
    return [each for each in made if each is not None]


def _funnel(figures: Mapping[str, Any]) -> Graph | None:
    rows = []
    for row in figures["funnel"]:
        if kind_of(row["stage"]) not in _NO_SAMPLES:
            lost = sum((row["dropped"] or {}).values())
            words = f"{row['rows'] or 0:,} kept" + (f", {lost:,} dropped" if lost else "")
            rows.append((row["stage"], float(row["rows"] or 0), float(lost), words))
    if not rows:
        return None
    worst, kept, lost_, _ = max(rows, key=lambda row: row[2])
    seen = f"Most are dropped by {worst}: {lost_:,.0f} of {kept + lost_:,.0f}. " if lost_ else "Nothing was dropped. "
    caption = (
        f"{seen}Solid: what each stage passed on; pale: what it dropped, whose codes stand in the table. A stage that "
        "drops most of what it was paid for is where money is lost."
    )
    return Graph("funnel", "What each stage kept", caption, svg.bars("What each stage kept", rows, names=()))


def shares_of(rates: Mapping[str, Any]) -> list[float]:
    """A histogram of pass rates as shares, in the order of ``RATES``."""
    counts = [rates["never"], *rates["tenths"], rates["always"]]
    return [count / max(1, rates["n"]) for count in counts]


def _pass_rates(figures: Mapping[str, Any]) -> Graph | None:
    rates = figures["pass_rates"]
    if not rates:
        return None
    named = (("before", "initial"), ("after", "with adapted"), ("selected", "selected"))
    groups = [(f"{title} ({rates[name]['n']:,})", shares_of(rates[name])) for name, title in named if rates[name]["n"]]
    chosen = rates["selected"]
    trained = f"; those selected have a mean pass rate of {percent(chosen['mean'])}" if chosen["n"] else ""
    useful = {name: 1 - shares_of(rates[name])[0] - shares_of(rates[name])[-1] for name in ("before", "after")}
    caption = (
        f"Of the initial samples {percent(useful['before'])} are sometimes solved, with the rewrites "
        f"{percent(useful['after'])}{trained}. "
        f"Share of samples by the base model's pass rate in {draws_of(rates)} draws (the paper's Figure 3). 'Never' "
        "and 'always' teach nothing; adaptation should move them to the middle."
    )
    title = "Pass rates before and after adaptation"
    picture = svg.columns(title, RATES, groups, y_label="share of samples", x_label="pass rate of the base model, %")
    return Graph("pass-rates", title, caption, picture)


def _by_round(figures: Mapping[str, Any]) -> Graph | None:
    rounds = figures["pass_rates_by_round"][-svg.COLOURS :]
    if len(rounds) < 2:
        return None
    groups = [(f"round {each['round']}", shares_of(each)) for each in rounds]
    means = ", ".join(f"{percent(each['mean'])} in round {each['round']}" for each in rounds)
    caption = (
        f"Mean pass rate {means}: round 1's {rounds[0]['n']:,} samples under the model that each round began with. "
        "Columns that move to the right are what the round before taught."
    )
    title = "Pass rates by round"
    picture = svg.columns(title, RATES, groups, y_label="share of samples", x_label="pass rate, %", first=1)
    return Graph("pass-rates-by-round", title, caption, picture)


def _labels(figures: Mapping[str, Any]) -> Graph | None:
    labels = figures["labels"]
    if not labels:
        return None
    named = (("written", "as written"), ("voted", "voted"), ("adapted", "adapted"), ("selected", "selected"))
    rows = [
        _share(f"{title} ({labels[name]['n']:,})", labels[name]["wrong"], labels[name]["n"])
        for name, title in named
        if labels[name]["n"]
    ]
    if not rows:
        return None
    told = ", ".join(f"{percent(labels[name]['wrong_share'])} {title}" for name, title in named if labels[name]["n"])
    caption = (
        f"Labels that differ from the known truth: {told}. With 95 % intervals (Wilson). The vote should take most of "
        "them out; selecting the hardest may bring some back."
    )
    picture = svg.intervals("Wrong labels", rows, x_label="wrong labels, %", is_difference=False)
    return Graph("labels", "Wrong labels", caption, picture)


def _retrieval(figures: Mapping[str, Any]) -> Graph | None:
    thirds = (figures.get("retrieval") or {}).get("thirds") or []
    counted = [(each["third"], each["kept"], each["kept"] + each["dropped"]) for each in thirds]
    if not counted or not all(n for *_, n in counted):
        return None
    rows = [_share(f"{name} third ({n:,})", kept, n) for name, kept, n in counted]
    (_, low, low_n), (_, high, high_n) = counted[0], counted[-1]
    caption = (
        f"The vote and its filters kept {percent(high / high_n)} of the samples written from the third of the passages "
        f"that scored highest in the search, and {percent(low / low_n)} of those from the lowest; 95 % intervals "
        "(Wilson). Where these overlap, the score of a passage says little of this task."
    )
    title = "Samples kept, by their passage's search score"
    picture = svg.intervals(title, rows, x_label="samples kept by the vote, %", is_difference=False)
    return Graph("retrieval", title, caption, picture)


def _share(label: str, part: int, whole: int) -> tuple[str, float, float, float]:
    """A share in percent with its interval, as a row of ``svg.intervals``."""
    low, high = wilson(part, whole)
    return label, 100 * low, 100 * part / whole, 100 * high
