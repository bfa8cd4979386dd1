"""A person's own keys: a YAML file of action ids and keys, laid over the table's. Pure.

Nothing in a wrong line stops a start: what it names keeps its keys, and the line is reported with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sdrl.authoring.actions import ACTIONS, nearest

Keys = Mapping[str, tuple[str, ...]]
DEFAULTS: Keys = {action.id: action.keys for action in ACTIONS.values()}
NAMED = (
    "up down left right home end pageup pagedown insert delete backspace tab enter escape space "
    "slash backslash comma full_stop minus plus equals_sign semicolon colon apostrophe question_mark"
).split()
TAKEN = {  # what typing, a terminal or the chat itself needs
    "escape": "it stops and closes", "enter": "it sends", "ctrl+j": "it adds a line", "ctrl+m": "it is Enter",
    "ctrl+i": "it is Tab", "ctrl+h": "it is Backspace", "ctrl+c": "it copies", "ctrl+v": "it pastes",
    "tab": "it goes to the next part", "shift+tab": "it goes to the part before",
    "up": "it walks the history", "down": "it walks the history",
}  # fmt: skip
_KEY = re.compile(r"((?:ctrl|alt|shift|super|hyper|meta)\+)*([a-z0-9]|f[1-9]|f1[0-9]|f2[0-4]|" + "|".join(NAMED) + ")")
_TYPED = re.compile(r"(shift\+)?([a-z0-9]|" + "|".join(NAMED) + ")")


def read_keymap(text: str, name: str) -> tuple[Keys, tuple[str, ...]]:
    """The keys of every action, and one line for each that a file's line could not change: place, what, one fix."""
    from sdrl.spec.nodes import Mapping as Table
    from sdrl.spec.nodes import Scalar, Sequence, parse

    parsed = parse(text)
    if parsed.problems:
        return DEFAULTS, tuple(f"{name}:{each.line}:{each.column}: {each.message}" for each in parsed.problems)
    if parsed.root is None:
        return DEFAULTS, ()
    if not isinstance(parsed.root, Table):
        return DEFAULTS, (f"{name}:1:1: no table of actions and keys; a line is 'save: ctrl+w'",)
    problems: list[str] = []
    asked: dict[str, list[tuple[str, str]]] = {}
    for key, value in parsed.root.items:
        given = value.items if isinstance(value, Sequence) else [value]
        for each in [key, *given]:
            place = f"{name}:{each.mark.line + 1}:{each.mark.column + 1}"
            if not isinstance(each, Scalar):
                problems.append(f"{place}: a key is written as one word, such as ctrl+w or [ctrl+w, f10]")
            elif each is key:
                if key.text not in ACTIONS:
                    near = nearest(key.text)
                    hint = f"did you mean '{near}'?" if near else "/help lists all actions"
                    problems.append(f"{place}: there is no action '{key.text}'; {hint}")
                    break
                asked[key.text] = []
            elif wrong := _wrong(each.text.strip().lower()):
                problems.append(f"{place}: {wrong}")
            else:
                asked[key.text].append((each.text.strip().lower(), place))
    return _laid(asked, problems), tuple(problems)


def _wrong(key: str) -> str:
    """Why a key cannot be bound; '' where it can."""
    if key in TAKEN:
        return f"'{key}' cannot be bound, as {TAKEN[key]}; take another, such as f10"
    if not _KEY.fullmatch(key):
        return f"there is no key '{key}'; keys look like ctrl+w, alt+w, f10 or ctrl+f2"
    if _TYPED.fullmatch(key):
        return f"'{key}' alone is for typing; take ctrl+{key[-1]} or an f-key"
    return ""


def _laid(asked: Mapping[str, list[tuple[str, str]]], problems: list[str]) -> Keys:
    """The keys with what was asked for, except what clashes; adds a line to ``problems`` for each clash."""
    made = {action: keys for action, keys in DEFAULTS.items() if not asked.get(action)}
    for action, keys in asked.items():
        wanted: list[str] = []
        for key, place in keys:
            other = next((each for each, bound in made.items() if key in bound), None)
            if other is None:
                wanted.append(key)
            else:
                problems.append(f"{place}: '{key}' is bound to {other} already; bind {other} to another key too")
        made[action] = tuple(wanted)
    for action in asked:
        if not made[action]:  # all of its keys were refused: its own ones, as far as they are free
            used = {key for bound in made.values() for key in bound}
            made[action] = tuple(key for key in DEFAULTS[action] if key not in used)
    return {action: made[action] for action in DEFAULTS}


def shown(keys: Keys, action: str) -> str:
    """The first key of an action, else its slash command."""
    bound = keys.get(action, ())
    return bound[0] if bound else f"/{action}"
