"""The first lines of a report, in plain words: what was gained, how sure that is, and what it does not show. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NBSP = "\u00a0"  # keeps a number and its sign on one line; the renderers print a plain space
SURE = 0.05  # a p below this is called significant, as in the paper's field


def verdict(figures: Mapping[str, Any]) -> list[str]:
    """Sentences, the most important first."""
    lines = _state(figures)
    evaluations = [each for each in figures["evaluations"] if each.get("gain") is not None]
    lines += [line for each in evaluations[:1] for line in _gain(each)]
    lines += [_other(each) for each in evaluations[1:]]
    if not evaluations:
        lines += _without_evaluation(figures)
    training = figures["training"]
    if training and training["reward_mode"] != "correct":
        lines.append(f"This run is a control: its reward was '{training['reward_mode']}', not correctness.")
    if figures["is_toy"] and (evaluations or training):
        lines.append(
            "Toy scale: the base model is the one that ships with sdrl, with about a million parameters. The figures "
            "show that the machinery works, not how good the method is."
        )
    return lines + _gate(figures)


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign: ``+23.2``."""
    return f"{share * 100:+.1f}"


def percent(share: float | None) -> str:
    """A share in percent: ``78.2 %``; a dash for None."""
    return "–" if share is None else f"{share * 100:.1f}{NBSP}%"


def _state(figures: Mapping[str, Any]) -> list[str]:
    if any(row["stage"] == "evaluate" for row in figures["funnel"]):
        return []
    how = "ended on purpose" if figures["status"] == "done" else f"not finished (status: {figures['status']})"
    why = [str(figures["message"])] if figures.get("message") and figures["status"] != "done" else []
    if not figures["funnel"]:
        return [f"The run is {how}; no stage of it is whole yet.", *why]
    sealed = figures["funnel"][-1]["stage"]
    return [f"The run is {how}; its last whole stage is {sealed}. What is here holds so far.", *why]


def _gain(each: Mapping[str, Any]) -> list[str]:
    low, high = each["interval"]
    moved = "a gain of" if each["gain"] >= 0 else "a loss of"
    first = (
        f"On {each['n_problems']} unseen problems ({each['name']}) the trained model is right in "
        f"{percent(each['trained']['accuracy'])} of its answers, the base model in "
        f"{percent(each['base']['accuracy'])}: {moved} {abs(each['gain']) * 100:.1f} points "
        f"(95 % interval {points(low)} to {points(high)})."
    )
    second = (
        f"Of this, {points(each['gain_format'])} points are format (answers that can be read) and "
        f"{points(each['gain_skill'])} are skill (right where they can be read)."
    )
    return [first, second, _sureness(each)]


def _sureness(each: Mapping[str, Any]) -> str:
    low, high = each["interval"]
    p = "p < 0.0001" if each["p"] < 0.0001 else f"p = {each['p']:.4f}"
    if low > 0 and each["p"] < SURE:
        return f"The interval excludes zero ({p}): this is more than chance."
    if high < 0 and each["p"] < SURE:
        return f"The interval excludes zero ({p}): training made the model worse."
    return f"The interval reaches zero or chance cannot be ruled out ({p}): no gain has been shown."


def _other(each: Mapping[str, Any]) -> str:
    low, high = each["interval"]
    return (
        f"On {each['name']} ({shift_words(each['shift'])}, {each['n_problems']} problems): "
        f"{percent(each['base']['accuracy'])} before, {percent(each['trained']['accuracy'])} after, "
        f"{points(each['gain'])} points ({points(low)} to {points(high)})."
    )


def shift_words(shift: str) -> str:
    """What ``evaluate.shift`` says of a set."""
    return {"iid": "problems of the same kind", "ood": "out of distribution"}.get(shift, shift)


def _without_evaluation(figures: Mapping[str, Any]) -> list[str]:
    validation = figures["validation"]
    if not validation:
        return ["Nothing has been evaluated yet: there is no gain to report."]
    return [
        f"No evaluation set was declared. On {validation['n']} held-back synthetic samples accuracy went from "
        f"{percent(validation['base'])} to {percent(validation['trained'])} ({points(validation['gain'])} points). "
        f"These samples also chose the checkpoint, so this says little about real problems."
    ]


def _gate(figures: Mapping[str, Any]) -> list[str]:
    gate = figures["gate"]
    if not gate or gate.get("met") is None or _state(figures):
        return []
    asked = f"a gain of at least {float(gate['min_gain']) * 100:.1f} points was asked for"
    return [f"Gate met: {asked}." if gate["met"] else f"Gate NOT met: {asked}."]
