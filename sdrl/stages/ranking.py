"""The choice of training samples among scored rows, by their places (``compiler.places``). Pure: asks nobody.

The paper leaves ties open (ours: a seeded order, so that neither early nor adapted samples are preferred).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sdrl.compiler.places import place
from sdrl.spec.model import Select

Row = Mapping[str, Any]


def choose(rows: Sequence[Row], select: Select, tie: Callable[[str], int]) -> list[Row]:
    """The training samples in training order; at most ``select.samples`` unless the order is ``all``.

    ``tie`` maps a sample id to its place among equals.
    """
    if select.order == "all":
        return list(rows)
    placed = [
        (place(int(row["correct"]), int(row["draws"]), select, is_doubted=bool(row.get("label_doubt"))), row)
        for row in rows
    ]
    ranked = sorted(
        ((at, tie(str(row["id"])), number) for number, (at, row) in enumerate(placed) if at is not None),
    )
    return [rows[number] for _, _, number in ranked[: select.samples]]
