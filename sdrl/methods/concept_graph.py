"""The graph of what stands in the same passages, and walks on it. Pure; asks no model.

Nodes are topics and concepts, an edge's weight is the number of passages that hold both ends. A walk starts at a topic,
goes one or two steps on to other topics, then to a concept, then on to further ones; it takes an edge with a
probability in proportion to its weight and comes to no node twice. Names that differ in case or spacing are one node.
Source: MathScale (arXiv 2403.02884, section 2.2), whose graph SynthLLM (arXiv 2503.19551, section 3) takes over: the
softmax of log weights there is the weight's share here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TOPIC_STEPS = (1, 2)  # from the first topic on, at least and at most
CONCEPT_STEPS = (1, 3)  # from the first concept on


@dataclass(frozen=True)
class Held:
    """The topics and concepts of one passage, as its reply names them."""

    topics: tuple[str, ...]
    concepts: tuple[str, ...]

    @property
    def nodes(self) -> frozenset[str]:
        """Its nodes of the graph."""
        return frozenset(map(node, (*self.topics, *self.concepts)))


@dataclass(frozen=True)
class Walk:
    """The topics and concepts that a walk came to, in its order, as they are first written."""

    topics: tuple[str, ...]
    concepts: tuple[str, ...]

    @property
    def nodes(self) -> frozenset[str]:
        """Its nodes of the graph."""
        return frozenset(map(node, (*self.topics, *self.concepts)))


def node(name: str) -> str:
    """The node of a name."""
    return " ".join(name.casefold().split())


class ConceptGraph:
    """The graph of some passages."""

    def __init__(self, held: Sequence[Held]) -> None:
        self._names: dict[str, str] = {}
        self._topics = {node(name) for each in held for name in each.topics}
        self._edges: dict[str, Counter[str]] = {}
        for each in held:
            nodes = {node(name): name for name in (*each.topics, *each.concepts)}
            for one, name in nodes.items():
                self._names.setdefault(one, name)
                self._edges.setdefault(one, Counter()).update(other for other in nodes if other != one)

    def walk(self, start: str, chance: random.Random, seen: Iterable[str] = ()) -> Walk:
        """A walk from the topic ``start`` that comes to no node of ``seen``."""
        visited = dict.fromkeys([*map(node, seen), node(start)])
        topics = self._steps(node(start), chance.randint(*TOPIC_STEPS), visited, chance, is_topic=True)
        last = topics[-1] if topics else node(start)
        concepts = self._steps(last, 1 + chance.randint(*CONCEPT_STEPS), visited, chance, is_topic=False)
        return Walk(self._written([node(start), *topics]), self._written(concepts))

    def _steps(
        self, at: str, count: int, visited: dict[str, None], chance: random.Random, *, is_topic: bool
    ) -> list[str]:
        found: list[str] = []
        for _ in range(count):
            edges = self._edges[at]
            open_ = [other for other in edges if other not in visited and (other in self._topics) is is_topic]
            if not open_:
                break
            at = chance.choices(open_, [edges[other] for other in open_])[0]
            visited[at] = None
            found.append(at)
        return found

    def _written(self, nodes: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._names[each] for each in nodes)


def jaccard(some: frozenset[str], others: frozenset[str]) -> float:
    """The share that two sets have in common; 0 of two empty ones."""
    return len(some & others) / len(some | others) if some or others else 0.0
