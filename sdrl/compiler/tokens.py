"""How many tokens a text is: by the model's own tokenizer where its folder is at hand, else by the kinds of characters.

The constants for unknown tokenizers were measured against cl100k and o200k on English prose, word problems, worked
solutions, JSON, LaTeX and code (within 7 % of either) and on five other languages (within 35 %, which is also what the
two differ by); see docs/experiments.md. Reads tokenizer.json; runs no model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SCRIPTED_CHARACTERS = 4  # characters that the scripted instructor counts as one token
_SAFETY = 2  # an unknown tokenizer needs at most this times the expected tokens
_PIECE = re.compile(
    r" ?([A-Za-z]+)|([0-9]{1,3})|([!-/:-@\[-`{-~]+)|([\u0080-\u02ff])|([\u0300-\u2fff])|([\u3000-\U0010ffff])|(\n+)"
)


@dataclass(frozen=True)
class Tokens:
    """Counts tokens of one model. ``how`` says by what; ``safety`` times a count is never too low."""

    count: Callable[[str], int]
    how: str
    safety: float = 1.0

    def most(self, text: str) -> int:
        """A count that the model's own does not exceed."""
        return math.ceil(self.safety * self.count(text))


def typical_count(text: str) -> int:
    """Tokens of ``text`` for a tokenizer that is not at hand."""
    total = 0.0
    for match in _PIECE.finditer(text):
        kind = match.lastindex
        if kind == 1:  # a word: one token, long ones begin to be cut
            total += 1 + 0.1 * max(0, len(match[1]) - 6)
        elif kind == 3:  # a run of signs
            total += 1 + 0.25 * max(0, len(match[3]) - 2)
        else:
            total += _OTHERS[kind or 0]
    return math.ceil(total)


_OTHERS = {2: 1.0, 4: 0.6, 5: 0.38, 6: 0.95, 7: 0.8}  # digits, Latin beyond ASCII, other letters, CJK, line ends


def scripted_count(text: str) -> int:
    """Tokens as the scripted instructor counts them."""
    return -(-len(text) // SCRIPTED_CHARACTERS)


UNKNOWN = Tokens(typical_count, "the usual tokens of such texts", _SAFETY)
SCRIPTED = Tokens(scripted_count, f"{SCRIPTED_CHARACTERS} characters a token")


def tokens_of(folder: Path | None) -> Tokens:
    """The tokens of the model in ``folder``."""
    if folder is None:
        return UNKNOWN
    from sdrl.compiler.bpe import read_bpe

    bpe = read_bpe(folder)
    return UNKNOWN if bpe is None else Tokens(bpe.count, "its own tokenizer")
