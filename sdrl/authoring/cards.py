"""Cards: proposed edits, made on a copy of the text, shown as a field diff, accepted whole or in part, never blindly.

A card remembers what stood at each path when it was made. Where that has changed since, accepting it is refused: the
card is made anew on the present text, shows the new diff, and waits for another yes. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sdrl.authoring.document import value_at, with_text, written
from sdrl.authoring.effects import CheckCard
from sdrl.authoring.state import Card, FieldChange, State
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_values import typed_value
from sdrl.spec.edits import Edit, apply


def proposed(state: State, title: str, edits: Iterable[Edit], why: Sequence[str] = ()) -> tuple[State, Card]:
    """The state with a new card; edits that cannot be made show as the card's problem."""
    card = _made(Card(len(state.cards) + 1, title, (), tuple(why)), state, tuple(edits))
    return replace(state, cards=(*state.cards, card)), card


def check_of(state: State, card: Card) -> CheckCard:
    """The effect that finds what a card does to the problems of the spec."""
    text = state.text if card.problem else apply(state.text, [change.edit for change in card.changes])
    return CheckCard(card.id, state.rev, state.path, state.text, text)


def find(state: State, words: Sequence[str]) -> tuple[Card | None, list[str]]:
    """The card that the words name by its number, else the newest open one; and the words that are left."""
    if words and words[0].lstrip("#").isdecimal():
        number = int(words[0].lstrip("#"))
        return next((card for card in state.cards if card.id == number), None), list(words[1:])
    return state.open_card, list(words)


def accepted(state: State, card: Card, fields: Sequence[str]) -> tuple[State, str]:
    """The state after a yes to a card, or to some of its fields (numbers from 1, or paths), and what to say of it.

    Raises:
        SdrlError: a field is none of the card's.
    """
    if card.status not in ("open", "stale"):
        return state, f"card {card.id} is {card.status} already"
    fresh = _made(card, state, tuple(change.edit for change in card.changes))
    if fresh.problem:
        return _with(state, replace(fresh, status="stale")), f"card {card.id} cannot be made now: {fresh.problem}"
    if [change.before for change in fresh.changes] != [change.before for change in card.changes]:
        moved = ", ".join(
            new.path for new, old in zip(fresh.changes, card.changes, strict=True) if new.before != old.before
        )
        said = f"nothing was changed: {moved} changed since card {card.id} was made; look at it again, then accept it"
        return _with(state, replace(fresh, status="stale")), said
    taken = _chosen(fresh, fields)
    text = apply(state.text, [change.edit for change in taken])
    left = tuple(change for change in fresh.changes if change not in taken)
    paths = ", ".join(change.path for change in taken)
    state = with_text(state, text)
    if not left:
        return _with(state, replace(fresh, status="accepted")), f"card {card.id}: took over {paths}"
    rest = _made(fresh, state, tuple(change.edit for change in left))
    return _with(state, rest), f"card {card.id}: took over {paths}; {len(left)} more to decide"


def amended(state: State, card: Card, field: str, value: str) -> State:
    """The state with another value in one field (a number from 1, or a path) of a card that is not decided yet.

    Raises:
        SdrlError: there is no such field, it takes no value, or this is none of its values.
    """
    if card.status not in ("open", "stale"):
        raise SdrlError("", f"card {card.id} is {card.status} already", help="/set PATH VALUE changes the spec itself")
    (change,) = _chosen(card, [field])[:1]
    if change.edit.operation not in ("set", "insert"):
        raise SdrlError("", f"{change.path} is to be taken out or moved: there is no value to change")
    place = re.sub(r"\.-$", ".0", change.path)  # an item at the end is typed as any other item
    changed = replace(change.edit, value=typed_value(place, value))
    edits = tuple(changed if each == change else each.edit for each in card.changes)
    return _with(state, _made(card, state, edits))


def amending(card: Card, number: int = 1) -> str:
    """The command that changes a field of a card, with the value as it is proposed, to be edited."""
    change = card.changes[min(max(number, 1), len(card.changes)) - 1]
    value = change.after
    plain = isinstance(value, str) and value == " ".join(value.split()) and not value.startswith(("'", '"', "[", "{"))
    return f"/amend {card.id} {change.path} {value if plain else json.dumps(value, ensure_ascii=False, default=str)}"


def rejected(state: State, card: Card) -> State:
    """The state after a no to a card."""
    return _with(state, replace(card, status="rejected"))


def restaled(state: State) -> State:
    """The state with every open card whose fields the text has changed since marked as stale, and back."""
    if not any(card.status in ("open", "stale") for card in state.cards):
        return state
    values = written(state.text)
    cards = tuple(
        replace(card, status="stale" if any(value_at(values, c.path) != c.before for c in card.changes) else "open")
        if card.status in ("open", "stale")
        else card
        for card in state.cards
    )
    return replace(state, cards=cards)


def changes_of(text: str, edits: Iterable[Edit]) -> tuple[FieldChange, ...]:
    """What each edit changes, one after the other.

    Raises:
        SdrlError: an edit cannot be made.
    """
    changes: list[FieldChange] = []
    first = written(text)
    for edit in edits:
        path = edit.path if isinstance(edit.path, str) else ".".join(map(str, edit.path))
        text = apply(text, [edit])
        after = None if edit.operation == "remove" else edit.value
        before = None if edit.operation == "insert" else value_at(first, path)
        changes.append(FieldChange(path, before, after, edit))
    return tuple(changes)


def _made(card: Card, state: State, edits: tuple[Edit, ...]) -> Card:
    try:
        changes, problem = changes_of(state.text, edits), ""
    except SdrlError as error:
        changes = card.changes or tuple(
            FieldChange(e.path if isinstance(e.path, str) else ".".join(map(str, e.path)), None, e.value, e)
            for e in edits
        )
        problem = error.message + (f" ({error.help})" if error.help else "")
    return replace(card, changes=changes, problem=problem, status="open", rev=state.rev, added=(), removed=())


def _chosen(card: Card, fields: Sequence[str]) -> list[FieldChange]:
    if not fields:
        return list(card.changes)
    taken: list[FieldChange] = []
    for word in fields:
        found = [
            change
            for number, change in enumerate(card.changes, 1)
            if word in (str(number), change.path) and change not in taken
        ]
        if not found:
            paths = ", ".join(f"{number} {change.path}" for number, change in enumerate(card.changes, 1))
            raise SdrlError("", f"card {card.id} has no field '{word}'", help=f"its fields: {paths}")
        taken += found
    return [change for change in card.changes if change in taken]


def _with(state: State, card: Card) -> State:
    return replace(state, cards=tuple(card if each.id == card.id else each for each in state.cards))
