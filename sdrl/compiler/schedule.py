"""How a run sends its requests, as far as the plan alone decides it: tries, draws in one call, sizes of waves.

Stages, models and the estimate read these numbers here, so that a forecast cannot drift from what is sent.
"""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.spec.model import Synthesize

KEYWORD_TRIES = 3  # a keyword reply that cannot be read ends the run, so it is asked again with the next draw
KEYWORD_DEMOS = 3
PATTERN_DEMOS = 100  # the paper's largest setting
DRAWS_PER_CALL = 64  # the largest ``n`` of one request
MOST_LINES = 50_000  # of one batch of a provider's batch API
VOTE_WAVES = 4  # a vote that is still open after so many less one is asked for the rest at once
SCORE_WAVE = 8  # the fewest draws in one request of adaptive scoring
SCORE_ROUNDS = 8  # about so many rounds of it, however many draws
MOST_TOPICS = 30  # of a part, and under each topic (UltraChat's number)
SCORE_FEW = 16  # a round of it asks for this part of one wave a sample at the least


def calls_for(draws: int) -> int:
    """Requests for ``draws`` completions of one prompt, where the endpoint honours ``n``."""
    return -(-draws // DRAWS_PER_CALL)


def demo_chance(synthesize: Synthesize, demos: int) -> float:
    """The probability that a prompt has demos; ``share`` is the authors' code: number of demos over samples."""
    chosen = synthesize.demo_probability
    return min(1.0, demos / synthesize.samples) if chosen == "share" else chosen


def wave_size(samples: int) -> int:
    """How many attempts go out together after the first ones."""
    return max(8, samples // 8)


def topics_for(synthesize: Synthesize, share: float) -> int:
    """Topics of a part's tree, and topics under each: its square has a leaf for each of the part's attempts."""
    return min(MOST_TOPICS, max(2, ceil(sqrt(share * synthesize.most_attempts))))


def vote_wave(waves: int, needed: int, left: int) -> int:
    """How many draws go out next of a vote that ``needed`` may settle, after ``waves`` of them."""
    return left if waves + 1 >= VOTE_WAVES else needed


def score_wave(draws: int) -> int:
    """How many of at most ``draws`` a sample gets in one round of adaptive scoring."""
    return min(draws, max(SCORE_WAVE, -(-draws // SCORE_ROUNDS)))
