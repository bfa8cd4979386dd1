"""The spec's text as the reducer sees it: changed by splices that can be undone, read for what is written. Pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from sdrl.authoring.splice import delta_of
from sdrl.authoring.state import State
from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mapping, Mark, parse
from sdrl.spec.reading import Reader
from sdrl.spec.source import check_text


def with_text(state: State, text: str) -> State:
    """The state with a new text, which can be undone; unchanged where the text is the same."""
    if text == state.text:
        return state
    undo = (*state.undo, delta_of(state.text, text))
    return replace(state, text=text, rev=state.rev + 1, undo=undo, redo=(), asks_to_quit=False)


def undone(state: State) -> State | None:
    """One change back, or None where there is none."""
    if not state.undo:
        return None
    last = state.undo[-1]
    text = state.text[: last.start] + last.old + state.text[last.start + len(last.new) :]
    return replace(state, text=text, rev=state.rev + 1, undo=state.undo[:-1], redo=(*state.redo, last))


def redone(state: State) -> State | None:
    """One undone change again, or None where there is none."""
    if not state.redo:
        return None
    last = state.redo[-1]
    text = state.text[: last.start] + last.new + state.text[last.start + len(last.old) :]
    return replace(state, text=text, rev=state.rev + 1, undo=(*state.undo, last), redo=state.redo[:-1])


def written(text: str) -> dict[str, Any]:
    """The values that a text writes, typed by the schema; what cannot be read is left out. Empty for no YAML."""
    if check_text(text, "").text is None:
        return {}
    parsed = parse(text)
    if not isinstance(parsed.root, Mapping):
        return {}
    return dict(Reader("").table(parsed.root, Spec, (), Mark(0, 0, 0, 0, 1, 1)))


def spec_name(text: str, path: str) -> str:
    """The spec's name as it is written, else that of its file."""
    name = written(text).get("name")
    return name if isinstance(name, str) and name else PurePath(path).stem


def value_at(values: Any, path: str) -> Any:
    """The value at a dotted path of ``written``, or None."""
    for step in path.split("."):
        if isinstance(values, list) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        elif isinstance(values, dict) and step in values:
            values = values[step]
        else:
            return None
    return values
