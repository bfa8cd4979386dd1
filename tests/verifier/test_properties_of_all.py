"""Properties that hold for every answer type by design: golds, forms, thought, order, failures, copies."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sdrl.verifier import Verifier

OPTIONS = {"A": "Paris", "B": "London", "C": "Rome", "D": "Berlin"}
LABELS = ("entailment", "contradiction", "neutral")
VERDICTS = ("correct", "incorrect", "unparsable", "error")
SLOTS: dict[str, tuple[dict[str, Any], Callable[[str], str]]] = {
    "tag": ({"kind": "tag", "name": "answer"}, lambda slot: f"<answer>{slot}</answer>"),
    "boxed": ({"kind": "boxed"}, lambda slot: rf"\boxed{{{slot}}}"),
    "marker": ({"kind": "marker", "marker": "####"}, lambda slot: f"#### {slot}\n"),
}


class Kind(NamedTuple):
    """One answer type: the rest of its program, its golds, and when two golds are one value."""

    program: dict[str, Any]
    golds: st.SearchStrategy[str]
    value: Callable[[str], object]
    options: dict[str, str] | None = None


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


EXACT = {"abs": "0", "rel": "0"}
names = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäé ", min_size=3, max_size=20).filter(
    lambda text: len(text.strip()) > 2
)
numbers = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4).map(str),
    st.fractions(max_denominator=999).map(str),
)
records = st.fixed_dictionaries({"n": st.integers(-999, 999), "who": names.map(str.strip)})
KINDS: dict[str, Kind] = {
    "number": Kind({"type": "number", "tolerance": EXACT}, numbers, Fraction),
    "math": Kind({"type": "math", "tolerance": EXACT}, numbers, Fraction),
    "choice": Kind({"type": "choice"}, st.sampled_from(sorted(OPTIONS)), str, OPTIONS),
    "boolean": Kind({"type": "boolean"}, st.sampled_from(["yes", "no"]), str),
    "label": Kind({"type": "label", "options": list(LABELS)}, st.sampled_from(LABELS), str),
    "text": Kind({"type": "text"}, names, _words),
    "set": Kind(
        {"type": "set"},
        st.lists(names, min_size=1, max_size=5).map(", ".join),
        lambda text: frozenset(_words(item) for item in text.split(",")),
    ),
    "json": Kind(
        {"type": "json", "fields": {"n": {"type": "number", "tolerance": EXACT}, "who": {"type": "text"}}},
        records.map(json.dumps),
        lambda text: (json.loads(text)["n"], _words(json.loads(text)["who"])),
    ),
}
VERIFIERS = {
    (kind, slot): Verifier.from_program({"version": 1, "extract": SLOTS[slot][0], **KINDS[kind].program})
    for kind in KINDS
    for slot in SLOTS
}
# A JSON record has braces and quotes of its own; the tag is its slot.
PLACES = [(kind, slot) for kind, slot in VERIFIERS if kind != "json" or slot == "tag"]
prose = st.text(max_size=120).filter(lambda text: not any(sign in text for sign in "<\\#{}"))
PIECES = [
    *(
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        "\\boxed{",
        "}",
        "####",
        "A",
        "B",
        "18",
        ",",
        " or ",
        "\n",
        "not ",
    ),
    *("{", '"', "\\frac", "^", "\u0661", "Ａ", "\u202e", "\u0301", "\ud800", "\x00", "1e9", "-", "/0"),
]
anything = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(PIECES),
        max_size=25,
    ).map("".join),
)
few = settings(max_examples=25, deadline=None)  # the first mathematical one starts a worker
each = pytest.mark.parametrize(("kind", "slot"), PLACES)


def judge(kind: str, slot: str, completion: str, gold: str) -> str:
    return VERIFIERS[kind, slot].judge(completion, gold, KINDS[kind].options).verdict


@each
@few
@given(st.data())
def test_a_gold_meets_itself(kind: str, slot: str, data: st.DataObject) -> None:
    gold = data.draw(KINDS[kind].golds)
    assert judge(kind, slot, SLOTS[slot][1](gold), gold) == "correct"


@each
@few
@given(st.data())
def test_what_a_gold_is_read_to_is_read_to_itself(kind: str, slot: str, data: st.DataObject) -> None:
    verifier = VERIFIERS[kind, slot]
    canonical = verifier.read_gold(data.draw(KINDS[kind].golds), KINDS[kind].options)
    assert canonical is not None
    assert verifier.read_gold(canonical, KINDS[kind].options) == canonical


@each
@few
@given(st.data(), prose, prose)
def test_prose_outside_the_slot_changes_nothing(
    kind: str, slot: str, data: st.DataObject, before: str, behind: str
) -> None:
    one, other = data.draw(KINDS[kind].golds), data.draw(KINDS[kind].golds)
    inside = SLOTS[slot][1](one)
    assert judge(kind, slot, f"{before}{inside}{behind}", other) == judge(kind, slot, inside, other)


@each
@few
@given(st.data(), st.text(max_size=80).filter(lambda text: "think>" not in text))
def test_thought_is_invisible(kind: str, slot: str, data: st.DataObject, thought: str) -> None:
    one, other = data.draw(KINDS[kind].golds), data.draw(KINDS[kind].golds)
    said, wrong = SLOTS[slot][1](one), SLOTS[slot][1](other)
    alone = judge(kind, slot, said, other)
    assert judge(kind, slot, f"<think>{thought}{wrong}</think>{said}", other) == alone
    assert judge(kind, slot, f"{thought}{wrong}</think>{said}", other) == alone
    assert judge(kind, slot, f"{said}<think>{thought}{wrong}", other) == alone
    assert judge(kind, slot, f"<think>{thought}{wrong}</think>", other) == "unparsable"


@each
@few
@given(st.data(), anything)
def test_two_different_golds_are_never_both_met(kind: str, slot: str, data: st.DataObject, noise: str) -> None:
    first, second = data.draw(KINDS[kind].golds), data.draw(KINDS[kind].golds)
    assume(KINDS[kind].value(first) != KINDS[kind].value(second))
    for said in (first, second, noise, f"{first} {second}", f"{first}, {second}", f"{first} or {second}"):
        completion = SLOTS[slot][1](said)
        verdicts = [judge(kind, slot, completion, gold) for gold in (first, second)]
        assert verdicts != ["correct", "correct"], completion


FORMS = (
    "{}",
    " {} ",
    "\n{}\n",
    "**{}**",
    "*{}*",
    "`{}`",
    '"{}"',
    "“{}”",
    "${}$",
    "\\text{{{}}}",
    "\u00a0{}",
    "\ufeff{}",
)
WITH_DOT = ("{}.", "**{}.**", "{}. ")


@pytest.mark.parametrize(("kind", "slot"), [(kind, "tag") for kind in KINDS if kind not in ("json", "set")])
@few
@given(st.data(), st.sampled_from([*FORMS, *WITH_DOT]))
def test_a_form_that_is_read_leaves_the_verdict(kind: str, slot: str, data: st.DataObject, form: str) -> None:
    one, other = data.draw(KINDS[kind].golds), data.draw(KINDS[kind].golds)
    assume(kind != "math" or not (form.startswith("\\text") and "/" in one))
    said = SLOTS[slot][1](form.format(one))
    assert judge(kind, slot, said, other) == judge(kind, slot, SLOTS[slot][1](one), other)
    assert judge(kind, slot, said, one) == "correct"


@each
@few
@given(anything, anything)
def test_any_text_gets_a_verdict(kind: str, slot: str, completion: str, gold: str) -> None:
    if kind == "math":  # what two noises are worth is for the workers; the reading alone is in question here
        gold = "18"
    for text in (completion, SLOTS[slot][1](completion)):
        assert judge(kind, slot, text, gold) in VERDICTS
        span = VERIFIERS[kind, slot].extract(text, KINDS[kind].options).span
        assert span is None or 0 <= span[0] <= span[1] <= len(text)


@each
@few
@given(st.data())
def test_many_and_a_copy_judge_as_one_does(kind: str, slot: str, data: st.DataObject) -> None:
    verifier, options = VERIFIERS[kind, slot], KINDS[kind].options
    golds = data.draw(st.lists(KINDS[kind].golds, min_size=2, max_size=6))
    items = [(SLOTS[slot][1](said), gold, options) for said, gold in zip(golds, golds[1:] + golds[:1], strict=True)]
    single = [verifier.judge(*item) for item in items]
    assert verifier.judge_many(items) == single
    assert pickle.loads(pickle.dumps(verifier)).judge_many(items) == single


@few
@given(st.lists(names, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_set_and_of_an_objects_keys_counts_for_nothing(items: list[str], chance: Any) -> None:
    shuffled = chance.sample(items, len(items))
    assert judge("set", "tag", SLOTS["tag"][1](", ".join(shuffled)), ", ".join(items)) == "correct"
    record = {name.strip(): number for number, name in enumerate(items)}
    other = {name.strip(): record[name.strip()] for name in shuffled}
    plain = Verifier.from_program({"version": 1, "type": "json", "extract": {"kind": "whole"}})
    assert plain.judge(json.dumps(other), json.dumps(record)).verdict == "correct"


@few
@given(numbers, numbers)
def test_mathematics_and_numbers_agree_on_numbers(first: str, second: str) -> None:
    box = SLOTS["boxed"][1](first)
    assert judge("math", "boxed", box, second) == judge("number", "boxed", box, second)
