"""A spec that exists, in a few lines: its task, how answers are read, what it has, what is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.authoring.document import value_at, written
from sdrl.authoring.state import State


def overview(state: State, keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """(label, line) pairs. ``keys`` are the keys of actions as they are bound now."""
    values = written(state.text)
    rows = [("task", " ".join(str(value_at(values, "task.description") or "not written yet").split()))]
    rows.append(("answers", _answers(values)))
    demos, corpus = value_at(values, "demos"), value_at(values, "corpus")
    has = [
        _count(demos, "worked example"),
        _count(corpus, "source of passages", "sources of passages"),
        _count(value_at(values, "evaluate"), "test set"),
    ]
    rows.append(("has", ", ".join(has)))
    models = [str(value_at(values, f"models.{role}.model") or "") for role in ("instructor", "base")]
    rows.append(("models", " writes, ".join(filter(None, models)) + " is trained" if all(models) else "not chosen yet"))
    rows.append(("next", _next(state, keys)))
    return rows


def _answers(values: Mapping[str, Any]) -> str:
    answer = value_at(values, "answer")
    if not isinstance(answer, dict) or not answer.get("type"):
        return "not said yet: /propose finds out how they are read"
    extract = answer.get("extract")
    how = (
        ", ".join(f"{key} {item}" for key, item in extract.items()) if isinstance(extract, Mapping) else "not said yet"
    )
    return f"{answer['type']}, read from: {how}"


def _count(found: Any, one: str, many: str = "") -> str:
    number = len(found) if isinstance(found, list) else 0
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def _next(state: State, keys: Mapping[str, str]) -> str:
    errors = sum(issue.is_error for issue in state.issues)
    if errors:
        what = "the error" if errors == 1 else f"the {errors} errors"
        return f"{keys['issues']} shows {what}, /interview asks for what is missing"
    return f"{keys['plan']} shows what a run would do and cost, {keys['verify']} tries the verifier"
