"""What a suite takes over from one that ships, and arms that stand for several. Pure: plain data in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sdrl.compare.baselines import METHODS
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE

Place = tuple[str | int, ...]
Written = Mapping[str, Any]
INHERITED: Place = ("extends",)
_TAKEN_OVER = ("about", "budgets", "seeds", "evaluation", "margin", "alpha")


class Extended(NamedTuple):
    """A suite as it is meant: ``data`` as the schema takes it; where in the file arms, budgets and questions stand.

    ``inherited`` are the names of the arms that the file does not write itself.
    """

    data: dict[str, Any]
    arms: tuple[Place, ...]
    budgets: tuple[Place, ...]
    questions: tuple[Place, ...]
    inherited: frozenset[str]


def extended(own: Written, base: Written | None) -> Extended:
    """The suite ``own`` over ``base``: own keys and changes win, an arm of the same name stands in the other's place.

    Questions add up. A suite that lists some asks every arm of an extending suite, and every method, against the first.
    """
    mine = [(arm, ("arms", index)) for index, given in enumerate(own.get("arms", ())) for arm in _each(given)]
    over = base or {}
    data = {key: over[key] for key in _TAKEN_OVER if key in over} | dict(own)
    if "set" in over:
        data["set"] = {**over["set"], **own.get("set", {})}
    rest = list(mine)
    arms: list[tuple[dict[str, Any], Place]] = []
    for arm in (arm for given in over.get("arms", ()) for arm in _each(given)):
        same = next((each for each in rest if name_of(each[0]) == name_of(arm)), None)
        if same:
            rest.remove(same)
        arms.append(same or (arm, INHERITED))
    arms += rest
    data["arms"] = [arm for arm, _ in arms]
    questions = [*over.get("compare", ()), *own.get("compare", ())]
    if questions:
        added = [arm for arm, _ in rest] if base else []
        data["compare"] = [*questions, *_further([*added, *_methods(own), *_methods(over)], questions)]
    inherited = frozenset(name_of(arm) or "" for arm, place in arms if place == INHERITED)
    budgets = [("budgets", index) if "budgets" in own else INHERITED for index in range(len(data.get("budgets", ())))]
    first = len(over.get("compare", ()))
    asked = [("compare", index) for index in range(len(own.get("compare", ())))]
    left = len(data.get("compare", ())) - first - len(asked)
    places = (*[INHERITED] * first, *asked, *[INHERITED] * left)
    return Extended(data, tuple(place for _, place in arms), tuple(budgets), places, inherited)


def name_of(arm: Written) -> str | None:
    """An arm's name as it is written."""
    return arm.get("name") or arm.get("baseline")


def _each(arm: dict[str, Any]) -> list[dict[str, Any]]:
    """The arms that one stands for: `methods` is every rival that is built; demos go to those that start from some."""
    if arm.get("baseline") != METHODS:
        return [arm]
    found = []
    for name in METHOD_TABLE:
        if name != GROUNDED:
            has_demos = "demos" in METHOD_TABLE[name].needs
            found.append({**{key: arm[key] for key in arm if key != "demos" or has_demos}, "baseline": name})
    return found


def _methods(suite: Written) -> list[dict[str, Any]]:
    """The arms of a suite that one name stands for."""
    return [each for arm in suite.get("arms", ()) if arm.get("baseline") == METHODS for each in _each(arm)]


def _further(arms: Sequence[Written], questions: Sequence[Written]) -> list[dict[str, Any]]:
    """A question for each arm that none asks about."""
    asked = {question.get("arm") for question in questions}
    names = dict.fromkeys(name_of(arm) for arm in arms)
    return [{"arm": name} for name in names if name not in asked]
