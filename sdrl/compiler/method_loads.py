"""What writing samples asks of the instructor under a synthesis method: all its prompts, expected and at most."""

from __future__ import annotations

from dataclasses import dataclass

from sdrl.compiler.load import Load, one_each
from sdrl.compiler.method_use import method_of, numbers_to_ask
from sdrl.compiler.plan import Plan
from sdrl.compiler.schedule import topics_for
from sdrl.compiler.sizes import NO_LIMIT, Sizes
from sdrl.spec.method import Step


@dataclass(frozen=True)
class Writing:
    """Requests and tokens of a method's steps: one request of each, and how many of it some attempts ask."""

    plan: Plan
    each: tuple[tuple[Step, Load], ...]
    is_bound: bool = False

    @classmethod
    def usual(cls, plan: Plan, sizes: Sizes) -> Writing:
        """What is expected."""
        longest, sample = plan.settings.synthesize.sampling.max_tokens or NO_LIMIT, sizes.written()
        steps = method_of(plan).steps
        return cls(
            plan,
            tuple((step, one_each(1, sizes.step(step).expected, min(longest, step.size * sample))) for step in steps),
        )

    @classmethod
    def worst(cls, plan: Plan, sizes: Sizes) -> Writing:
        """What cannot be exceeded."""
        longest = plan.settings.synthesize.sampling.max_tokens or NO_LIMIT
        steps = method_of(plan).steps
        return cls(plan, tuple((step, one_each(1, sizes.step(step).most, longest)) for step in steps), is_bound=True)

    def load(self, attempts: float) -> Load:
        """Of so many attempts."""
        return sum((load.times(self._requests(step, attempts)) for step, load in self.each), Load())

    def _requests(self, step: Step, attempts: float) -> float:
        if not attempts:
            return 0
        asked = attempts * (step.most_asks if self.is_bound else step.asks)
        if method_of(self.plan).once:
            asked = min(asked, numbers_to_ask(self.plan))
        return self._shared(step, asked) * (step.tries if self.is_bound else 1)

    def _shared(self, step: Step, asked: float) -> float:
        """Different requests, of so many that attempts ask."""
        if step.shared_by == "turns":  # a part's last request may serve fewer
            return min(asked, asked / step.serves + len(self.plan.parts) * (1 if self.is_bound else 0.5))
        if step.shared_by == "part":
            return min(asked, len(self.plan.parts))
        if step.shared_by == "topic":
            return min(asked, sum(topics_for(self.plan.settings.synthesize, part.share) for part in self.plan.parts))
        if step.shared_by == "passage":
            passages = self.plan.settings.retrieve.passages
            found = sum(file.rows or passages for file in self.plan.corpus)
            if self.is_bound:  # the last ones in a row may read all passages of that row
                return min(asked + (step.serves - 1) * len(self.plan.parts), passages * len(self.plan.parts))
            return min(asked, min(found, passages) * len(self.plan.parts))
        return asked
