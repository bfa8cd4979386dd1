"""Edits change what they name and nothing else: examples by hand; properties are in test_edit_properties.py."""

from __future__ import annotations

from typing import Any

import pytest

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply
from sdrl.spec.locate import specs_dir

REFERENCE = (specs_dir() / "_reference.yaml").read_text(encoding="utf-8")


def edited(text: str, *edits: tuple[Any, ...]) -> str:
    return apply(text, [Edit(*edit) for edit in edits])


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("vote: {draws: 16} # c\n", ("set", "vote.draws", 8), "vote: {draws: 8} # c\n"),
        ("vote:\n  draws: 16  # c\n", ("set", "vote.draws", 8), "vote:\n  draws: 8  # c\n"),
        ("vote:  # c\n", ("set", "vote.draws", 8), "vote: {draws: 8}  # c\n"),
        ("vote: {}\n", ("set", "vote.draws", 8), "vote: {draws: 8}\n"),
        ("seed: 3\n", ("set", "vote.draws", 8), "vote: {draws: 8}\nseed: 3\n"),
        ("seed: 3", ("set", "lint.ignore", ["W301"]), "lint: {ignore: [W301]}\nseed: 3"),
        ("name: a", ("set", "seed", 1), "name: a\nseed: 1"),
        ("name: a\n# end\n", ("set", "seed", 1), "name: a\nseed: 1\n# end\n"),
        (
            "task:\n    description: d\n",
            ("set", "task.license", "MIT"),
            "task:\n    description: d\n    license: MIT\n",
        ),
        ("demos: []\n", ("insert", "demos.0", {"input": "a", "output": "b"}), "demos: [{input: a, output: b}]\n"),
        (
            "filter:\n- duplicates: true\n",
            ("insert", "filter.-", {"rouge_l": 1}),
            "filter:\n- duplicates: true\n- {rouge_l: 1}\n",
        ),
        ("answer: {tolerance: 0.1}\n", ("set", "answer.tolerance.rel", 1), "answer: {tolerance: {abs: 0.1, rel: 1}}\n"),
        ("lint:\n  ignore: [W301]\n", ("remove", "lint.ignore.0"), "lint:\n  ignore: []\n"),
        ("lint:  # c\n  ignore: [W301]\nseed: 1\n", ("remove", "lint.ignore"), "lint: {}  # c\nseed: 1\n"),
        ("task:\n  description: |\n    x\n\n  license: m\n", ("remove", "task.description"), "task:\n\n  license: m\n"),
        ("task: {description: a,}\n", ("set", "task.license", "b"), "task: {description: a, license: b,}\n"),
        ("train: {lora: null}\n", ("set", "train.lora.rank", 8), "train: {lora: {rank: 8}}\n"),
        ("train: {lora: {rank: 8}}\n", ("set", "train.lora", None), "train: {lora: null}\n"),
        ("budget: {tokens: 20M}\n", ("set", "budget.tokens", "30M"), "budget: {tokens: 30M}\n"),
        ("budget: {tokens: 20M}\n", ("set", "budget.tokens", 20_000_000), "budget: {tokens: 20M}\n"),
        ("train: {learning_rate: 1e-6}\n", ("set", "train.learning_rate", 0.000001), "train: {learning_rate: 1e-6}\n"),
        ("name: 'a'\n", ("set", "name", "b"), "name: 'b'\n"),
        ("name: a\n  # c\nseed: 1\n", ("set", "name", "b\nc"), 'name: "b\\nc"\n  # c\nseed: 1\n'),
        ("params: {a: b}\n", ("set", ("params", "c.d"), "x"), "params: {a: b, c.d: x}\n"),
        (
            "task:\n  description: >-\n    a\n    b\n",
            ("set", "task.description", "c"),
            "task:\n  description: >-\n    c\n",
        ),
        ("seed: 1\n", ("set", "task.description", "a\nb\n"), "task:\n  description: |\n    a\n    b\nseed: 1\n"),
    ],
)
def test_an_edit_reads_as_if_written_by_hand(before: str, edit: tuple[Any, ...], after: str) -> None:
    assert edited(before, edit) == after


def test_a_key_goes_where_the_language_has_it() -> None:
    text = edited("seed: 1\nanswer: {take: first}\n", ("set", "name", "a"), ("set", "vote.draws", 2))
    assert text == "name: a\nseed: 1\nanswer: {take: first}\nvote: {draws: 2}\n"
    assert edited("", ("set", "seed", 1), ("set", "sdrl", 1)) == "sdrl: 1\nseed: 1\n"


def test_an_item_moves_with_its_comment_and_leaves_others_alone() -> None:
    text = "filter:\n  - duplicates: true  # one\n  # about two\n  - rouge_l: 0.7  # two\nseed: 1\n"
    moved = edited(text, ("move", "filter.0", None, 1))
    assert moved == "filter:\n  - rouge_l: 0.7  # two\n  # about two\n  - duplicates: true  # one\nseed: 1\n"
    assert edited("lint: {ignore: [W301, W302, W303]}", ("move", "lint.ignore.2", None, 0)) == (
        "lint: {ignore: [W303, W301, W302]}"
    )


def test_a_table_set_anew_changes_only_where_it_differs() -> None:
    before = "vote:  # votes\n  draws: 16  # sixteen\n  tie: drop  # ties\n"
    after = edited(before, ("set", "vote", {"draws": 8, "tie": "drop", "stop_early": False}))
    assert after == "vote:  # votes\n  draws: 8  # sixteen\n  tie: drop  # ties\n  stop_early: false\n"


@pytest.mark.parametrize(
    ("edit", "code", "words"),
    [
        (("set", "vote.drawz", 1), "E202", "unknown key 'drawz' in vote"),
        (("set", "vote", {"drawz": 1}), "E202", "unknown key 'drawz' in vote"),
        (("set", "vote.draws", "many"), "E204", "vote.draws must be a whole number"),
        (("set", "vote.draws", "8"), "E204", "vote.draws must be a whole number"),
        (("set", "vote.draws", True), "E204", "vote.draws must be a whole number"),
        (("set", "vote.tie", "dropp"), "E205", "vote.tie cannot be 'dropp'"),
        (("set", "vote", 3), "E201", "vote must be a table"),
        (("set", "demos.0", "x"), "E201", "demos.0 must be"),
        (("set", "corpus", {"files": ["a"]}), "E201", "corpus must be a list"),
        (("set", "task.description", "half \ud800 a pair"), "E114", "task.description"),
        (("set", "seed", float("nan")), "E204", "seed must be a whole number"),
        (("set", "seed", {1, 2}), "E114", "seed cannot hold set"),
        (("insert", "demos.7", {"input": "a", "output": "b"}), "E114", "demos.7 is past the end"),
        (("insert", "vote.draws", 3), "E114", "vote.draws is no place in a list"),
        (("remove", "demos.7"), "E114", "demos.7 is not written"),
        (("move", "filter.0", None, 9), "E114", "filter.0 cannot move to 9"),
        (("move", "vote.draws", None, 0), "E114", "vote.draws is no item"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_path(edit: tuple[Any, ...], code: str, words: str) -> None:
    with pytest.raises(SdrlError) as caught:
        edited(REFERENCE, edit)
    assert (caught.value.code, words in caught.value.message) == (code, True), caught.value


def test_a_near_key_is_proposed() -> None:
    with pytest.raises(SdrlError) as caught:
        edited(REFERENCE, ("set", "vote.drawz", 1))
    assert caught.value.help == "did you mean 'draws'?"


def test_a_text_that_is_no_yaml_is_not_edited() -> None:
    with pytest.raises(SdrlError) as caught:
        edited("vote: {draws: 1\n", ("set", "vote.draws", 1))
    assert caught.value.code == "E105"


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {"operation": "sett", "path": "a", "value": 1},
        {"operation": "set", "path": "a"},
        {"operation": "set", "path": 3, "value": 1},
        {"operation": "set", "paht": "a", "value": 1},
        {"operation": "move", "path": "filter.0"},
        {"operation": "move", "path": "filter.0", "to": True},
        {"operation": "remove", "path": "filter.0", "to": 1},
    ],
)
def test_a_malformed_edit_is_refused(bad: Any) -> None:
    with pytest.raises(SdrlError) as caught:
        Edit.from_json(bad)
    assert caught.value.code == "E114"
    assert caught.value.help


@pytest.mark.parametrize(
    "edit", [Edit("set", "seed", None), Edit("move", "filter.0", to=1), Edit("insert", ("demos", 0), {"input": "a"})]
)
def test_an_edit_crosses_json_whole(edit: Edit) -> None:
    assert Edit.from_json(edit.to_json()) == edit
