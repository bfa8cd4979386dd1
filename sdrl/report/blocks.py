"""What a page is made of, before any renderer has seen it: sections of paragraphs, tables and character charts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """One paragraph."""

    words: str


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first column is text, the others are aligned to the right unless ``left`` names them."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class Chart:
    """Lines that only a fixed-width font keeps in shape."""

    lines: tuple[str, ...]


Block = Text | Table | Chart


@dataclass(frozen=True)
class Section:
    """A heading, what stands under it, and the names of the pictures that belong there."""

    title: str
    blocks: tuple[Block, ...]
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...] = field(default_factory=tuple)
