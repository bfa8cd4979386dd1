"""A page into text of 80 columns, or into Markdown. Pure: pages in, strings out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sdrl.report.blocks import Block, Chart, Page, Table, Text
from sdrl.report.graph import Graph
from sdrl.report.verdict import NBSP

WIDTH = 80
INDENT = 2
LONGEST_WORD = 14  # of a last column that is not cut
_ASCII = str.maketrans({"–": "-", "·": "|", "─": "-", "│": "|", "└": "+", "…": "~", "×": "x", "→": "->"})


def to_text(page: Page, *, ascii_only: bool = False) -> str:
    """Plain text, no line longer than 80 characters (long names and whole words excepted)."""
    lines = [page.title, *textwrap.wrap(page.subtitle, WIDTH), "─" * WIDTH]
    for section in page.sections:
        lines += ["", section.title.upper(), ""]
        for index, block in enumerate(section.blocks):
            if index and not (isinstance(block, Text) and isinstance(section.blocks[index - 1], Text)):
                lines.append("")
            lines += [(" " * INDENT + line).rstrip() for line in _text_block(_in_ascii(block) if ascii_only else block)]
    text = "\n".join(lines).replace(NBSP, " ") + "\n"
    return text.translate(_ASCII).encode("ascii", "replace").decode() if ascii_only else text


def _in_ascii(block: Block) -> Block:
    """Before anything is laid out: what stands for a mark may be wider than it."""
    if isinstance(block, Text):
        return Text(block.words.translate(_ASCII))
    if isinstance(block, Table):
        rows = tuple(tuple(cell.translate(_ASCII) for cell in row) for row in (block.head, *block.rows))
        return replace(block, head=rows[0], rows=rows[1:])
    return block


def to_markdown(page: Page, pictures: Mapping[str, tuple[str, Graph]] | None = None) -> str:
    """GitHub-flavoured Markdown; charts stand in code blocks.

    ``pictures``: file and picture by the name that sections know them by; they take the place of the charts.
    """
    lines = [f"# {_escape(page.title)}", "", _escape(page.subtitle)]
    for section in page.sections:
        drawn = [pictures[name] for name in section.figures if name in pictures] if pictures else []
        lines += ["", f"## {section.title}"]
        for file, graph in drawn:
            lines += [
                "",
                f"![{_escape(graph.title)}]({file})",
                "",
                f"*{_escape(graph.title)}.* {_escape(graph.caption)}",
            ]
        for block in section.blocks:
            if not (drawn and isinstance(block, Chart)):
                lines += ["", *_markdown_block(block)]
    return "\n".join(lines).replace(NBSP, " ") + "\n"


def _text_block(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield from textwrap.wrap(block.words, WIDTH - INDENT)
    elif isinstance(block, Chart):
        yield from block.lines
    else:
        yield from _text_table(block)


def _text_table(table: Table) -> Iterator[str]:
    """Columns as wide as their content; a last column of text wraps within the page."""
    columns = range(len(table.head))
    widths = [max(len(row[column]) for row in (table.head, *table.rows)) for column in columns]
    last = len(widths) - 1
    if last in table.left:
        words = (len(word) for row in table.rows for word in row[last].split())
        whole = min(max(words, default=0), LONGEST_WORD)  # a little over the edge is better than a word in two
        widths[last] = max(8, whole, min(widths[last], WIDTH - INDENT - sum(widths[:last]) - 2 * last))
    for row in (table.head, *table.rows):
        cells = [_align(row[column], widths[column], column in table.left) for column in columns]
        wrapped = textwrap.wrap(row[last], widths[last]) or [""]
        if len(wrapped) > 1:
            cells[last] = wrapped[0]
        yield "  ".join(cells).rstrip()
        for more in wrapped[1:]:
            yield " " * (sum(widths[:last]) + 2 * last) + more


def _align(cell: str, width: int, is_left: bool) -> str:
    return cell.ljust(width) if is_left else cell.rjust(width)


def _markdown_block(block: Block) -> Iterator[str]:
    if isinstance(block, Text):
        yield _escape(block.words)
    elif isinstance(block, Chart):
        yield from ("```text", *block.lines, "```")
    else:
        yield "| " + " | ".join(map(_escape, block.head)) + " |"
        yield "|" + "|".join("---" if column in block.left else "---:" for column in range(len(block.head))) + "|"
        for row in block.rows:
            yield "| " + " | ".join(_escape(cell.strip()) for cell in row) + " |"


def _escape(text: str) -> str:
    for mark in "\\|<>*_`":
        text = text.replace(mark, "\\" + mark)
    return text
