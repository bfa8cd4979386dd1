"""Which numbers of a text can be masked, with what value, and the backward questions made of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.compiler.backward import SENTENCES, asked_back, asked_of, holds, maskings
from sdrl.compiler.numerals import amount, numerals
from sdrl.spec.method_table import ASKED_IN
from sdrl.verifier.verifier import Verifier

NUMBER = Verifier.from_program({"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}})


def found(text: str, language: str = "en") -> list[tuple[str, str]]:
    return [(text[each.start : each.end], each.value) for each in numerals(text, language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 packs of 4 pounds at $5.50.", [("5", "5"), ("4", "4"), ("5.50", "5.50")]),
        ("It costs $1,800.50, or 20% less", [("1,800.50", "1800.50"), ("20", "20")]),
        ("3/4 of it, 1 1/2 cups and .5 litres", [("3/4", "3/4"), ("1 1/2", "1 1/2"), (".5", ".5")]),
        (r"$\frac{3}{4}$, $3\dfrac{1}{2}$, $-7$", [(r"\frac{3}{4}", "3/4"), (r"3\dfrac{1}{2}", "3 1/2"), ("7", "7")]),
        ("Two are seven-year-old, zero, twenty", [("Two", "2"), ("seven", "7"), ("zero", "0"), ("twenty", "20")]),
        ("two hundred and 7", [("two", "2"), ("7", "7")]),
        ("x^2 and 2^{10}", [("2", "2"), ("2", "2"), ("10", "10")]),
        ("小明有3个苹果", [("3", "3")]),
    ],
)  # fmt: skip
def test_numbers_are_found_with_their_values(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the 3rd of H2O, 5km, covid-19 and item #3",
        "on 2021-05-03, 3/4/2020 at 9:30, in version 1.2.3",
        "(A) 5 apples\nB. 7 apples\n C) 8",
        "1. first\n2) second (3)",
        "Figure 3 and step 2 of Problem 4",
        "twenty-five men, a hundred and twenty women, one of them someone",
        "007, 12 000, 1{,}000, $101_2$, $x_{10}$, 3(a+b), 1/0",
        "[asy] draw((3,4)--(5,6)); [/asy]",
        "123456789012345678901234567890",
    ],
)
def test_what_only_looks_like_a_number_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_other_languages_have_figures_without_separators_alone() -> None:
    assert found("Er hat 1.800 Euro, 3,5 Liter und 12 Eier, zwei sind two", "de") == [("12", "12")]


def test_a_masked_number_is_read_by_the_verifier_as_it_stood_in_the_text() -> None:
    text = "1,800 and 5.50 and 3/4 and 1 1/2 and seven and .5"
    wanted = ["1800", "5.5", "3/4", "3/2", "7", "0.5"]
    assert [NUMBER.read_gold(value) for _, value in found(text)] == [NUMBER.read_gold(each) for each in wanted]
    assert [amount(value) for _, value in found(text)] == [amount(each) for each in wanted]


def test_each_number_becomes_the_unknown_once() -> None:
    made = maskings("Ann has 3 cats and 20% of 50 dogs.", "en")
    assert [(each.question, each.value) for each in made] == [
        ("Ann has x cats and 20% of 50 dogs.", "3"),
        ("Ann has 3 cats and x% of 50 dogs.", "20"),
        ("Ann has 3 cats and 20% of x dogs.", "50"),
    ]


@pytest.mark.parametrize(
    ("text", "letter"),
    [("3 cats", "x"), ("If x + 3 = 7", "y"), ("2x + 3y = 7", "z"), (r"$\max(3, 4)$ of six boxes", "x")],
)
def test_the_unknown_is_a_letter_that_the_question_lacks(text: str, letter: str) -> None:
    assert {each.unknown for each in maskings(text, "en")} == {letter}


def test_no_number_and_no_letter_left_give_nothing() -> None:
    assert maskings("How many are there?", "en") == ()
    assert maskings("x y z w v u t k 3", "en") == ()


def test_the_questions_of_the_paper() -> None:
    masked = maskings("Mara orders 5 boxes. How many tiles?", "en")[0]
    assert asked_back(masked, "60", "en-GB") == (
        "Mara orders x boxes. How many tiles? If we know the answer to the above question is 60, "
        "what is the value of unknown variable x?"
    )
    assert asked_of("Mara orders x boxes\nof 12.\n", "x", "en") == (
        "Mara orders x boxes\nof 12.\nWhat is the value of unknown variable x?"
    )


def test_the_language_and_the_sentences_are_the_same() -> None:
    assert tuple(sorted(SENTENCES)) == ASKED_IN


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("She pays $1,500.00 in all.", "1500", True),
        ("She pays 15 dollars.", "1500", False),
        ("It falls by 3 degrees.", "-3", True),
        (r"The area is \frac{1} {2}.", r"\frac{1}{2}", True),
        ("There are two left.", "2", True),
        ("Nothing is said.", "1e999999999", False),
    ],
)
def test_whether_a_statement_says_an_answer(text: str, answer: str, expected: bool) -> None:
    assert holds(text, answer, "en") is expected


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(alphabet="12 ,./-x\\frac{}()[]asytwo:%$\n3个#_^", max_size=60), language=st.sampled_from(["en", "de"])
)
def test_any_text_is_cut_at_its_numbers_alone(text: str, language: str) -> None:
    numbers = numerals(text, language)
    for each, after in pairwise(numbers):
        assert each.end <= after.start
    for each in numbers:
        assert 0 <= each.start < each.end <= len(text)
        assert amount(each.value) >= 0
    for masked, each in zip(maskings(text, language), numbers, strict=False):
        assert masked.question == text[: each.start] + masked.unknown + text[each.end :]
