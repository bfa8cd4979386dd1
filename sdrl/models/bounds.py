"""The most that a call can use, for its reservation: by bytes and ``max_tokens``, widened where an endpoint uses more.

A token is at least one byte of what is sent, and a completion at most ``max_tokens`` long, reasoning included where the
provider holds to it. Some count more (a system prompt of their own, reasoning beside ``max_tokens``): what a reply
shows beyond its bound widens every later one, so that a cap is passed by what was in flight then, by nothing more.
"""

from __future__ import annotations

from sdrl.models.draws import token_bounds
from sdrl.models.request import Request


class Bounds:
    """Bounds of one endpoint's calls, in tokens."""

    def __init__(self) -> None:
        self._prompt_more = 0
        self._completion_more = (1, 1)  # the largest ratio of used to asked, as a fraction

    def of(self, request: Request, n: int) -> tuple[int, int | None]:
        """The most prompt and completion tokens a call for ``n`` draws can use; None without ``max_tokens``."""
        prompt, completion = token_bounds(request, n)
        used, asked = self._completion_more
        return prompt + self._prompt_more, None if completion is None else -(-completion * used // asked)

    def learn(self, request: Request, n: int, prompt_tokens: int, completion_tokens: int) -> str | None:
        """Widen the bounds where a reply exceeded them; says by what it did, None where it did not."""
        prompt, completion = token_bounds(request, n)
        said = []
        if prompt_tokens > prompt + self._prompt_more:
            self._prompt_more = prompt_tokens - prompt
            said.append(f"{prompt_tokens:,} prompt tokens for {prompt:,} bytes sent")
        used, asked = self._completion_more
        if completion and completion_tokens * asked > completion * used:
            self._completion_more = (completion_tokens, completion)
            said.append(f"{completion_tokens:,} completion tokens where {completion:,} were allowed")
        return " and ".join(said) or None
