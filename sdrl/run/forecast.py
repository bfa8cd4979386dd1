"""The forecast restated: what the instructor will use in all, once some rows of a stage show what one uses.

The plan expects so many examples to be written and so many votes; what one of them takes is a guess there. Here the
mean of the first rows that asked anything, by index and not by arrival (the first to arrive are short), takes the
guess's place: of the first ``ROWS``, later of more of them (``AGAIN``), in this stage and in later ones that do the
same. What earlier stages used is what they used. Counts stay the plan's, but for those that the stage already knows,
and for the refills of a vote, which follow the share that its first rows lost. Emits ``forecast``; asks and decides
nothing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.compiler.rounds import kind_of
from sdrl.models.ledger import Ledger, Usage, counted
from sdrl.models.progress import Emit
from sdrl.stages.embeddings import UNIT

ROWS = 20
AGAIN = (ROWS, 60, 180, 540)  # rows after which it is looked at; said first in a stage, then where it is news
NEWS = 0.05  # of what was said last
STUDENT = 2.09  # the 95 % interval of a mean of 20
UNSEEN = 0.5  # how far a kind of row that was not seen yet may be off
COUNTS = 0.1  # how far the number of rows may be off: refills come in waves
TRUST = 10  # rows that the plan's share of lost votes counts as, beside those that were seen
ROLE = "instructor"
FIGURES = ("requests", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class _Kind:
    """What was seen of one kind of row: ratios to the plan, money over the tokens' price, and each figure's error."""

    ratios: Mapping[str, float]
    paid: float
    errors: Mapping[str, float]


@dataclass
class _Sum:
    """Expected figures with how far each may be off."""

    amounts: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*FIGURES, "microusd"), 0.0))
    off: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*FIGURES, "microusd"), 0.0))

    def add(self, amounts: Mapping[str, float], errors: Mapping[str, float]) -> None:
        for name, amount in amounts.items():
            self.amounts[name] += amount
            self.off[name] += amount * errors.get(name, 0.0)


class Forecast:
    """Of one run."""

    def __init__(self, plan: Plan, ledger: Ledger, emit: Emit) -> None:
        self._ledger = ledger
        self._emit = emit
        self._stages = {entry["stage"]: entry for entry in plan.estimate["stages"] if "rows" in entry}
        models = plan.settings.models
        self._price = models.instructor.price if models else None
        self._is_priced = self._price is not None or bool(models and models.instructor.is_embedded)
        self._wanted = plan.settings.synthesize.samples
        self._most = plan.settings.synthesize.most_attempts
        self._planned = plan.estimate["instructor"]["expected"]
        self._seen: dict[str, _Kind] = {}
        self._told: set[tuple[str, str]] = set()
        self._said: set[str] = set()  # stages
        self._last: Mapping[str, Any] = {}

    def watch(self, stage: str, unit: str, total: int) -> Rows | None:
        """Who watches ``total`` rows of a stage; None where they are few, or do not ask the instructor."""
        if unit == UNIT:  # asked of another model
            return None
        kind = "votes" if unit == "votes" else "writes"
        if stage not in self._stages or total < ROWS or (stage, kind) in self._told:
            return None
        self._told.add((stage, kind))
        return Rows(self, stage, kind, total, self._used(stage))

    def restate(self, rows: Rows, fresh: list[Usage], cached: int) -> None:
        """Say the forecast, by the first rows that asked anything; ``cached`` rows before them asked nothing."""
        self._seen[rows.kind] = self._kind(rows, fresh)
        entry = self._stages[rows.stage]
        share = (rows.total - cached) / rows.total
        planned = entry["rows"][rows.kind]
        # generate and vote refill what they lose, and the plan counts that; adapt asks for what it was given, once
        scale = rows.total / planned if kind_of(rows.stage) == "adapt" and planned else 1.0
        refills = self._refills(rows) if (rows.stage, rows.kind) == ("vote", "votes") and planned else None
        total = _Sum()
        names = list(self._stages)
        for name in ("keywords", "pattern", *names[: names.index(rows.stage)]):
            total.add(self._used(name), {})
        total.add(rows.before, {})
        if refills is not None:
            self._add(total, rows.stage, rows.kind, (rows.total * share + refills) / planned)
            self._add(total, "generate", "writes", self._attempts(rows, refills))
        else:
            self._add(total, rows.stage, rows.kind, scale * share)
        if refills is None and (kind_of(rows.stage), rows.kind) != ("adapt", "votes"):  # there the writing is over
            self._add(total, rows.stage, "votes" if rows.kind == "writes" else "writes", scale)
        for name in names[names.index(rows.stage) + 1 :]:
            self._add(total, name, "writes", 1.0)
            self._add(total, name, "votes", 1.0)
        figures = self._told_figures(total)
        is_first = rows.stage not in self._said
        if is_first or self._is_news(figures):
            self._said.add(rows.stage)
            self._last = figures
            self._emit("forecast", {"stage": rows.stage, "rows": len(fresh), **figures})

    def _is_news(self, figures: Mapping[str, Any]) -> bool:
        """Whether an expected figure has moved since it was last said."""
        pairs = [(figures[name], self._last.get(name)) for name in ("requests", "tokens", "usd")]
        known = [(now["expected"], before["expected"]) for now, before in pairs if now and before]
        return any(abs(now - before) > NEWS * before for now, before in known) or not self._last

    def _refills(self, rows: Rows) -> float:
        """Further rows that a vote will need, by the plan's share of lost ones and by that of the rows seen."""
        planned = self._stages[rows.stage]["rows"][rows.kind]
        keeps = (TRUST * min(1.0, self._wanted / planned) + rows.kept) / (TRUST + rows.answered)
        return max(0.0, self._wanted / keeps - rows.total) if keeps else 0.0

    def _attempts(self, rows: Rows, refills: float) -> float:
        """What the attempts behind ``refills`` rows come to, as a share of those that the plan has generate make."""
        made, planned = self._used("generate")["requests"], self._stages["generate"]["rows"]["writes"]
        read = min(1.0, rows.total / made) if made else 1.0
        left = max(0.0, self._most - max(made, rows.total))
        return min(left, refills / read) / planned if planned else 0.0

    def _told_figures(self, total: _Sum) -> dict[str, Any]:
        spent = self._ledger.total(role=ROLE)
        planned, found, off = self._planned, total.amounts, total.off
        tokens, tokens_off = (part["prompt_tokens"] + part["completion_tokens"] for part in (found, off))
        planned_tokens = planned["prompt_tokens"] + planned["completion_tokens"]
        usd = None
        if self._is_priced:
            usd = _interval(found["microusd"], off["microusd"], spent.microusd, planned["microusd"], 1e-6)
        return {
            "requests": _interval(found["requests"], off["requests"], spent.requests, planned["requests"]),
            "tokens": _interval(tokens, tokens_off, spent.tokens, planned_tokens),
            "usd": usd,
        }

    def _used(self, stage: str) -> dict[str, float]:
        usage = self._ledger.total(stage=stage, role=ROLE)
        return {name: float(getattr(usage, name)) for name in (*FIGURES, "microusd")}

    def _load(self, stage: str, kind: str) -> dict[str, float]:
        """What the plan expects of one kind of row in a stage."""
        entry = self._stages[stage]
        votes = entry["votes"]
        whole = entry["expected"]
        return {name: float(votes[name] if kind == "votes" else whole[name] - votes[name]) for name in FIGURES}

    def _kind(self, rows: Rows, fresh: list[Usage]) -> _Kind:
        load, planned = self._load(rows.stage, rows.kind), self._stages[rows.stage]["rows"][rows.kind]
        means = {name: sum(getattr(row, name) for row in fresh) / len(fresh) for name in FIGURES}
        ratios = {name: means[name] * planned / load[name] if load[name] else 1.0 for name in FIGURES}
        cost = self._cost(means)
        paid = sum(row.microusd for row in fresh) / len(fresh) / cost if cost else 1.0
        seen = {name: [float(getattr(row, name)) for row in fresh] for name in (*FIGURES, "microusd")}
        return _Kind(ratios, paid, {name: COUNTS + _error(amounts) for name, amounts in seen.items()})

    def _add(self, total: _Sum, stage: str, kind: str, scale: float) -> None:
        seen = self._seen.get(kind)
        if seen is None:  # who writes at length answers at length
            lengths = [other.ratios["completion_tokens"] for other in self._seen.values()]
            ratios = dict.fromkeys(FIGURES, 1.0) | {"completion_tokens": lengths[0] if lengths else 1.0}
            seen = _Kind(ratios, 1.0, dict.fromkeys((*FIGURES, "microusd"), UNSEEN))
        amounts = {name: amount * seen.ratios[name] * scale for name, amount in self._load(stage, kind).items()}
        total.add(amounts | {"microusd": self._cost(amounts) * seen.paid}, seen.errors)

    def _cost(self, amounts: Mapping[str, float]) -> float:
        if self._price is None:
            return 0.0
        return amounts["prompt_tokens"] * self._price.input + amounts["completion_tokens"] * self._price.output


@dataclass
class _Row:
    """What one row used, and whether it was lost."""

    usage: Usage
    is_lost: bool = False


@dataclass
class Rows:
    """The rows of one ``each``, watched until enough of the first ones have been answered."""

    forecast: Forecast
    stage: str
    kind: str
    total: int
    before: dict[str, float]
    answered: int = 0
    """Rows seen, in their order."""
    kept: int = 0
    """Those of them that stay."""
    _done: dict[int, _Row] = field(default_factory=dict)
    _fresh: list[Usage] = field(default_factory=list)

    @contextlib.contextmanager
    def row(self, index: int) -> Iterator[_Row | None]:
        """What is asked inside is row ``index``'s."""
        if len(self._fresh) >= AGAIN[-1]:
            yield None
            return
        with counted() as usage:
            yield (seen := _Row(usage))
        self._done[index] = seen
        while self.answered in self._done:
            row = self._done.pop(self.answered)
            self.answered += 1
            self.kept += not row.is_lost
            if row.usage.requests:
                self._fresh.append(row.usage)
                if len(self._fresh) in AGAIN:
                    self.forecast.restate(self, self._fresh, self.answered - len(self._fresh))


def _error(amounts: list[float]) -> float:
    """Half the 95 % interval of the mean, as a share of it."""
    mean = sum(amounts) / len(amounts)
    spread = math.sqrt(sum((amount - mean) ** 2 for amount in amounts) / (len(amounts) - 1))
    return STUDENT * spread / math.sqrt(len(amounts)) / mean if mean else 0.0


def _interval(expected: float, off: float, spent: float, planned: float | None, unit: float = 1) -> dict[str, Any]:
    figures = {
        "spent": spent,
        "expected": max(spent, expected),
        "low": max(spent, expected - off),
        "high": max(spent, expected + off),
    }
    told: dict[str, Any] = {
        name: round(amount * unit, 6) if unit != 1 else math.ceil(amount) for name, amount in figures.items()
    }
    return told | {"planned": None if planned is None else round(planned * unit, 6) if unit != 1 else planned}
