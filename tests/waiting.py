"""Waits in tests: for a condition, never for a while.

Looks are counted and no clock is read: while the machine stands still nobody waits, and a hang ends all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def comes_true(condition: Callable[[], bool], *, looks: int = 12_000, pause_s: float = 0.005) -> bool:
    """Whether a condition holds at one of so many looks: a minute of them and more."""
    for _ in range(looks):
        if condition():
            return True
        time.sleep(pause_s)
    return condition()
