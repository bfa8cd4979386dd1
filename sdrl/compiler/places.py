"""Where a scored sample stands in the choice of training samples (paper section 4.3, equation 7). Pure: asks nobody.

Equation 7: a sample's score is its pass rate over its draws, and 1 when no draw was right; the M lowest scores train.
The paper leaves open what fills up when fewer than M lie strictly between 0 and 1 (``select.fill``; ours: nothing).
Read by the select stage, by adaptive scoring, and by the estimate, so that the three cannot disagree.
"""

from __future__ import annotations

from sdrl.spec.model import Select

Place = tuple[int, float]


def score(correct: int, draws: int) -> float:
    """Equation 7: pass rate in (0, 1], or 1 for a sample that was never solved."""
    return correct / draws if correct else 1.0


def is_solvable(correct: int, draws: int, min_solved: int) -> bool:
    """Solved at least ``min_solved`` times, and not every time."""
    return min_solved <= correct < draws


def place(correct: int, draws: int, select: Select, *, is_doubted: bool = False) -> Place | None:
    """What samples are sorted by, lowest first; None for one that never trains. Equals stand in a seeded order.

    The first number is the tier: those that the order asks for; of these the doubted, under ``doubted: last``; the
    never solved of ``never_solved: last`` (with the always solved, whose score is also 1); what fills up.
    ``is_doubted``: most of the base model's readable answers agree on another value than the label.
    """
    rate = correct / draws
    if select.order == "all":
        return 0, 0.0
    if is_doubted and select.doubted == "drop":
        return None
    own = int(is_doubted and select.doubted == "last")
    if select.order == "hard":  # Table 4's 'hard': lowest pass rates, the never solved among them
        return own, rate
    if is_solvable(correct, draws, select.min_solved):
        return own, {"random": 0.0, "easy": -rate, "hardest_solvable": score(correct, draws)}[select.order]
    if select.order == "hardest_solvable" and select.never_solved == "last" and correct in (0, draws):
        return 2, 0.0
    if select.fill == "none":
        return None
    return 3, {"easy": -rate, "hard": rate, "random": 0.0}[select.fill]
