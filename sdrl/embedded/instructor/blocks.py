"""Finding the delimited blocks of a prompt: all that the scripted instructor reads of it.

A block is an opening tag alone on its line, its lines, and the closing tag alone on its line. Prose around the blocks
is not looked at, so the wording of a prompt template does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sdrl.embedded.protocol import Message

NAMES = ("task", "input_format", "output_format", "pattern", "demos", "passage", "sample", "problem", "options")
_BLOCK = re.compile(rf"^[ \t]*<({'|'.join(NAMES)})>[ \t]*\n(.*?)^[ \t]*</\1>[ \t]*$", re.MULTILINE | re.DOTALL)
_DEMO = re.compile(r"^[ \t]*<demo>[ \t]*\n(.*?)^[ \t]*</demo>[ \t]*$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"^\s*\(?([A-Za-z])[.):]\s*(.*\S)\s*$")


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample as a prompt shows it."""

    input: str
    output: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of one request by name, in order of appearance; texts are stripped."""

    found: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first block of this name."""
        return next((text for tag, text in self.found if tag == name), None)

    def count(self, name: str) -> int:
        """How many blocks have this name."""
        return sum(tag == name for tag, _ in self.found)

    def pair(self, name: str = "sample") -> Pair | None:
        """The <input> and <output> inside a block, None where it or its input is missing."""
        text = self.get(name)
        return None if text is None else _pair(text, self.options())

    def demos(self) -> tuple[Pair, ...]:
        """The demos, those without an input left out."""
        pairs = (_pair(text, ()) for text in _DEMO.findall(self.get("demos") or ""))
        return tuple(pair for pair in pairs if pair is not None)

    def options(self) -> tuple[tuple[str, str], ...]:
        """Letters and texts of the options block; empty without one."""
        return read_options(self.get("options") or "")


def read_blocks(messages: Iterable[Message]) -> Blocks:
    """The blocks of everything that was said to the instructor; its own earlier replies are not read."""
    found: list[tuple[str, str]] = []
    for message in messages:
        if message.role != "assistant":
            found += [(name, text.strip()) for name, text in _BLOCK.findall(message.content.replace("\r\n", "\n"))]
    return Blocks(tuple(found))


def read_options(text: str) -> tuple[tuple[str, str], ...]:
    """Lines such as "A. 12 apples" as (letter, text); other lines are left out."""
    matches = (_OPTION.match(line) for line in text.splitlines())
    return tuple((match.group(1), match.group(2)) for match in matches if match)


def _pair(text: str, options: tuple[tuple[str, str], ...]) -> Pair | None:
    given, wanted, inner = _inner(text, "input"), _inner(text, "output"), _inner(text, "options")
    return None if given is None else Pair(given, wanted or "", read_options(inner) if inner else options)


def _inner(text: str, tag: str) -> str | None:
    match = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return match.group(1).strip() if match else None
