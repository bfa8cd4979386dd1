"""Pictures of the problems as texts: how long they are and how alike, synthetic beside real. Pure.

Every caption names the tokenizer or embedder: figures under different ones do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.report import svg
from sdrl.report.data import FEW, REAL, SELECTED, SYNTHETIC
from sdrl.report.graph import Graph


def text_graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Lengths by origin, synthetic beside real, and cosine similarities within each set."""
    made = (_by_origin(figures), _beside_real(figures), _likeness(figures))
    return [each for each in made if each is not None]


def _by_origin(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["lengths"]
    if not found:
        return None
    groups = {name: each for name, each in found["problems"].items() if not _is_set(name) or name == SELECTED}
    caption = (
        f"{_medians(found, groups)} Length of a problem in {_unit(found)}, by where it came from. Rewrites that are "
        f"only longer, not harder, show as a shift to the right without a fall in pass rates.{_longer(found, groups)}"
    )
    return Graph("lengths", "Lengths of problems", caption, _lengths("Lengths of problems", found, groups))


def _beside_real(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["lengths"]
    if not found or not any(name.startswith(REAL) for name in found["problems"]):
        return None
    groups = {name: each for name, each in found["problems"].items() if _is_set(name)}
    title = "Lengths beside real problems"
    caption = (
        f"{_medians(found, groups)} Length in {_unit(found)} of synthetic problems and of the real ones they stand for "
        "(the paper's Figures 19 to 21). Synthetic problems that are all shorter or all alike are a reason to change "
        f"task.input_format.{_longer(found, groups)}"
    )
    return Graph("lengths-real", title, caption, _lengths(title, found, groups))


def _likeness(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["likeness"]
    if not found:
        return None
    shown = list(found["groups"].items())[: svg.COLOURS]
    bins = len(shown[0][1]["counts"])
    groups = [svg.Outline(name, [count / each["pairs"] for count in each["counts"]]) for name, each in shown]
    last = max(_keeps_all_but_few(each.shares) for each in groups)
    beyond = [(each.name, sum(each.shares[last:])) for each in groups]
    told = ", ".join(f"{each['mean']:.3f} ({name})" for name, each in shown)
    caption = (
        f"Mean {told}. Cosine similarity of pairs of problems within each set (the paper's Figures 22 to 24); "
        f"embedder: {found['embedder']}. Further left is more varied; a hump at the right is one problem told again "
        f"and again.{_beyond(beyond, f'above {last / bins:g}')}"
    )
    title = "Similarity of problems within sets"
    edges = [at / bins for at in range(last + 1)]
    cut = [svg.Outline(each.name, each.shares[:last]) for each in groups]
    picture = svg.outlines(title, edges, cut, x_label="cosine similarity", y_label="share of pairs")
    return Graph("likeness", title, caption, picture)


def _keeps_all_but_few(shares: svg.Shares) -> int:
    """How many bins from the left hold all but a few of the values."""
    left = 1.0
    for place, share in enumerate(shares, 1):
        left -= share
        if left < FEW:
            return place
    return len(shares)


def _beyond(shares: list[tuple[str, float]], where: str) -> str:
    told = ", ".join(f"{share * 100:.1f} % of {name}" for name, share in shares if share >= 0.0005)
    return f" Not drawn, {where}: {told}." if told else ""


def _longer(found: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> str:
    shares = [(name, each["counts"][-1] / max(1, each["n"])) for name, each in list(groups.items())[: svg.COLOURS]]
    return _beyond(shares, f"longer than {found['edges'][-1]:,}")


def _is_set(name: str) -> bool:
    return name in (SYNTHETIC, SELECTED) or name.startswith(REAL)


def _unit(found: Mapping[str, Any]) -> str:
    return str(found["tokenizer"]) if found["unit"] == "words" else f"tokens of {found['tokenizer']}"


def _medians(found: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> str:
    told = ", ".join(f"{each['median']:g} ({name})" for name, each in list(groups.items())[: svg.COLOURS])
    return f"Median {found['unit']}: {told}."


def _lengths(title: str, found: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Outlines over bins of one width; the few problems beyond the last bin are not drawn."""
    shown = [
        svg.Outline(f"{name} ({each['n']:,})", [count / max(1, each["n"]) for count in each["counts"][:-1]])
        for name, each in list(groups.items())[: svg.COLOURS]
    ]
    edges = [0, *found["edges"]]
    return svg.outlines(title, edges, shown, x_label=str(found["unit"]), y_label="share of problems")
