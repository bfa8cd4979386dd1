"""Short fuzz runs with fixed seeds; ``make fuzz`` runs 20,000 cases."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st

from tests.spec.fuzz import case, play, tried_whole
from tests.spec.fuzz_trees import texts, trees

CASES = 300
GENERATED = 120


def test_no_damaged_spec_breaks_loader_compiler_or_reports() -> None:
    outcomes = [play(0, number, compiles=number % 4 == 0) for number in range(CASES)]
    assert [(each.number, each.failure) for each in outcomes if each.failure] == []
    assert len({code for each in outcomes for code in each.codes}) > 30
    assert any(each.compiled for each in outcomes)


def test_a_case_is_a_function_of_its_number() -> None:
    assert [case(0, number) for number in range(20)] == [case(0, number) for number in range(20)]
    assert case(0, 1) != case(1, 1)


@hypothesis.settings(max_examples=GENERATED, database=None, deadline=None, derandomize=True)
@hypothesis.given(st.one_of(trees(), texts()))
def test_no_generated_spec_breaks_loader_or_reports(text: str) -> None:
    seconds, codes, _ = tried_whole(text.encode("utf-8", "surrogatepass"), compiles=False)
    assert seconds >= 0 and len(codes) < 500
