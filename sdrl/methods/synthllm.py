"""SynthLLM (arXiv 2503.19551, section 3, level 3): concepts of several documents, combined by a walk on their graph.

Topics and key concepts are extracted from each passage once. A random walk on the graph of what stands in the same
passages samples some of them, and a question is written from these and from the two passages that hold them. Where
there is one passage alone, its own concepts are combined: the paper's level 2.

Departures: (1) Passages come from the task's search, where the paper filters a web crawl with classifiers. (2) The
graph is not of the whole corpus: an attempt's is of its own passage and the five, among the twelve used in a row, that
share the most words with it. (3) The walk starts at a topic of the attempt's own passage, so that each passage has its
turn; where none of its nodes stands in another passage it goes on from a topic of the most alike one. (4) An attempt
writes one question and its output; the paper asks for up to three questions at once and has them answered apart.
(5) The label is the vote's.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache

from sdrl.methods.attempt import Attempt, Draft, Example, Passage, Refusal, Writing
from sdrl.methods.concept_graph import ConceptGraph, Held, Walk, jaccard

WINDOW = 12  # passages in a row among which an attempt chooses
NEIGHBOURS = 5  # of them beside its own
MOST_TOPICS, MOST_CONCEPTS = 5, 20  # of one passage
WORDS = re.compile(r"\w{4,}")


def write(attempt: Attempt) -> Writing:
    """Requests of ``templates/synthllm/``: ``concepts`` of up to six passages, shared with all that read them, and
    ``generate``."""
    own = attempt.passage_at(attempt.turn)
    if own is None:
        return Refusal("no_passage", "the search found no passage for this part")
    held: list[tuple[Passage, Held]] = []
    for passage in (own, *_neighbours(attempt, own)):
        reply = yield Draft("concepts", {"passage": passage["text"]}, key=passage["id"], may_fail=passage is not own)
        if reply:
            held.append((passage, Held(tuple(reply["topics"][:MOST_TOPICS]), tuple(reply["concepts"][:MOST_CONCEPTS]))))
    walk, other = _walked(held, random.Random(attempt.seed))
    values = {
        "topics": _listed(walk.topics),
        "concepts": _listed(walk.concepts or walk.topics),
        "passage": own["text"],
        "other_passage": other["text"] if other else None,
    }
    reply = yield Draft("generate", values)
    notes = {
        "topics": list(walk.topics),
        "concepts": list(walk.concepts),
        "passages": [own["id"], *([other["id"]] if other else [])],
    }
    return Example(reply, passage=own["id"], notes=notes)


def _walked(held: list[tuple[Passage, Held]], chance: random.Random) -> tuple[Walk, Passage | None]:
    """What a walk from the first passage samples, and the other passage that has the most of it."""
    (_, first), *others = held
    graph = ConceptGraph([each for _, each in held])
    walk = graph.walk(chance.choice(first.topics), chance)
    if not others:
        return walk, None
    passage, most = max(others, key=lambda other: jaccard(walk.nodes, other[1].nodes))
    if not walk.nodes & most.nodes:
        further = graph.walk(chance.choice(most.topics), chance, seen=walk.nodes)
        walk = Walk(walk.topics + further.topics, walk.concepts + further.concepts)
    return walk, passage


def _neighbours(attempt: Attempt, own: Passage) -> list[Passage]:
    """The passages of the attempt's window that share the most words with its own, the most alike first."""
    first = attempt.turn - attempt.turn % WINDOW
    window = {each["id"]: each for at in range(WINDOW) if (each := attempt.passage_at(first + at))}
    window.pop(own["id"], None)
    words = _words(own["text"])
    return sorted(window.values(), key=lambda each: -jaccard(words, _words(each["text"])))[:NEIGHBOURS]


@lru_cache(maxsize=256)
def _words(text: str) -> frozenset[str]:
    return frozenset(WORDS.findall(text.casefold()))


def _listed(names: tuple[str, ...]) -> str:
    return "\n".join(f"- {name}" for name in names)
