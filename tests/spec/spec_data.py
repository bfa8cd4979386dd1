"""What the text of a spec says, and its comments, for tests of edits and of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mapping, Mark, Node, Scalar, parse
from sdrl.spec.reading import Reader


def data(text: str) -> dict[str, Any]:
    """What a text says, typed by the schema."""
    root = parse(text.removeprefix("\ufeff")).root
    if root is None:
        return {}
    assert isinstance(root, Mapping)
    return Reader("").table(root, Spec, (), Mark(0, 0, 0, 0, 0, 0))


def comments(text: str) -> list[str]:
    """Every comment of a text, in order: what begins with '#' outside all values."""
    spans = sorted((mark.index, mark.end_index) for mark in _scalar_marks(parse(text).root))
    for start, end in reversed(spans):
        header = text[start:end].split("\n", 1)[0] if text[start : start + 1] in "|>" and start < end else ""
        text = text[:start] + (header + "\n" if "#" in header else "") + text[end:]
    return re.findall(r"#[^\n]*", text)


def _scalar_marks(node: Node | None) -> Iterator[Mark]:
    if isinstance(node, Scalar):
        yield node.mark
    elif isinstance(node, Mapping):
        for key, value in node.items:
            yield key.mark
            yield from _scalar_marks(value)
    elif node is not None:
        for item in node.items:
            yield from _scalar_marks(item)
