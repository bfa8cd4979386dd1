"""Rejected patterns: what several samples were rejected for becomes an edit that a person is offered as a card. Pure.

One rule a question of Self-Instruct (arXiv 2212.10560): a wrong label asks for more agreement, no problem of the task
and an input that cannot be answered ask for a further rule of the prompt that writes samples. Nothing is changed
without a yes; what cannot be seen in the rejections is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.authoring import cards
from sdrl.authoring.document import value_at, written
from sdrl.authoring.effects import Effect
from sdrl.authoring.state import State
from sdrl.authoring.turns import said
from sdrl.spec.edits import Edit

AT_LEAST = 2  # rejections that make a pattern
MOST_AGREEMENT = 0.9  # a vote that must agree further keeps next to nothing
STEP = 0.05
RULES = {
    "task": "Every sample is a problem of exactly the task described above, and of nothing else.",
    "input": "Every input can be answered from what it says alone, and has exactly one answer.",
}
_TITLE = "from rejected samples"


@dataclass(frozen=True)
class Rejected:
    """One rejection: what was wrong (task, input, output), a note, and the agreement of its vote in [0, 1]."""

    wrong: tuple[str, ...]
    note: str
    agreement: float


def offered(state: State, rejected: Sequence[Rejected]) -> tuple[State, tuple[Effect, ...]]:
    """The state with a card for the most frequent pattern that has none yet; unchanged where there is none."""
    for question in sorted(("output", "input", "task"), key=lambda key: -_count(rejected, key)):
        mine = [each for each in rejected if question in each.wrong]
        if len(mine) < AT_LEAST:
            continue
        found = _edit(state, question, mine)
        if found is None:
            continue
        edit, why = found
        title = f"{_TITLE}: {edit.path}"
        if any(card.title == title and card.changes and card.changes[0].edit == edit for card in state.cards):
            continue  # offered before, and answered or still open
        state, card = cards.proposed(state, title, [edit], (why,))
        state = said(state, "guide", f"{len(mine)} samples were rejected for the same reason. I propose:", card=card.id)
        return state, (cards.check_of(state, card),)
    return state, ()


def _count(rejected: Sequence[Rejected], question: str) -> int:
    return sum(question in each.wrong for each in rejected)


def _edit(state: State, question: str, mine: Sequence[Rejected]) -> tuple[Edit, str] | None:
    values = written(state.text)
    if question == "output":
        now = value_at(values, "vote.min_agreement")
        least = 0.5 if now is None else float(now)
        worst = max(each.agreement for each in mine)
        wanted = round(min(MOST_AGREEMENT, worst + STEP), 2)
        if wanted <= least:
            return None
        told = ", ".join(f"{100 * each.agreement:.0f} %" for each in mine)
        return Edit("set", "vote.min_agreement", wanted), f"their votes agreed by {told}: none of them would be kept"
    rule = next((each.note for each in mine if each.note), "")
    text = f"Avoid this mistake: {rule}" if rule else RULES[question]
    rules = value_at(values, "prompts.generate.extra_rules")
    known: list[Any] = rules if isinstance(rules, list) else []
    if text in known:
        return None
    # written whole, as the table may not be there yet
    edit = Edit("set", "prompts.generate.extra_rules", [*known, text])
    return edit, "a further rule of the prompt that writes samples; /prompt generate shows it"
