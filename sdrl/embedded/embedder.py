"""The hashed-words embedder: a program that turns a text into a vector by counting its words, no model of meaning.

Each word and each pair of neighbouring words, numbers being one word, adds 1 to a place of the vector that a hash
names, or takes it away; the vector has length 1. Texts that share most of their words lie close together; a paraphrase
in other words does not. It stands in for an embedding model offline, so that what uses one can be run and tested.
"""

from __future__ import annotations

import math
import re
from hashlib import blake2b
from itertools import pairwise

NAME = "hashed-words"
DIMENSIONS = 256
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+")


def embed(text: str) -> list[float]:
    """The vector of a text, of length 1; all zeros without a word."""
    found = ["#" if token[0].isdigit() else token.casefold() for token in _TOKEN.findall(text)]
    vector = [0.0] * DIMENSIONS
    for feature in [*found, *map(" ".join, pairwise(found))]:
        place = int.from_bytes(blake2b(feature.encode(), digest_size=4).digest(), "big")
        vector[place % DIMENSIONS] += 1.0 if place & (1 << 31) else -1.0
    length = math.sqrt(sum(each * each for each in vector))
    return [round(each / length, 6) for each in vector] if length else vector


def count(text: str) -> int:
    """What counts as tokens here: words and numbers."""
    return len(_TOKEN.findall(text))
