"""Accuracy before and after, its split into format and skill, and how sure one can be. Pure: rows in, numbers out.

With P the share of answers that can be read and S the share of correct ones among those, accuracy is A = P * S. The
gain A1 - A0 is split by Shapley values of the two factors (the mean over both orders of changing them):

    gain_format = (P1 - P0) * (S0 + S1) / 2        gain_skill = (S1 - S0) * (P0 + P1) / 2

which sum to the gain exactly. Where a model never gave a readable answer its S is not known; it is set to the other
model's, so that the whole gain is format. A verdict ``error`` counts as not correct and not readable.

Problems weigh the same, however many runs each has. Intervals: paired bootstrap over problems (Efron and Tibshirani
1993, percentile method). p: two-sided exact McNemar test; with several runs a problem, the sign test on problems whose
accuracy differs, which is the same thing for one run.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, NamedTuple

Row = Mapping[str, Any]
RESAMPLES = 2000
LEVEL = 0.95
_DIGITS = 6


class Split(NamedTuple):
    """A gain and its two parts, which sum to it."""

    gain: float
    gain_format: float
    gain_skill: float


@dataclass(frozen=True, order=True)
class _Problem:
    """One problem's means over runs: correct and readable answers of base (0) and trained (1) model, in [0, 1]."""

    correct0: float
    parsable0: float
    correct1: float
    parsable1: float


def evaluation_summary(rows_base: Sequence[Row], rows_trained: Sequence[Row], seed: int) -> dict[str, Any]:
    """Figures of one evaluation set in the shape of ``result.json``.

    Rows are ``{problem, run, verdict, finish_reason}``. ``base`` and ``trained`` are each ``measures`` of all their
    rows (None without rows); gains, interval and p speak of the ``n_paired`` problems that both models answered, and
    are None when there is none. Deterministic for equal rows and seed, whatever the order of the rows.
    """
    summary: dict[str, Any] = {"base": measures(rows_base), "trained": measures(rows_trained)}
    problems = _paired(rows_base, rows_trained)
    summary["n_paired"] = len(problems)
    if not problems:
        nothing = ("gain", "gain_format", "gain_skill", "interval", "interval_format", "interval_skill", "p")
        return summary | dict.fromkeys(nothing)
    gains = split_of(problems)
    low, high = bootstrap(problems, seed)
    intervals = [[_round(a), _round(b)] for a, b in zip(low, high, strict=True)]
    summary |= {name: _round(value) for name, value in gains._asdict().items()}
    summary |= dict(zip(("interval", "interval_format", "interval_skill"), intervals, strict=True))
    return summary | {"p": sign_test([each.correct1 - each.correct0 for each in problems])}


def measures(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Accuracy, parsable, accuracy_if_parsable, truncated and errors of one model's rows, each a share in [0, 1].

    ``accuracy_if_parsable`` is None when nothing could be read. ``by_run`` has the accuracy of each run, where there
    are several; ``accuracy_lenient`` counts answers that are right when read leniently, where the rows say so. None
    without rows.
    """
    if not rows:
        return None
    accuracy = _mean_by_problem(rows, _is_correct)
    parsable = _mean_by_problem(rows, _is_parsable)
    found: dict[str, Any] = {
        "accuracy": _round(accuracy),
        "parsable": _round(parsable),
        "accuracy_if_parsable": _round(accuracy / parsable) if parsable else None,
        "truncated": _round(_mean_by_problem(rows, _is_truncated)),
        "errors": _round(_mean_by_problem(rows, lambda row: row["verdict"] == "error")),
    }
    if all("lenient" in row for row in rows):
        found["accuracy_lenient"] = _round(_mean_by_problem(rows, lambda row: bool(row["lenient"])))
    runs = sorted({int(row["run"]) for row in rows})
    if len(runs) > 1:
        found["by_run"] = [_round(_mean_by_problem([r for r in rows if r["run"] == run], _is_correct)) for run in runs]
    return found


def split_of(problems: Sequence[_Problem]) -> Split:
    """The gain over ``problems`` and its format and skill parts (formula above)."""
    return _split(Counter(problems), len(problems))


def bootstrap(problems: Sequence[_Problem], seed: int) -> tuple[Split, Split]:
    """Lower and upper ends of the 95 % intervals of gain, format and skill, by resampling whole problems."""
    counts = Counter(problems)
    kinds = sorted(counts)  # equal problems are one kind: a resample is a draw of kinds, whatever the rows' order
    weights = [counts[kind] for kind in kinds]
    rng = random.Random(seed)
    drawn = []
    for _ in range(RESAMPLES):
        drawn.append(_split(Counter(rng.choices(kinds, weights, k=len(problems))), len(problems)))
    tail = round(RESAMPLES * (1 - LEVEL) / 2)
    columns = [sorted(column) for column in zip(*drawn, strict=True)]
    return Split(*(column[tail] for column in columns)), Split(*(column[-1 - tail] for column in columns))


def sign_test(differences: Sequence[float]) -> float:
    """Two-sided exact p that gains and losses are equally likely, over the problems that changed (McNemar 1947)."""
    wins = sum(value > 0 for value in differences)
    changed = wins + sum(value < 0 for value in differences)
    if not changed:
        return 1.0
    tail = sum(comb(changed, k) for k in range(min(wins, changed - wins) + 1))
    return min(1.0, tail / (1 << (changed - 1)))


def _split(counts: Mapping[_Problem, int], total: int) -> Split:
    a0 = sum(kind.correct0 * n for kind, n in counts.items()) / total
    p0 = sum(kind.parsable0 * n for kind, n in counts.items()) / total
    a1 = sum(kind.correct1 * n for kind, n in counts.items()) / total
    p1 = sum(kind.parsable1 * n for kind, n in counts.items()) / total
    s0 = a0 / p0 if p0 else (a1 / p1 if p1 else 0.0)
    s1 = a1 / p1 if p1 else s0
    return Split(a1 - a0, (p1 - p0) * (s0 + s1) / 2, (s1 - s0) * (p0 + p1) / 2)


def _paired(rows_base: Sequence[Row], rows_trained: Sequence[Row]) -> list[_Problem]:
    base, trained = _by_problem(rows_base), _by_problem(rows_trained)
    both = [name for name in base if name in trained]
    return [_Problem(*_means(base[name]), *_means(trained[name])) for name in both]


def _by_problem(rows: Sequence[Row]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["problem"]].append(row)
    return found


def _means(rows: Sequence[Row]) -> tuple[float, float]:
    return sum(map(_is_correct, rows)) / len(rows), sum(map(_is_parsable, rows)) / len(rows)


def _mean_by_problem(rows: Sequence[Row], holds: Callable[[Row], bool]) -> float:
    groups = _by_problem(rows).values()
    return sum(sum(map(holds, group)) / len(group) for group in groups) / len(groups)


def _is_correct(row: Row) -> bool:
    return bool(row["verdict"] == "correct")


def _is_truncated(row: Row) -> bool:
    return bool(row.get("finish_reason") == "length")


def _is_parsable(row: Row) -> bool:
    return row["verdict"] in ("correct", "incorrect")


def _round(value: float) -> float:
    return round(value, _DIGITS) + 0.0  # no -0.0


def wilson(successes: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share, at 95 % unless told; (0, 1) where nothing was counted (Wilson, 1927)."""
    if not count:
        return 0.0, 1.0
    share = successes / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    below = 1 + z * z / count
    return max(0.0, (middle - reach) / below), min(1.0, (middle + reach) / below)
