"""Whether a run fits its budget: E703 where even the expected requests do not, W510 where only the worst case may not.

Compares the estimate with the caps, which hold for the instructor, and says which number would fit. Calls no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import Plan

Totals = Mapping[str, Any]
Estimator = Callable[[Plan], Mapping[str, Any]]
TRIES = 8  # at finding a number of samples that fits


@dataclass(frozen=True)
class _Cap:
    """One key of ``budget``: its value in the estimate's unit, how much of it is used, and how it is written."""

    key: str
    most: int

    def used(self, totals: Totals) -> int | None:
        if self.key == "usd":
            cost: int | None = totals["microusd"]
            return cost
        if self.key == "requests":
            return int(totals["requests"])
        return int(totals["prompt_tokens"]) + int(totals["completion_tokens"])

    def shown(self, amount: int) -> str:
        if self.key != "usd":
            return f"{amount:,} {self.key}"
        return f"${amount / 1e6:,.2f}" if not amount or amount >= 10_000 else f"${amount / 1e6:.6f}"

    def written(self, amount: int) -> str:
        """A value of the key that allows ``amount``: two digits, rounded up."""
        value = amount / 1e6 if self.key == "usd" else amount
        if not value:
            return "0"
        step = 10.0 ** (math.floor(math.log10(value)) - 1)
        rounded = math.ceil(value / step) * step
        return f"{rounded:.{max(0, -math.floor(math.log10(step)))}f}" if self.key == "usd" else str(int(rounded))


def check_budget(plan: Plan, estimator: Estimator, findings: Findings) -> None:
    """Report each cap that the plan's estimate exceeds."""
    totals = plan.estimate["instructor"]
    for cap in _caps(plan):
        for case, code in (("expected", "E703"), ("worst", "W510")):
            used = cap.used(totals[case])
            if used is not None and used > cap.most:
                findings.add(
                    code, f"budget.{cap.key}", _message(cap, used, case), _help(cap, used, case, plan, estimator)
                )
                break


def _caps(plan: Plan) -> Iterator[_Cap]:
    budget = plan.settings.budget
    if budget.usd is not None:
        yield _Cap("usd", int(budget.usd * 1_000_000))
    for key, most in (("requests", budget.requests), ("tokens", budget.tokens)):
        if most is not None:
            yield _Cap(key, most)


def _message(cap: _Cap, used: int, case: str) -> str:
    if case == "expected":
        return f"the run is expected to use {cap.shown(used)}, and the budget allows {cap.shown(cap.most)}"
    return f"in the worst case the run uses {cap.shown(used)}; at {cap.shown(cap.most)} it would stop half way"


def _help(cap: _Cap, used: int, case: str, plan: Plan, estimator: Estimator) -> str:
    advice = f"raise budget.{cap.key} to {cap.written(used)}"
    fitting = _fitting(cap, used, case, plan, estimator)
    if fitting is not None:
        lower = " and ".join(f"{key} from {before:,} to {after:,}" for key, before, after in fitting)
        advice += f", or lower {lower}"
    if case == "worst":
        advice += "; a run that stopped there goes on with --budget"
    return advice


def _fitting(cap: _Cap, used: int, case: str, plan: Plan, estimator: Estimator) -> list[tuple[str, int, int]] | None:
    """How many samples (and attempts, where the spec counts them) would fit; None where no useful number does."""
    synthesize = plan.settings.synthesize
    share = 1.0
    for _ in range(TRIES):
        share *= 0.98 * cap.most / used
        samples = int(synthesize.samples * share)
        if samples < min(plan.settings.select.min, synthesize.samples - 1):
            return None
        changes = {"samples": samples}
        if synthesize.attempts is not None:
            changes["attempts"] = max(samples, int(synthesize.attempts * share))
        # what the base model draws is in no cap, and following it takes long
        score = plan.settings.score.model_copy(update={"adaptive": False})
        fewer = {"synthesize": synthesize.model_copy(update=changes), "score": score}
        settings = plan.settings.model_copy(update=fewer)
        found = cap.used(estimator(replace(plan, settings=settings))["instructor"][case])
        if found is not None and found <= cap.most:
            return [(f"synthesize.{key}", getattr(synthesize, key), value) for key, value in changes.items()]
        used = found or used
    return None
