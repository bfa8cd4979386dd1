"""How much asking something takes: requests, completions, tokens. Arithmetic only."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """One stage's asking: HTTP requests, completions drawn, tokens in and out; a request may draw several."""

    requests: float = 0
    draws: float = 0
    prompt_tokens: float = 0
    completion_tokens: float = 0

    def __add__(self, other: Load) -> Load:
        return Load(
            self.requests + other.requests,
            self.draws + other.draws,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    def times(self, count: float) -> Load:
        """So many times this."""
        return Load(*(count * value for value in vars(self).values()))

    def rounded(self) -> dict[str, int]:
        """Whole numbers, rounded up: a bound stays one."""
        return {name: math.ceil(round(value, 6)) for name, value in vars(self).items()}


def one_each(count: float, prompt: float, completion: float) -> Load:
    """``count`` requests of one completion each."""
    return Load(count, count, count * prompt, count * completion)


def many_each(count: float, draws: float, calls: float, prompt: float, completion: float) -> Load:
    """``draws`` completions of each of ``count`` prompts, in ``calls`` requests."""
    return Load(count * calls, count * draws, count * calls * prompt, count * draws * completion)
