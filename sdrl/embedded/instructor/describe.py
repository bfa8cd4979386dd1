"""The skills that describe: search words for a task, the form that its demos share, tags. Counting only, no draws."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from sdrl.embedded.instructor.blocks import Blocks
from sdrl.embedded.problems import Problem, nouns_in

_WORD = re.compile(r"[A-Za-z][a-z]{3,}")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SENTENCE_END = re.compile(r"[.?!](?=\s|$)")
_COMMON = frozenset(
    "about after also another answer answering answers apply asked asks based been before being below between "
    "both called careful carefully careless choice classification complex concept concepts correct could decide "
    "deep derive different does done each either every exactly example examples final find following format from "
    "general given gives giving good have here important into itself just kind knowledge level like line make "
    "makes many more most much multiple must named need needs number numbers only option options other output "
    "over piece possible problem problems proper question questions read reading readings reasoning related "
    "result right same sample samples several short should show shows single solution solutions solve some step "
    "steps subject such taken takes task tasks text than that their them then there these they this those three "
    "through understand used using what when where which while whole whose will with word words work would write "
    "writes written your ".split()
)
MOST_KEYWORDS = 24
_OPERATIONS = {"+": "addition", "-": "subtraction", "*": "multiplication", "/": "division"}
# What stories about quantities are about; this program's knowledge of its own subject.
_STORIES = frozenset("arithmetic story stories everyday".split())
_OF_STORIES = (
    "shop market farm garden kitchen school library harbour workshop boxes baskets children visitors days".split()
)


def keywords(blocks: Blocks) -> list[str]:
    """Search words: telling words of the task, then things that its demos count; most telling first, no duplicates."""
    told = Counter(word.lower() for word in _WORD.findall(blocks.get("task") or ""))
    from_task = sorted((word for word in told if word not in _COMMON), key=lambda word: -told[word])
    demos = "\n".join(demo.input for demo in blocks.demos())
    found = dict.fromkeys([*from_task[:8], *nouns_in(demos)[:8], *from_task[8:]])
    more = _OF_STORIES if _STORIES & told.keys() or len(found) < 5 else []
    return list(dict.fromkeys([*found, *more]))[:MOST_KEYWORDS]


def tags(problem: Problem) -> list[str]:
    """The kinds of its steps, their number, and the things it counts."""
    kinds = sorted({_OPERATIONS[op] for op, _ in problem.operations})
    return [*kinds, f"{len(problem.operations)} steps", *nouns_in(problem.text)[:1]]


def pattern(blocks: Blocks) -> str:
    """A paragraph on the form of the demos: sentences, words, numbers, question, lines and ending of the output."""
    demos = blocks.demos()
    if not demos:
        return "An input states all the facts and asks one question; the output works step by step to one answer."
    inputs, outputs = [demo.input for demo in demos], [demo.output for demo in demos]
    sentences = _typical([len(_SENTENCE_END.findall(text)) or 1 for text in inputs])
    words = _typical([len(text.split()) for text in inputs])
    numbers = _typical([len(_NUMBER.findall(text)) for text in inputs])
    asks = sum(text.rstrip().endswith("?") for text in inputs) * 2 >= len(inputs)
    lines = _typical([len(text.splitlines()) or 1 for text in outputs])
    parts = [
        f"An input has about {sentences} sentences and {words} words and gives about {numbers} numbers.",
        "It ends with a question about one quantity." if asks else "It states a situation and what is wanted.",
        "Each fact changes the situation that the fact before left, so the steps depend on each other.",
        f"An output has about {lines} lines: one for each step of the work, the answer last, in the form asked for.",
    ]
    return " ".join(parts)


def _typical(counts: Sequence[int]) -> int:
    return round(median(counts))
