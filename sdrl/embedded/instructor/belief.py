"""What the scripted instructor believes about a problem, and what one draw of it answers.

The belief is a function of the problem's text alone, so votes on a hard problem agree on the same mistake; a slip
belongs to one draw. The declared rates decide how often either happens.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from sdrl.embedded.instructor.items import Item
from sdrl.embedded.instructor.rates import MISTAKE_WEIGHTS, Rates


def seeded(*words: object) -> random.Random:
    """A generator that depends on these words only (SHA-256 of their text)."""
    text = "\x1f".join(str(word) for word in words)
    return random.Random(int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16], "big"))


def believes_wrongly(item: Item, rates: Rates) -> bool:
    """Whether the belief about this problem is a mistake."""
    chance = seeded("belief", item.text).random()
    return chance < rates.error(item.problem.n_steps) and bool(item.mistakes())


def belief(item: Item, rates: Rates) -> int:
    """The result that most draws give."""
    if not believes_wrongly(item, rates):
        return item.problem.answer
    return _mistake(item.mistakes(), seeded("which mistake", item.text))


def drawn_result(item: Item, rates: Rates, rng: random.Random) -> int:
    """The result of one draw: a reading of an ambiguous text, else the belief, else a slip."""
    believed = belief(item, rates)
    if rng.random() < rates.slip_per_step * item.problem.n_steps:
        others = [number for number in (item.problem.answer, *item.mistakes()) if number != believed]
        # The truth comes first in the list, so a slip on a misunderstood problem is mostly the right answer.
        return _mistake(others, rng) if others else believed
    if item.problem.ambiguous:
        return rng.choice(item.problem.readings)
    return believed


def worked_steps(item: Item, result: int) -> tuple[str, ...]:
    """The worked lines that lead to a result: the true ones, the last one bent to a wrong result."""
    steps = item.problem.steps
    if result == item.problem.answer or not steps:
        return steps
    shown = str(item.problem.answer)
    return (*steps[:-1], steps[-1].removesuffix(shown) + str(result))


def _mistake(numbers: Sequence[int], rng: random.Random) -> int:
    likeliest = numbers[: len(MISTAKE_WEIGHTS)]
    return rng.choices(likeliest, MISTAKE_WEIGHTS[: len(likeliest)])[0]
