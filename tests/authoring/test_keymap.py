"""A person's own keys: a line binds what it asks for, or is told with its place; nothing else changes."""

from __future__ import annotations

import pytest

from sdrl.authoring.keymap import DEFAULTS, read_keymap, shown


def test_a_line_binds_an_action_to_another_key_or_to_several() -> None:
    keys, problems = read_keymap("save: ctrl+w\nplan: [f12, alt+p]\n", "keys.yaml")
    assert problems == ()
    assert (keys["save"], keys["plan"]) == (("ctrl+w",), ("f12", "alt+p"))
    assert {action: bound for action, bound in keys.items() if action not in ("save", "plan")} == {
        action: bound for action, bound in DEFAULTS.items() if action not in ("save", "plan")
    }
    assert shown(keys, "save") == "ctrl+w"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sav: ctrl+w\n", "keys.yaml:1:1: there is no action 'sav'; did you mean 'save'?"),
        ("save: f6\n", "keys.yaml:1:7: 'f6' is bound to plan already; bind plan to another key too"),
        ("seed: 1\n\nsave: enter\n", "keys.yaml:3:7: 'enter' cannot be bound, as it sends; take another, such as f10"),
        ("save: w\n", "keys.yaml:1:7: 'w' alone is for typing; take ctrl+w or an f-key"),
        ("save: ctrl+shift+zz\n", "keys.yaml:1:7: there is no key 'ctrl+shift+zz'"),
        ("save: {a: b}\n", "keys.yaml:1:7: a key is written as one word"),
        ("- save\n", "keys.yaml:1:1: no table of actions and keys"),
        ("save: [ctrl+w\n", "keys.yaml:"),
    ],
)
def test_what_cannot_be_bound_is_told_with_its_place_and_keeps_its_keys(text: str, said: str) -> None:
    keys, problems = read_keymap(text, "keys.yaml")
    assert any(problem.startswith(said) for problem in problems), problems
    assert keys["save"] == DEFAULTS["save"]


def test_two_actions_may_change_places() -> None:
    plan, verify = DEFAULTS["plan"][0], DEFAULTS["verify"][0]
    keys, problems = read_keymap(f"plan: {verify}\nverify: {plan}\n", "keys.yaml")
    assert (problems, keys["plan"], keys["verify"]) == ((), (verify,), (plan,))


@pytest.mark.parametrize("text", ["", "save: f6\nplan: f6\n", "save: ctrl+z\nundo: ctrl+q\n", "plan: [f5, f5, f9]\n"])
def test_whatever_a_file_says_no_key_is_bound_twice(text: str) -> None:
    keys, _ = read_keymap(text, "keys.yaml")
    bound = [key for each in keys.values() for key in set(each)]
    assert len(bound) == len(set(bound))
    assert set(keys) == set(DEFAULTS)
