"""From indices to calls and from replies to draws: pure functions, no HTTP and no disk."""

from __future__ import annotations

from collections.abc import Sequence

from sdrl.models.faults import CallFault
from sdrl.models.reply import Choice, Reply
from sdrl.models.request import Draw, DrawStatus, Request

_TRUNCATED = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety", "refusal", "blocklist", "prohibited_content"})
_BROKEN = frozenset({"abort", "error", "cancelled", "tool_calls", "function_call"})
_WRAPPING_BYTES = 256  # what a chat template may add to one message, beside the bytes of the request itself


def chunks(indices: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Runs of consecutive ``indices`` (ascending) as (first, n), cut at multiples of ``width``.

    >>> chunks([16, 17, 63, 64, 65], 64)
    [(16, 2), (63, 1), (64, 2)]
    """
    result: list[tuple[int, int]] = []
    for index in indices:
        if result and index == sum(result[-1]) and index % width:
            result[-1] = (result[-1][0], result[-1][1] + 1)
        else:
            result.append((index, 1))
    return result


def token_bounds(request: Request, n: int) -> tuple[int, int | None]:
    """The most prompt and completion tokens a call for ``n`` draws can use; None without ``max_tokens``.

    A token is at least one byte of the rendered request, which holds schema and sampling too.
    """
    most = request.sampling.get("max_tokens")
    wrapping = _WRAPPING_BYTES * (1 + len(request.messages or ()))
    return len(request.body) + wrapping, None if most is None else int(most) * n


def to_draws(request: Request, first: int, n: int, reply: Reply) -> list[Draw]:
    """The leading draws that a reply brought. Choices beyond ``n`` are dropped; after a gap the rest is asked again.

    Raises CallFault when the first one is missing, or broke off at the server.
    """
    by_place = {choice.index: choice for choice in reply.choices if choice.index < n}
    lengths = [len(by_place[place].text) + 1 if place in by_place else 0 for place in range(n)]
    shares = share_out(reply.completion_tokens, lengths)
    draws: list[Draw] = []
    for place in range(n):
        choice = by_place.get(place)
        if choice is None or choice.finish_reason in _BROKEN:
            break
        status, reason = ending(choice)
        ids = (request.key, first + place, choice.text, choice.finish_reason)
        draws.append(Draw(*ids, status, reason, reply.prompt_tokens, shares[place], False))
    if not draws:
        end = by_place[0].finish_reason if 0 in by_place else "missing"
        raise CallFault("ending", f"the first of {n} choices is of no use: {end}", charged=True)
    return draws


def ending(choice: Choice) -> tuple[DrawStatus, str]:
    """A draw's status by how it ended, and why it is not ok."""
    if choice.finish_reason in _TRUNCATED:
        return "truncated", "cut at max_tokens"
    if choice.refusal:
        return "filtered", f"the model refused: {choice.refusal[:300]}"
    if choice.finish_reason in _FILTERED:
        return "filtered", f"the provider filtered the reply ({choice.finish_reason})"
    return "ok", ""


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` by ``weights`` into integers that sum to it (to 0 where all weights are 0)."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    result: list[int] = []
    used = seen = 0
    for weight in weights:
        seen += weight
        result.append(total * seen // whole - used)
        used += result[-1]
    return result
