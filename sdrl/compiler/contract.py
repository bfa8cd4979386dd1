"""The generation contract: how the base model (and the model trained from it) is drawn from, in one object.

Probe, score, rollouts, looks at the validation split and evaluation all take a `Generation` from here, so that prompt
form, stop strings, end tokens and limits cannot differ between them; temperature, nucleus and top-k are each stage's
own. Pure: reads a plan, asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sdrl.compiler.plan import EvaluationPlan, Plan


@dataclass(frozen=True)
class Generation:
    """How one completion is drawn. ``top_k`` None is off; ``temperature`` 0 is greedy; None is not sent.

    ``stop``: texts that end a completion and are no part of it. ``end_ids``: tokens that end it besides those that the
    model folder names. ``max_tokens`` counts the end token. Nothing else acts on a draw: no penalty, no ``min_p``, no
    default of a model folder.
    """

    kind: Literal["raw", "chat"]
    temperature: float | None
    top_p: float | None
    top_k: int | None
    max_tokens: int
    stop: tuple[str, ...] = ()
    end_ids: tuple[int, ...] = ()

    def greedy(self) -> Generation:
        """The same limits and ends, without chance."""
        return replace(self, temperature=0.0, top_p=1.0, top_k=None)

    def sampling(self) -> dict[str, Any]:
        """The sampling fields of a request; end tokens only where there are some, as few endpoints know the field."""
        fields: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop),
        }
        return {**fields, "stop_token_ids": list(self.end_ids)} if self.end_ids else fields


def for_score(plan: Plan) -> Generation:
    """Draws for pass rates."""
    return _generation(plan, plan.settings.score.sampling.resolved())


def for_probe(plan: Plan) -> Generation:
    """The greedy answers of the probe: as scored, without chance."""
    return for_score(plan).greedy()


def for_rollouts(plan: Plan) -> Generation:
    """Rollouts of the training, and (greedy) its looks at the validation split."""
    train = plan.settings.train
    return _generation(plan, {**train.sampling.resolved(), "max_tokens": train.max_completion_tokens})


def for_evaluation(plan: Plan, evaluation: EvaluationPlan) -> Generation:
    """Answers to an evaluation set, of base and trained model alike."""
    return _generation(plan, evaluation.sampling)


def _generation(plan: Plan, sampling: Mapping[str, Any]) -> Generation:
    """A stage's own chances with the plan's ends. A limit left open is the rollouts': endpoints' defaults differ."""
    longest = sampling.get("max_tokens") or plan.settings.train.max_completion_tokens
    return Generation(
        kind=plan.base.kind,
        temperature=sampling.get("temperature"),
        top_p=sampling.get("top_p"),
        top_k=sampling.get("top_k"),
        max_tokens=int(longest),
        stop=plan.base.stop,
        end_ids=plan.base.end_ids,
    )
