"""The change of a text, and the tree that it must then hold: what the parts of the edit language hand each other."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, replace
from typing import Any

from sdrl.spec.nodes import Node, Scalar, Sequence

Step = str | int
Raw = Any
"""A tree as it is written: (text, plain) for a scalar, a list, a dict."""


@dataclass(frozen=True)
class Splice:
    """Replace ``text[start:end]`` by ``new``; positions in characters."""

    start: int
    end: int
    new: str

    def of(self, text: str) -> str:
        """The text with the splice made."""
        return text[: self.start] + self.new + text[self.end :]

    def moved(self, by: int) -> Splice:
        """The same splice in a text with ``by`` more characters before it."""
        return replace(self, start=self.start + by, end=self.end + by)


def raw(node: Node | None) -> Raw:
    """The tree below a node; None for an empty document."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return (node.text, node.plain)
    if isinstance(node, Sequence):
        return [raw(item) for item in node.items]
    return {key.text: raw(value) for key, value in node.items}


def at(tree: Raw, path: SequenceOf[Step]) -> Raw:
    """What stands at a path of a tree; LookupError where nothing does."""
    for step in path:
        tree = tree[step]
    return tree
