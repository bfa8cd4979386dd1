"""Runs beside each other: what differs in their settings, what each gained, and the last against the first, paired.

A difference between two runs is measured on the problems that both trained models answered, with the same paired
bootstrap as a gain; sets whose problems differ are not compared. Runs are called A, B, C … in the order given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from sdrl.report.blocks import Block, Page, Section, Table, Text
from sdrl.report.page import time_words
from sdrl.report.run_data import RunData
from sdrl.report.verdict import percent, points
from sdrl.run.artifacts import Row
from sdrl.stages.statistics import evaluation_summary

MOST_SETTINGS = 30


def compare(runs: Sequence[RunData], figures: Sequence[Mapping[str, Any]]) -> Page:
    """A page of tables; ``runs`` and ``figures`` are in the same order, at most 26 of them."""
    letters = ascii_uppercase[: len(runs)]
    names = Table(("run", "name", "folder"), tuple(
        (letter, each["name"], str(each["run"])) for letter, each in zip(letters, figures, strict=True)
    ), left=frozenset({0, 1, 2}))  # fmt: skip
    made = (
        Section("Runs", (names, *(Text(words) for words in _words(runs, letters)))),
        Section("Gains", tuple(_gains(figures, letters)), ("gains", "against-first")),
        Section("Training", (_trained(figures, letters),), ("pass-rates-of-all", "reward-of-all", "validation-of-all")),
        Section("What each took", (_costs(figures, letters),)),
        Section("Settings that differ", tuple(_settings(runs, letters))),
    )
    title = f"{len(runs)} runs side by side"
    return Page(title, " · ".join(f"{a}: {each['name']}" for a, each in zip(letters, figures, strict=True)), made)


def against_first(runs: Sequence[RunData]) -> list[tuple[str, str, dict[str, Any] | None]]:
    """The trained models of the later runs against that of the first: ``(set, letter, summary)``.

    The summary is None where the two met other problems; a set that a run was not asked is left out.
    """
    found: list[tuple[str, str, dict[str, Any] | None]] = []
    trained = [[row for row in run.rows("evaluate") if row["model"] == "trained"] for run in runs]
    for name in dict.fromkeys(row["set"] for row in trained[0]):
        first = [row for row in trained[0] if row["set"] == name]
        for letter, rows in zip(ascii_uppercase[1:], trained[1:], strict=False):
            other = [row for row in rows if row["set"] == name]
            if other:
                is_same = _problems(first) == _problems(other)
                found.append((name, letter, evaluation_summary(first, other, 0) if is_same else None))
    return found


def _words(runs: Sequence[RunData], letters: str) -> Iterator[str]:
    for name, letter, found in against_first(runs):
        if found is None:
            yield f"{name}: {letter} met other problems than {letters[0]}; the two are not compared."
            continue
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


def _trained(figures: Sequence[Mapping[str, Any]], letters: str) -> Table:
    """What was trained on and how it went; a dash where a run has not come so far."""
    rates = [(each["pass_rates"] or {}).get("selected") or {} for each in figures]
    training = [each["training"] or {} for each in figures]
    labels = [(each["labels"] or {}).get("selected") or {} for each in figures]
    rows = (
        ("algorithm", *(str(each["algorithm"]) for each in figures)),
        ("selected samples", *(_count(each.get("n")) for each in rates)),
        ("their mean pass rate", *(percent(each.get("mean")) for each in rates)),
        ("wrong labels among them", *(percent(each.get("wrong_share")) for each in labels)),
        ("steps", *(_count(each.get("steps")) for each in training)),
        ("chosen step", *(_count(each.get("best_step")) for each in training)),
    )
    return Table(("", *letters), rows)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _costs(figures: Sequence[Mapping[str, Any]], letters: str) -> Table:
    usage = [each["usage"] or {} for each in figures]
    times = [sum(row["seconds"] or 0.0 for row in each["funnel"]) for each in figures]
    rows = (
        ("status", *(str(each["status"]) for each in figures)),
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
