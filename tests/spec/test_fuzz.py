"""A short fuzz run with a fixed seed; ``make fuzz`` runs 20,000 cases."""

from __future__ import annotations

from tests.spec.fuzz import case, play

CASES = 300


def test_no_damaged_spec_breaks_loader_compiler_or_reports() -> None:
    outcomes = [play(0, number, compiles=number % 4 == 0) for number in range(CASES)]
    assert [(each.number, each.failure) for each in outcomes if each.failure] == []
    assert len({code for each in outcomes for code in each.codes}) > 30
    assert any(each.compiled for each in outcomes)


def test_a_case_is_a_function_of_its_number() -> None:
    assert [case(0, number) for number in range(20)] == [case(0, number) for number in range(20)]
    assert case(0, 1) != case(1, 1)
