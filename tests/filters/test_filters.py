from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.compiler.overlap import RUN_WORDS
from sdrl.filters import FilterState, apply_filters
from sdrl.filters.rouge_l import RougeL
from sdrl.filters.text import normal_form
from sdrl.spec.model import FilterStep

DUPLICATES = FilterStep(duplicates=True)
DECONTAMINATE = FilterStep(decontaminate=True)


def sample(id_: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "input": text, **more}


def outcome(steps: list[FilterStep], samples: list[dict[str, Any]], seen: FilterState | None = None) -> dict[str, str]:
    kept, dropped = apply_filters(steps, samples, seen or FilterState())
    return {s["id"]: "kept" for s in kept} | {s["id"]: code for s, code, _ in dropped}


def test_a_sample_that_differs_in_case_spacing_and_marks_alone_is_a_duplicate_of_the_first() -> None:
    samples = [sample("a", "How many eggs?"), sample("b", "how  many\neggs"), sample("c", "How many hens?")]
    kept, dropped = apply_filters([DUPLICATES], samples, FilterState())
    assert [s["id"] for s in kept] == ["a", "c"]
    assert [(s["id"], code, evidence) for s, code, evidence in dropped] == [("b", "duplicate", {"of": "a"})]


@pytest.mark.parametrize(
    ("a", "b"), [("3 - 5", "3 + 5"), ("x^2 = 4", "x^2 < 4"), ("35", "3.5"), ("-3", "3"), ("$5", "5%")]
)
def test_operators_and_signs_make_different_problems(a: str, b: str) -> None:
    assert normal_form(f"What is {a}?") != normal_form(f"What is {b}?")


def test_shuffled_options_make_no_new_problem_but_other_options_do() -> None:
    base = {"A": "hen", "B": "cow"}
    samples = [
        sample("a", "Which?", options=base),
        sample("b", "Which?", options={"A": "cow", "B": "hen"}),
        sample("c", "Which?", options={"A": "cow", "B": "pig"}),
    ]
    assert outcome([DUPLICATES], samples) == {"a": "kept", "b": "duplicate", "c": "kept"}


def test_a_sample_kept_by_an_earlier_call_counts_and_a_dropped_one_does_not() -> None:
    seen = FilterState()
    assert outcome([DUPLICATES, FilterStep(rouge_l=0.7)], [sample("a", "one two three four")], seen) == {"a": "kept"}
    later = [sample("b", "one two three five"), sample("c", "nine two nine five")]
    assert outcome([DUPLICATES, FilterStep(rouge_l=0.7)], later, seen) == {"b": "near_duplicate", "c": "kept"}


def test_what_an_earlier_stage_kept_can_be_handed_over() -> None:
    seen = FilterState()
    seen.remember([sample("a", "one two")])
    assert outcome([DUPLICATES], [sample("b", "One two.")], seen) == {"b": "duplicate"}


def test_the_first_filter_of_the_list_names_the_drop() -> None:
    samples = [sample("a", "one two"), sample("b", "one two")]
    assert outcome([FilterStep(rouge_l=0.9), DUPLICATES], samples)["b"] == "near_duplicate"
    assert outcome([DUPLICATES, FilterStep(rouge_l=0.9)], samples)["b"] == "duplicate"


def test_no_filters_and_a_filter_that_is_off_keep_everything() -> None:
    samples = [sample("a", "one"), sample("b", "one")]
    assert set(outcome([], samples).values()) == {"kept"}
    assert set(outcome([FilterStep(duplicates=False)], samples).values()) == {"kept"}


LONG = " ".join(f"word{n}" for n in range(30))


def test_an_evaluation_input_and_a_run_of_thirteen_words_of_one_are_contamination() -> None:
    seen = FilterState({"test": ["Short one?", LONG]})
    run = " ".join(LONG.split()[5 : 5 + RUN_WORDS])
    shorter = " ".join(LONG.split()[5 : 4 + RUN_WORDS])
    samples = [sample("a", "short ONE"), sample("b", f"Well {run} indeed"), sample("c", f"Well {shorter} indeed")]
    kept, dropped = apply_filters([DECONTAMINATE], samples, seen)
    assert [s["id"] for s in kept] == ["c"]
    assert [evidence for _, _, evidence in dropped] == [
        {"set": "test", "row": 0, "shared": "the whole input"},
        {"set": "test", "row": 1, "shared": run},
    ]


def test_a_sets_standing_instruction_is_no_contamination() -> None:
    instruction = " ".join(f"please{n}" for n in range(20))
    inputs = [f"{instruction} premise number {n} here" for n in range(100)]
    seen = FilterState({"nli": inputs})
    samples = [sample("a", f"{instruction} something else"), sample("b", inputs[7])]
    assert outcome([DECONTAMINATE], samples, seen) == {"a": "kept", "b": "contaminated"}


def rouge_l_by_the_book(a: list[str], b: list[str]) -> float:
    row = [0] * (len(b) + 1)
    for x in a:
        above = row[:]
        for j, y in enumerate(b):
            row[j + 1] = above[j] + 1 if x == y else max(above[j + 1], row[j])
    return 2 * row[-1] / (len(a) + len(b))


WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five"]), min_size=1, max_size=12)


@settings(deadline=None)
@given(WORDS, WORDS, st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_rouge_l_is_the_f_measure_of_the_longest_common_subsequence(
    a: list[str], b: list[str], threshold: float
) -> None:
    filter_ = RougeL(threshold)
    filter_.remember(sample("a", " ".join(a)))
    found = filter_.check(sample("b", " ".join(b)))
    expected = rouge_l_by_the_book(a, b)
    assert found == ({"of": "a", "rouge_l": round(expected, 4)} if expected >= threshold else None)


def test_rouge_l_names_the_closest_of_a_thousand() -> None:
    rng = random.Random(0)
    vocabulary = [f"w{n}" for n in range(2000)]
    texts = [" ".join(rng.choices(vocabulary, k=40)) for _ in range(1000)]
    filter_ = RougeL(0.7)
    for n, text in enumerate(texts):
        filter_.remember(sample(str(n), text))
    changed = texts[617].split()
    changed[3] = changed[30] = "other"
    assert filter_.check(sample("x", " ".join(changed))) == {"of": "617", "rouge_l": 0.95}


def test_a_text_without_words_is_never_a_near_duplicate() -> None:
    assert outcome([FilterStep(rouge_l=0.1)], [sample("a", "+"), sample("b", "-")]) == {"a": "kept", "b": "kept"}


def test_an_adapted_sample_is_compared_with_all_but_its_parent() -> None:
    text = "Ada has seven red apples and buys five more apples at the market how many apples are there now"
    state = FilterState()
    state.remember([{"id": "parent", "input": text}, {"id": "other", "input": "something else entirely"}])
    steps = [FilterStep(rouge_l=0.7)]
    child = {"id": "child", "input": text + " in all", "parent": "parent"}
    assert apply_filters(steps, [child], state).kept == [child]
    stranger = {"id": "stranger", "input": text + " in sum", "parent": "other"}
    dropped = apply_filters(steps, [stranger], state).dropped
    assert [drop.code for drop in dropped] == ["near_duplicate"]
