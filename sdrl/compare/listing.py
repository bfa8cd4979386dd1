"""What a suite will run, before it does: cells, their state, what they are expected to ask for, cost and time; and the
suites that ship, with what each arm needs. Pure but for a look at the finished cells, whose time is the only honest
forecast of the others', and at the shipped files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from sdrl.compare.baselines import expanded
from sdrl.compare.cells import cell_folder
from sdrl.compare.extending import extended
from sdrl.compare.loading import LoadedSuite
from sdrl.compare.needs import needs_of
from sdrl.compare.running import Planned, is_done, wall_seconds
from sdrl.compare.shipped import nearest_suite, shipped_suites, written_in
from sdrl.compare.suite import Suite
from sdrl.report.blocks import Page, Section, Table, Text
from sdrl.report.page import time_words
from sdrl.report.rendering import to_text
from sdrl.spec.diagnostics import Exit, SdrlError

MICRO = 1_000_000


def listing(loaded: LoadedSuite, planned: Sequence[Planned], root: Path) -> str:
    """The cells as text."""
    done = [each for each in planned if is_done(root, each)]
    rows = [_row(each, root) for each in planned]
    todo = [each for each in planned if each.open is None and each not in done]
    words = [_shared(planned), _time(done, len(todo), root)]
    table = Table(
        ("cell", "state", "updates", "instructor", "base", "tokens", "alone $"), tuple(rows), frozenset({0, 1})
    )
    title = f"suite {loaded.suite.name}: {len(planned)} cells, {len(done)} done, {len(todo)} to run"
    return to_text(Page(title, f"spec {loaded.spec_path} · in {root}", (Section("Cells", (table, *map(Text, words))),)))


def _row(each: Planned, root: Path) -> tuple[str, ...]:
    if each.open:
        return each.cell.name, each.open, "", "", "", "", ""
    expected = summary(each.estimate)
    usd = "–" if expected["usd"] is None else f"{expected['usd']:.2f}"
    counts = (f"{expected[key]:,}" for key in ("updates", "instructor_requests", "base_requests", "tokens"))
    return each.cell.name, "done" if is_done(root, each) else "to run", *counts, usd


def summary(estimate: dict[str, Any]) -> dict[str, Any]:
    """What one cell is expected to ask for if it shares nothing."""
    roles = {role: estimate[role]["expected"] for role in ("instructor", "base")}
    microusd = roles["instructor"]["microusd"]
    return {
        "updates": estimate["training"]["updates"],
        "instructor_requests": roles["instructor"]["requests"],
        "base_requests": roles["base"]["requests"],
        "tokens": sum(role[key] for role in roles.values() for key in ("prompt_tokens", "completion_tokens")),
        "usd": None if microusd is None else microusd / MICRO,
    }


def _shared(planned: Sequence[Planned]) -> str:
    """Cost with every stage counted once, for equal stages are taken from the store."""
    costs: dict[str, int | None] = {}
    for each in planned:
        if each.open is None:
            for entry in each.estimate["stages"]:
                costs[each.stages[entry["stage"]]] = entry["expected"]["microusd"]
    known = [cost for cost in costs.values() if cost is not None]
    usd = f"${sum(known) / MICRO:.2f}" if len(known) == len(costs) else "unknown (add models.instructor.price)"
    return f"Expected cost of all cells, equal stages paid once through the store: {usd}."


def _time(done: Sequence[Planned], left: int, root: Path) -> str:
    if not left:
        return "Nothing is left to run."
    times = [wall_seconds(cell_folder(root, each.cell)) for each in done]
    if not times:
        return (
            "How long it takes is known once the first cell is done; sdrl rehearse PLAN forecasts one on this hardware."
        )
    return f"About {time_words(fmean(times) * left)} more, by the {len(times)} cells that are done."


def shipped_listing(name: str | None = None) -> str:
    """Every suite that ships, or the named one: its arms, and what each needs of a spec, as text.

    Raises:
        SdrlError: none of that name ships (exit 2).
    """
    files = shipped_suites()
    if name is not None and name not in files:
        raise SdrlError("", f"no suite '{name}' ships with sdrl", help=nearest_suite(name), exit=Exit.USAGE)
    chosen = [path for each, path in files.items() if name in (None, each)]
    suites = [Suite.model_validate(extended(written_in(path), None).data) for path in chosen]
    sections = tuple(Section(suite.name, (Text(suite.about or ""), _arms(suite))) for suite in suites)
    return to_text(Page("suites that ship with sdrl", "sdrl compare NAME --spec SPEC", sections))


def _arms(suite: Suite) -> Table:
    arms = [expanded(arm) for arm in suite.arms]
    rows = tuple((arm.name or "", ", ".join(needs_of(arm)), arm.about or "") for arm in arms)
    return Table(("arm", "needs", "is"), rows, frozenset({0, 1, 2}))
