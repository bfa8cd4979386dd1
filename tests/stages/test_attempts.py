"""Attempts: parts in their shares, passages in turn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sdrl.compiler.plan import PartPlan
from sdrl.stages.attempts import Attempts, part_of_each, turns_of
from sdrl.stages.pools import Pools


def part(name: str, share: float) -> PartPlan:
    return PartPlan(name, share, "d", None, "o")


def test_every_prefix_holds_the_parts_in_nearly_their_shares() -> None:
    parts = (part("a", 0.5), part("b", 0.3), part("c", 0.2))
    order = [each.name for each in part_of_each(parts, 200)]
    for size in (10, 37, 200):
        for each in parts:
            assert abs(order[:size].count(each.name) - each.share * size) <= 1


def attempts(per_sample: int, n_passages: int) -> Attempts:
    pool = [{"id": f"p{n}", "text": f"text {n}"} for n in range(n_passages)]
    settings = SimpleNamespace(retrieve=SimpleNamespace(per_sample=per_sample))
    ctx: Any = SimpleNamespace(plan=SimpleNamespace(settings=settings))
    return Attempts(ctx, {"all": pool}, {}, (), (), Pools((), None))


def test_a_turn_counts_the_attempts_before_of_the_same_part() -> None:
    order = part_of_each([part("a", 0.5), part("b", 0.3), part("c", 0.2)], 200)
    names = [each.name for each in order]
    assert list(turns_of(order)) == [names[:index].count(name) for index, name in enumerate(names)]


def test_passages_are_handed_out_in_turn_and_several_make_one_text() -> None:
    one = attempts(1, 3)
    assert [(one._passage("all", turn) or {})["id"] for turn in range(4)] == ["p0", "p1", "p2", "p0"]
    two = attempts(2, 3)
    assert two._passage("all", 1) == {"id": "p2+p0", "text": "text 2\n\ntext 0"}
    assert attempts(1, 0)._passage("all", 0) is None
