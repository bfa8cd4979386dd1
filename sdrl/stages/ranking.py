"""Scores and the choice of training samples (paper section 4.3, equation 7). Pure: asks nobody.

Equation 7: a sample's score is its pass rate over L draws, and 1 when no draw was right; the M lowest scores train.
The paper leaves open: ties (ours: a seeded order, so that neither early nor adapted samples are preferred) and what
fills up when fewer than M lie strictly between 0 and 1 (``select.fill``; ours: nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sdrl.spec.model import Select

Row = Mapping[str, Any]


def score(correct: int, draws: int) -> float:
    """Equation 7: pass rate in (0, 1], or 1 for a sample that was never solved."""
    return correct / draws if correct else 1.0


def is_solvable(row: Row, min_solved: int) -> bool:
    """Solved at least ``min_solved`` times, and not every time."""
    return min_solved <= int(row["correct"]) < int(row["draws"])


def choose(rows: Sequence[Row], select: Select, tie: Callable[[str], int]) -> list[Row]:
    """The training samples in training order; at most ``select.samples`` unless the order is ``all``.

    ``tie`` maps a sample id to its place among equals.
    """
    order = select.order
    if order == "all":
        return list(rows)
    solvable = [row for row in rows if is_solvable(row, select.min_solved)]
    rest = [row for row in rows if not is_solvable(row, select.min_solved)]
    if order == "random":
        ranked = sorted(solvable, key=lambda row: tie(str(row["id"])))
    elif order == "easy":
        ranked = sorted(solvable, key=lambda row: (-row["correct"] / row["draws"], tie(str(row["id"]))))
    elif order == "hard":  # Table 4's 'hard': lowest pass rates, the never solved among them
        ranked = sorted(rows, key=lambda row: (row["correct"] / row["draws"], tie(str(row["id"]))))
        rest = []
    else:
        ranked = sorted(solvable, key=lambda row: (score(row["correct"], row["draws"]), tie(str(row["id"]))))
        if select.never_solved == "last":
            ranked += sorted(
                (row for row in rest if row["correct"] == 0 or row["correct"] == row["draws"]),
                key=lambda row: tie(str(row["id"])),
            )
            rest = [row for row in rest if 0 < row["correct"] < row["draws"]]
    if len(ranked) < select.samples and select.fill != "none":
        ranked += sorted(rest, key=lambda row: _fill_key(row, select.fill, tie))
    return ranked[: select.samples]


def _fill_key(row: Row, fill: str, tie: Callable[[str], int]) -> tuple[float, int]:
    rate = row["correct"] / row["draws"]
    return (-rate if fill == "easy" else rate if fill == "hard" else 0.0, tie(str(row["id"])))
