"""SQL as text: one statement out of an answer slot, without comments and fences; the script of a sample's database.

Reads tokens, not grammar: SQLite itself decides what is valid. Runs nothing.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Final, NamedTuple

MAX_QUERY: Final = 8_000  # characters
MAX_SCRIPT: Final = 100_000
_TOKEN: Final = re.compile(
    r"(?P<string>'(?:[^']|'')*')"
    r'|(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])'
    r"|(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_FENCE: Final = re.compile(r"```[A-Za-z]*[ \t]*\n?(.*?)```", re.DOTALL)
_DATABASE: Final = re.compile(r"<database>(.*?)</database>", re.DOTALL | re.IGNORECASE)
_CREATE: Final = re.compile(r"^[ \t]*CREATE\s+TABLE\b", re.MULTILINE | re.IGNORECASE)
# Functions that read the clock where no time is given to them, by how they are then called.
_CLOCK: Final = re.compile(
    r"\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\bstrftime\s*\(\s*'[^']*'\s*\)", re.IGNORECASE
)


class Statement(NamedTuple):
    """One statement in one spelling of white space. ``is_ordered``: its rows stand in an order that it asks for."""

    text: str
    is_ordered: bool


class SeveralStatements(ValueError):
    """The text holds more than one statement."""


def read_statement(slot: str) -> Statement | None:
    """The one query of an answer slot: fences, comments and a final semicolon are dropped; None where there is none.

    Raises:
        SeveralStatements: more than one stands there.
    """
    fenced = _FENCE.search(slot)
    pieces: list[str] = []
    words: list[tuple[str, int]] = []  # bare words with the depth of their parentheses
    depth, ended = 0, False
    for match in _TOKEN.finditer(fenced[1] if fenced else slot):
        kind, text = match.lastgroup, match[0]
        if kind in ("space", "comment"):
            pieces.append(" ")
            continue
        if text == ";":
            ended = ended or bool(words)
            continue
        if ended:
            raise SeveralStatements(text)
        depth += (text == "(") - (text == ")")
        if kind == "word":
            words.append((text.upper(), depth))
        pieces.append(text)
    if not words or words[0][0] not in ("SELECT", "WITH", "VALUES"):
        return None
    outer = [word for word, level in words if level == 0]
    is_ordered = any(pair == ("ORDER", "BY") for pair in itertools.pairwise(outer))
    return Statement(_spaced(pieces), is_ordered)


def _spaced(pieces: list[str]) -> str:
    """The tokens with each run of white space as one space; what stands in quotes stays as it is."""
    text: list[str] = []
    for piece in pieces:
        if piece != " " or (text and text[-1] != " "):
            text.append(piece)
    return "".join(text).strip(" ")


def reads_clock(query: str) -> bool:
    """Whether a query asks for the time of day: its result would change while nothing else does."""
    strings = (match[0] for match in _TOKEN.finditer(query) if match.lastgroup == "string")
    return any(string.lower() == "'now'" for string in strings) or bool(_CLOCK.search(query))


def expanded_size(query: str) -> int:
    """Tables that a query reads once each name of its WITH is replaced by its body, counted too high at worst.

    SQLite copies a body for every mention before it runs a single step, so that a few lines can fill the memory.
    """
    tokens = [match for match in _TOKEN.finditer(query) if match.lastgroup not in ("space", "comment", "string")]
    names = [match[0].strip('"`[]').upper() for match in tokens]
    bodies: dict[str, list[str]] = {}
    for at, name in enumerate(names):
        if name == "AS" and (found := _definition(names, at)):
            defined, start, end = found
            bodies.setdefault(defined, []).extend(names[start:end])
    sizes: dict[str, int] = {}

    def size(words: list[str], inside: frozenset[str]) -> int:
        total = words.count("FROM") + words.count(",")
        for word, count in Counter(words).items():
            if word in bodies and word not in inside:
                if word not in sizes:
                    sizes[word] = size(bodies[word], inside | {word})
                total += count * sizes[word]
        return total

    return size(names, frozenset())


def _definition(names: list[str], at: int) -> tuple[str, int, int] | None:
    """The name that the ``AS`` at ``at`` defines, and where its body begins and ends; None for any other AS."""
    start = at + 1
    while start < len(names) and names[start] in ("NOT", "MATERIALIZED"):
        start += 1
    before = at - 1
    if names[before : before + 1] == [")"]:  # name (columns) AS (body)
        while before > 0 and names[before] != "(":
            before -= 1
        before -= 1
    if start >= len(names) or names[start] != "(" or before < 0:
        return None
    depth = 0
    for end in range(start, len(names)):
        depth += (names[end] == "(") - (names[end] == ")")
        if depth == 0:
            return names[before], start, end
    return names[before], start, len(names)


def find_script(text: str) -> str | None:
    """The script of a sample's database: between ``<database>`` tags, in a fence, or from ``CREATE TABLE`` to the last
    semicolon."""
    tagged = _DATABASE.search(text)
    if tagged:
        return tagged[1]
    for fenced in _FENCE.finditer(text):
        if _CREATE.search(fenced[1]):
            return fenced[1]
    first, last = _CREATE.search(text), text.rfind(";")
    return text[first.start() : last + 1] if first and first.start() < last else None
