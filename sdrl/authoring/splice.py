"""The smallest change that makes one text of another. Light, so that an editor can ask at every pause. Pure."""

from __future__ import annotations

from collections.abc import Callable

from sdrl.authoring.state import Delta


def delta_of(old: str, new: str) -> Delta:
    """The smallest single splice that makes ``new`` of ``old``."""
    most = min(len(old), len(new))
    start = _longest(most, lambda low, high: old[low:high] == new[low:high])
    tail = _longest(
        most - start,
        lambda low, high: old[len(old) - high : len(old) - low] == new[len(new) - high : len(new) - low],
    )
    return Delta(start, old[start : len(old) - tail], new[start : len(new) - tail])


def _longest(most: int, is_same: Callable[[int, int], bool]) -> int:
    """The greatest length up to ``most`` at which two texts are the same; by halves, as slices compare fast."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if is_same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
