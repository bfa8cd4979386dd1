"""What writing samples asks of the instructor under a synthesis method: all its prompts, expected and at most."""

from __future__ import annotations

from dataclasses import dataclass

from sdrl.compiler.load import Load, one_each
from sdrl.compiler.method_use import method_of
from sdrl.compiler.plan import Plan
from sdrl.compiler.sizes import NO_LIMIT, Sizes


@dataclass(frozen=True)
class Writing:
    """Requests and tokens of a method's steps, of one attempt."""

    attempt: Load

    @classmethod
    def usual(cls, plan: Plan, sizes: Sizes) -> Writing:
        """What is expected."""
        reply = min(plan.settings.synthesize.sampling.max_tokens or NO_LIMIT, sizes.written())
        return cls(sum((one_each(1, sizes.step(step).expected, reply) for step in method_of(plan).steps), Load()))

    @classmethod
    def worst(cls, plan: Plan, sizes: Sizes) -> Writing:
        """What cannot be exceeded."""
        longest = plan.settings.synthesize.sampling.max_tokens or NO_LIMIT
        return cls(sum((one_each(1, sizes.step(step).most, longest) for step in method_of(plan).steps), Load()))

    def load(self, attempts: float) -> Load:
        """Of so many attempts."""
        return self.attempt.times(attempts)
