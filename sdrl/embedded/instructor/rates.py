"""The declared rates of the scripted instructor: how often it errs, and in which ways.

This table is the whole truth about its faults; `--rate NAME=SHARE` of the server overrides single entries. Shares are
probabilities, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

STEP_WEIGHTS: tuple[tuple[int, float], ...] = ((1, 0.12), (2, 0.20), (3, 0.24), (4, 0.20), (5, 0.14), (6, 0.10))
"""How many steps a newly written problem has."""

MISTAKE_WEIGHTS: tuple[float, ...] = (0.60, 0.25, 0.15)
"""Which of the typical mistakes of a problem a wrong answer is, likeliest first."""


@dataclass(frozen=True, slots=True)
class Rates:
    """One share per kind of fault."""

    error_1: float = 0.01
    """Share of one-step problems on which its belief is wrong. A function of the problem's text: every draw of every
    request errs on the same problems and mostly gives the same wrong answer, so votes agree on it."""
    error_2: float = 0.03
    """The same for two steps."""
    error_3: float = 0.06
    """The same for three steps."""
    error_4: float = 0.10
    """The same for four steps."""
    error_5: float = 0.14
    """The same for five steps."""
    error_6: float = 0.18
    """The same for six steps."""
    slip_per_step: float = 0.02
    """Chance, per step and draw, of an answer other than the believed one; independent between draws."""
    ambiguous: float = 0.05
    """Share of written problems whose text allows several answers; draws spread over the readings."""
    near_duplicate: float = 0.06
    """Share of written problems that repeat one of a few stock texts with one number changed."""
    distractor: float = 0.25
    """Share of written problems with a number that does not matter."""
    no_answer: float = 0.02
    """Share of replies that never state the answer in the form asked for."""
    invalid_json: float = 0.005
    """Share of structured replies that are cut off in the middle of their JSON."""

    def error(self, n_steps: int) -> float:
        """Share of problems with this many steps on which the belief is wrong; past six as for six."""
        return float(getattr(self, f"error_{min(max(n_steps, 1), 6)}"))

    def override(self, shares: Mapping[str, float]) -> Rates:
        """A copy with some entries replaced. Raises ValueError for an unknown name or a share outside 0..1."""
        known = [field.name for field in fields(self)]
        for name, share in shares.items():
            if name not in known:
                raise ValueError(f"--rate {name}: unknown; the rates are {', '.join(known)}")
            if not 0 <= share <= 1:
                raise ValueError(f"--rate {name}={share}: a share lies between 0 and 1")
        return replace(self, **dict(shares))
