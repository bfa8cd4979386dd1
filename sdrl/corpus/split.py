"""Long texts into passages of at most so many words, at sentence borders; plain text and Markdown at paragraphs too.

Pure text to text. Pieces of one text are of about equal length, so that no passage is a stray last sentence. Words are
runs of non-blank characters; a sentence longer than a passage (a table, a list without full stops) is cut at words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

_WORD = re.compile(r"\S+")
# a sentence ends at . ! or ? with its closing quotes and brackets, before white space and a new start; or at a blank
# line
_SENTENCE_END = re.compile(r"""[.!?]["'”’)\]]*(?=\s+["'“‘(\[]?[A-Z0-9])|\n\s*\n""")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|Fig|Eq|approx))\.$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)


def count_words(text: str) -> int:
    """Runs of non-blank characters in ``text``."""
    return len(_WORD.findall(text))


def split_text(text: str, max_words: int) -> list[str]:
    """Cut ``text`` into pieces of at most ``max_words`` words at sentence borders; a short text stays as it is."""
    text = text.strip()
    total = count_words(text)
    if total <= max_words:
        return [text] if text else []
    sentences = [part for sentence in _sentences(text) for part in _cut_at_words(sentence, max_words)]
    aim = ceil(total / ceil(total / max_words))
    return list(_pack(sentences, aim, max_words, " "))


def split_plain(text: str, max_words: int) -> list[str]:
    """Paragraphs of a plain text, short neighbours joined, long ones cut."""
    paragraphs = [piece for part in _BLANK_LINES.split(text) for piece in split_text(part, max_words)]
    return list(_pack(paragraphs, max_words, max_words, "\n\n"))


def split_markdown(text: str, max_words: int) -> list[tuple[str, str]]:
    """``(heading, passage)`` pairs of a Markdown text: no passage runs over a heading; front matter is left out."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in _FRONT_MATTER.sub("", text, count=1).split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1] == fence:
            fence = ""
        heading = None if fence or mark else _HEADING.match(line)
        if heading:
            sections.append((heading[2], []))
        else:
            sections[-1][1].append(line)
    return [(title, piece) for title, lines in sections for piece in split_plain("\n".join(lines), max_words)]


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if _ABBREVIATION.search(text, start, match.end()):
            continue
        sentence = text[start : match.end()].strip()
        start = match.end()
        if sentence:
            yield sentence
    if text[start:].strip():
        yield text[start:].strip()


def _cut_at_words(sentence: str, max_words: int) -> Iterator[str]:
    words = list(_WORD.finditer(sentence))
    if len(words) <= max_words:
        yield sentence
        return
    for first in range(0, len(words), max_words):
        run = words[first : first + max_words]
        yield sentence[run[0].start() : run[-1].end()]


def _pack(parts: list[str], aim: int, limit: int, joiner: str) -> Iterator[str]:
    """Join neighbours until a piece has ``aim`` words; never more than ``limit``."""
    held: list[str] = []
    words = 0
    for part in parts:
        size = count_words(part)
        if held and (words >= aim or words + size > limit):
            yield joiner.join(held)
            held, words = [], 0
        held.append(part)
        words += size
    if held:
        yield joiner.join(held)
