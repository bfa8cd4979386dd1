"""Equation 7 and the choices the paper leaves open."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sdrl.compiler.places import score
from sdrl.spec.model import Select
from sdrl.stages.ranking import choose

DRAWS = 64


def row(id_: str, correct: int) -> dict[str, Any]:
    return {"id": id_, "correct": correct, "draws": DRAWS}


ROWS = [row("never", 0), row("once", 1), row("hard", 4), row("middle", 30), row("easy", 60), row("always", 64)]


def ids(select: Select) -> list[str]:
    return [str(each["id"]) for each in choose(ROWS, select, lambda id_: 0)]


def test_equation_seven_ranks_never_solved_with_always_solved() -> None:
    assert score(0, DRAWS) == 1.0 == score(DRAWS, DRAWS)
    assert score(1, DRAWS) == 1 / 64


def test_the_hardest_solvable_come_first_and_the_rest_is_left_out() -> None:
    assert ids(Select(samples=10, min_solved=1)) == ["once", "hard", "middle", "easy"]
    assert ids(Select(samples=10, min_solved=2)) == ["hard", "middle", "easy"]
    assert ids(Select(samples=2, min_solved=2)) == ["hard", "middle"]


def test_the_paper_preset_ranks_the_score_of_one_last() -> None:
    chosen = ids(Select(samples=10, min_solved=1, never_solved="last"))
    assert chosen[:4] == ["once", "hard", "middle", "easy"]
    assert set(chosen[4:]) == {"never", "always"}


def test_fill_tops_up_only_when_too_few_are_solvable() -> None:
    assert ids(Select(samples=5, min_solved=2, fill="easy")) == ["hard", "middle", "easy", "always", "once"]
    assert ids(Select(samples=2, min_solved=2, fill="easy")) == ["hard", "middle"]


def test_the_other_orders_are_those_of_table_four() -> None:
    assert ids(Select(samples=2, order="easy")) == ["easy", "middle"]
    assert ids(Select(samples=2, order="hard")) == ["never", "once"]
    assert ids(Select(samples=2, order="all")) == [str(each["id"]) for each in ROWS]
    assert set(ids(Select(samples=9, order="random"))) == {"hard", "middle", "easy"}


@given(st.lists(st.integers(0, DRAWS), max_size=60), st.integers(1, 40), st.integers(0, 3))
def test_selection_takes_the_lowest_scores_among_the_solvable(rates: list[int], samples: int, least: int) -> None:
    rows = [row(str(index), correct) for index, correct in enumerate(rates)]
    chosen = choose(rows, Select(samples=samples, min_solved=least), lambda id_: int(id_))
    solvable = sorted(each["correct"] for each in rows if least <= each["correct"] < DRAWS)
    expected = sorted(score(correct, DRAWS) for correct in solvable)[:samples]
    assert sorted(score(each["correct"], DRAWS) for each in chosen) == expected


def test_samples_whose_label_the_base_contradicts_are_ranked_last_or_dropped() -> None:
    rows = [{**each, "label_doubt": each["id"] in ("hard", "never")} for each in ROWS]

    def chosen(select: Select) -> list[str]:
        return [str(each["id"]) for each in choose(rows, select, lambda id_: 0)]

    assert chosen(Select(samples=3)) == ["hard", "middle", "easy"]
    assert chosen(Select(samples=3, doubted="drop")) == ["middle", "easy"]
    assert chosen(Select(samples=3, doubted="last")) == ["middle", "easy", "hard"]
    assert chosen(Select(samples=2, doubted="last")) == ["middle", "easy"]
    assert chosen(Select(samples=2, order="hard", doubted="drop")) == ["once", "middle"]
    ranked = chosen(Select(samples=9, doubted="last", never_solved="last"))
    assert ranked[:3] == ["middle", "easy", "hard"] and set(ranked[3:]) == {"never", "always"}
    assert chosen(Select(order="all", doubted="drop")) == [str(each["id"]) for each in ROWS]
