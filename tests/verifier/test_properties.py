"""Properties that hold by design: golds meet themselves, prose outside the slot changes nothing, golds do not mix."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from sdrl.verifier import Verifier

EXACT = {"abs": "0", "rel": "0"}
OPTIONS = {"A": "Paris", "B": "London", "C": "Rome", "D": "Berlin"}


def program(kind: str, extract: dict[str, Any], **more: Any) -> Verifier:
    return Verifier.from_program({"version": 1, "type": kind, "extract": extract, **more})


TAG = {"kind": "tag", "name": "answer"}
BOXED = {"kind": "boxed"}
MARKER = {"kind": "marker", "marker": "####"}
NUMBER = {slot["kind"]: program("number", slot, tolerance=EXACT) for slot in (TAG, BOXED, MARKER)}
CHOICE = program("choice", TAG, options=list(OPTIONS))
LABEL = program("label", TAG, options=["entailment", "contradiction", "neutral", "not neutral"])
BOOLEAN = program("boolean", TAG)
TEXT = program("text", TAG)
SET = program("set", TAG)

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e30"), max_value=Decimal("1e30"))
fractions = st.fractions(max_denominator=10**6)
numbers = st.one_of(st.integers().filter(lambda n: abs(n) < 10**300).map(str), decimals.map(str), fractions.map(str))
# Prose without thought tags, slots of its own, or a line's end that would cut a marker's slot.
prose = st.text(max_size=200).filter(
    lambda text: not any(sign in text for sign in ("think>", "<", "\\", "#", "{", "}"))
)


def wrap(kind: str, slot: str) -> str:
    return {"tag": f"<answer>{slot}</answer>", "boxed": rf"\boxed{{{slot}}}", "marker": f"#### {slot}\n"}[kind]


@given(numbers, st.sampled_from(["tag", "boxed", "marker"]))
def test_a_number_meets_itself(number: str, kind: str) -> None:
    found = NUMBER[kind].judge(wrap(kind, number), number)
    assert found.verdict == "correct"
    assert NUMBER[kind].read_gold(found.prediction or "") == found.prediction


@given(numbers, prose, prose, st.sampled_from(["tag", "boxed", "marker"]))
def test_prose_outside_the_slot_changes_nothing(number: str, before: str, behind: str, kind: str) -> None:
    alone = NUMBER[kind].extract(wrap(kind, number))
    inside = NUMBER[kind].extract(before + wrap(kind, number) + behind)
    assert inside.prediction == alone.prediction


@given(numbers, numbers, st.text(max_size=30))
def test_two_different_exact_golds_are_never_both_met(first: str, second: str, slot: str) -> None:
    assume(Fraction(first) != Fraction(second))
    for completion in (first, second, slot, f"{first} {second}", f"{first}, {second}"):
        verdicts = [NUMBER["tag"].judge(wrap("tag", completion), gold).verdict for gold in (first, second)]
        assert verdicts != ["correct", "correct"]


@given(numbers, numbers)
def test_numbers_are_the_same_exactly_when_their_values_are(first: str, second: str) -> None:
    verifier = NUMBER["tag"]
    one, two = verifier.read_gold(first), verifier.read_gold(second)
    assert one is not None and two is not None
    assert verifier.same(one, two) == (Fraction(first) == Fraction(second))
    assert verifier.same(one, two) == verifier.same(two, one)


@given(st.text(max_size=300), st.sampled_from(["tag", "boxed", "marker"]))
def test_any_text_gets_a_verdict_and_the_span_lies_in_it(text: str, kind: str) -> None:
    assert NUMBER[kind].judge(text, "18").verdict in ("correct", "incorrect", "unparsable")
    assert NUMBER[kind].judge(wrap(kind, text), "18").verdict in ("correct", "incorrect", "unparsable")
    span = NUMBER[kind].extract(wrap(kind, text)).span
    assert span is None or 0 <= span[0] <= span[1] <= len(wrap(kind, text))


@given(st.sampled_from(list(OPTIONS)), st.sampled_from(list(OPTIONS)))
def test_only_the_named_option_is_met(named: str, gold: str) -> None:
    wanted = "correct" if named == gold else "incorrect"
    for slot in (named, named.lower(), f"({named})", f"{named}. {OPTIONS[named]}", OPTIONS[named], f"Option {named}"):
        assert CHOICE.judge(wrap("tag", slot), gold, OPTIONS).verdict == wanted


@given(
    st.lists(st.sampled_from(list(OPTIONS)), min_size=2, max_size=4, unique=True), st.sampled_from([", ", " or ", "/"])
)
def test_several_options_in_the_slot_are_incorrect(keys: list[str], separator: str) -> None:
    for gold in OPTIONS:
        assert CHOICE.judge(wrap("tag", separator.join(keys)), gold, OPTIONS).verdict == "incorrect"


@given(st.text(max_size=60))
def test_no_text_meets_two_options_or_two_labels(slot: str) -> None:
    completion = wrap("tag", slot)
    assert sum(CHOICE.judge(completion, gold, OPTIONS).verdict == "correct" for gold in OPTIONS) <= 1
    labels = ("entailment", "contradiction", "neutral", "not neutral")
    assert sum(LABEL.judge(completion, gold).verdict == "correct" for gold in labels) <= 1
    assert sum(BOOLEAN.judge(completion, gold).verdict == "correct" for gold in ("yes", "no")) <= 1


@given(st.text(min_size=1, max_size=40).filter(lambda text: "<" not in text))
def test_a_text_meets_itself_unless_it_is_nothing(text: str) -> None:
    canonical = TEXT.read_gold(text)
    verdict = TEXT.judge(wrap("tag", text), text).verdict
    assert verdict == ("correct" if canonical else "error")
    assert canonical is None or TEXT.read_gold(canonical) == canonical


@given(st.lists(st.text(alphabet="abcdefgh ", min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=6))
def test_a_set_is_met_in_any_order(items: list[str]) -> None:
    assert SET.judge(wrap("tag", ", ".join(reversed(items))), ", ".join(items)).verdict == "correct"


@given(st.lists(st.one_of(st.none(), numbers), max_size=12))
def test_groups_are_the_classes_of_equal_values(values: list[str | None]) -> None:
    verifier = NUMBER["tag"]
    predictions = [None if value is None else verifier.read_gold(value) for value in values]
    groups = verifier.group(predictions)
    for one, first in zip(groups, values, strict=True):
        assert (one is None) == (first is None)
        for two, second in zip(groups, values, strict=True):
            if first is not None and second is not None:
                assert (one == two) == (Fraction(first) == Fraction(second))
