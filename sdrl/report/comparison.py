"""Runs beside each other: what differs in their settings, what each gained, and the last against the first, paired.

A difference between two runs is measured on the problems that both trained models answered, with the same paired
bootstrap as a gain; sets whose problems differ are not compared. Runs are called A, B, C … in the order given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from sdrl.report.blocks import Block, Page, Section, Table, Text
from sdrl.report.graph import Graph, known
from sdrl.report.page import time_words
from sdrl.report.run_data import RunData
from sdrl.report.svg import Series, lines
from sdrl.report.verdict import percent, points
from sdrl.run.artifacts import Row
from sdrl.stages.statistics import evaluation_summary

MOST_SETTINGS = 30
MOST_CURVES = 4  # as many as the pictures have colours


def compare(runs: Sequence[RunData], figures: Sequence[Mapping[str, Any]]) -> Page:
    """A page of tables; ``runs`` and ``figures`` are in the same order, at most 26 of them."""
    letters = ascii_uppercase[: len(runs)]
    names = Table(("run", "name", "folder"), tuple(
        (letter, each["name"], str(each["run"])) for letter, each in zip(letters, figures, strict=True)
    ), left=frozenset({0, 1, 2}))  # fmt: skip
    made = (
        Section("Runs", (names, *(Text(words) for words in _against_first(runs, letters)))),
        Section("Gains", tuple(_gains(figures, letters))),
        Section("What each took", (_costs(figures, letters),)),
        Section("Settings that differ", tuple(_settings(runs, letters))),
    )
    title = f"{len(runs)} runs side by side"
    return Page(title, " · ".join(f"{a}: {each['name']}" for a, each in zip(letters, figures, strict=True)), made)


def curves(figures: Sequence[Mapping[str, Any]]) -> list[Graph]:
    """Reward and validation accuracy of all runs in one picture each; at most four runs, as many as colours."""
    found = []
    for name, title, is_share in (("reward", "Reward", False), ("validation", "Validation accuracy", True)):
        series = []
        for letter, each in zip(ascii_uppercase, figures[:MOST_CURVES], strict=False):
            training = each["training"] or {}
            points_ = known(training.get("validation") if is_share else training.get("curves", {}).get(name))
            series.append(Series(letter, points_))
        if any(len(each.points) > 1 for each in series):
            picture = lines(title, series, x_label="step", is_share=is_share)
            caption = "By step; runs with other batch sizes see other numbers of samples at the same step."
            if len(figures) > MOST_CURVES:
                caption += f" Only the first {MOST_CURVES} runs are drawn."
            found.append(Graph(f"{name}-of-all", title, caption, picture))
    return found


def _against_first(runs: Sequence[RunData], letters: str) -> Iterator[str]:
    """The trained models of the later runs against that of the first, on the same problems."""
    trained = [[row for row in run.rows("evaluate") if row["model"] == "trained"] for run in runs]
    for name in dict.fromkeys(row["set"] for row in trained[0]):
        first = [row for row in trained[0] if row["set"] == name]
        for letter, rows in zip(letters[1:], trained[1:], strict=True):
            other = [row for row in rows if row["set"] == name]
            if _problems(first) != _problems(other):
                if other:
                    yield f"{name}: {letter} met other problems than {letters[0]}; the two are not compared."
                continue
            found = evaluation_summary(first, other, 0)
            low, high = found["interval"]
            sure = "more than chance" if low > 0 or high < 0 else "no difference has been shown"
            yield (
                f"{name}: {letter} against {letters[0]}, both trained: {points(found['gain'])} points "
                f"({points(low)} to {points(high)}): {sure}."
            )


def _problems(rows: Sequence[Row]) -> set[tuple[str, object]]:
    return {(row["problem"], row.get("gold")) for row in rows}


def _gains(figures: Sequence[Mapping[str, Any]], letters: str) -> Iterator[Block]:
    for name in dict.fromkeys(each["name"] for one in figures for each in one["evaluations"]):
        found = [next((each for each in one["evaluations"] if each["name"] == name), None) for one in figures]
        done = [each if each and each.get("gain") is not None else None for each in found]
        rows = [
            ("base", *(percent(each["base"]["accuracy"]) if each else "–" for each in done)),
            ("trained", *(percent(each["trained"]["accuracy"]) if each else "–" for each in done)),
            ("gain", *(points(each["gain"]) if each else "–" for each in done)),
            ("  from", *(points(each["interval"][0]) if each else "–" for each in done)),
            ("  to", *(points(each["interval"][1]) if each else "–" for each in done)),
            ("  format", *(points(each["gain_format"]) if each else "–" for each in done)),
            ("  skill", *(points(each["gain_skill"]) if each else "–" for each in done)),
        ]
        yield Table((name, *letters), tuple(rows))
    if not any(one["evaluations"] for one in figures):
        yield Text("No run has been evaluated.")


def _costs(figures: Sequence[Mapping[str, Any]], letters: str) -> Table:
    usage = [each["usage"] or {} for each in figures]
    selected = [(each["pass_rates"] or {}).get("selected", {}).get("n") for each in figures]
    steps = [(each["training"] or {}).get("steps") for each in figures]
    times = [sum(row["seconds"] or 0.0 for row in each["funnel"]) for each in figures]
    rows = (
        ("status", *(str(each["status"]) for each in figures)),
        ("algorithm", *(str(each["algorithm"]) for each in figures)),
        ("selected", *("–" if n is None else f"{n:,}" for n in selected)),
        ("steps", *("–" if n is None else f"{n:,}" for n in steps)),
        ("time", *map(time_words, times)),
        ("requests", *(f"{int(each.get('requests') or 0):,}" for each in usage)),
        ("tokens", *(f"{int(each.get('tokens') or 0):,}" for each in usage)),
        ("usd", *(f"{float(each.get('usd') or 0):.2f}" for each in usage)),
    )
    return Table(("", *letters), rows)


def _settings(runs: Sequence[RunData], letters: str) -> Iterator[Block]:
    flat = [dict(_flatten(run.plan.get("settings") or {}, "")) for run in runs]
    paths = sorted({path for each in flat for path in each if len({str(one.get(path)) for one in flat}) > 1})
    if not paths:
        yield Text("None: the plans have the same settings.")
        return
    width = max(8, 44 // len(runs))
    rows = tuple((path[-30:], *(_short(one.get(path), width) for one in flat)) for path in paths[:MOST_SETTINGS])
    yield Table(("setting", *letters), rows)
    if len(paths) > MOST_SETTINGS:
        yield Text(f"{len(paths) - MOST_SETTINGS} more; sdrl diff A/plan B/plan lists them all.")


def _flatten(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        value = {str(n): each for n, each in enumerate(value)}
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flatten(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _short(value: Any, width: int) -> str:
    text = " ".join(str("–" if value is None else value).split())
    return text if len(text) <= width else text[: width - 1] + "…"
