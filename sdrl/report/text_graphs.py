"""Pictures of the problems as texts: how long they are and how alike, synthetic beside real. Pure.

Every caption names the tokenizer or embedder: figures under different ones do not compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.report import svg
from sdrl.report.data import REAL, SELECTED, SYNTHETIC
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
        f"Length of a problem in {_unit(found)}, by where it came from. Rewrites that are only longer, not harder, "
        "show here as a shift to the right without a fall in pass rates."
    )
    picture = _columns("Lengths of problems", found["edges"], groups)
    return Graph("lengths", "Lengths of problems", caption, picture)


def _beside_real(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["lengths"]
    if not found or not any(name.startswith(REAL) for name in found["problems"]):
        return None
    groups = {name: each for name, each in found["problems"].items() if _is_set(name)}
    caption = (
        f"Length in {_unit(found)} of synthetic problems and of the real ones they stand for (the paper's Figures 19 "
        "to 21). Synthetic problems that are all shorter or all alike are a reason to change task.input_format."
    )
    title = "Lengths beside real problems"
    return Graph("lengths-real", title, caption, _columns(title, found["edges"], groups))


def _likeness(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["likeness"]
    if not found:
        return None
    shown = list(found["groups"].items())[: svg.COLOURS]
    n = len(shown[0][1]["counts"])
    labels = [f"{at / n:g}" if at % 2 == 0 else "" for at in range(n)]
    groups = [(name, [count / each["pairs"] for count in each["counts"]]) for name, each in shown]
    caption = (
        f"Cosine similarity of pairs of problems within each set (the paper's Figures 22 to 24); embedder: "
        f"{found['embedder']}. Further left is more varied; a hump at the right is one problem told again and again."
    )
    picture = svg.columns("Similarity within sets", labels, groups, y_label="share of pairs")
    return Graph("likeness", "Similarity of problems within sets", caption, picture)


def _is_set(name: str) -> bool:
    return name in (SYNTHETIC, SELECTED) or name.startswith(REAL)


def _unit(found: Mapping[str, Any]) -> str:
    return found["tokenizer"] if found["unit"] == "words" else f"tokens of {found['tokenizer']}"


def _columns(title: str, edges: Sequence[int], groups: Mapping[str, Mapping[str, Any]]) -> str:
    labels = [f"≤{edge}" for edge in edges] + [f">{edges[-1]}"]
    shares = [
        (f"{name} ({each['n']:,})", [count / max(1, each["n"]) for count in each["counts"]])
        for name, each in list(groups.items())[: svg.COLOURS]
    ]
    return svg.columns(title, labels, shares, y_label="share")
