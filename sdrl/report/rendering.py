"""A page into text of 80 columns, or into Markdown. Pure: pages in, strings out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from sdrl.report.blocks import Block, Chart, Page, Table, Text
from sdrl.report.verdict import NBSP

WIDTH = 80
INDENT = 2
_ASCII = str.maketrans({"–": "-", "·": "|", "─": "-", "│": "|", "└": "+", "…": "~"})


def to_text(page: Page, *, ascii_only: bool = False) -> str:
    """Plain text, no line longer than 80 characters (names that long excepted)."""
    lines = [page.title, page.subtitle, "─" * WIDTH]
    for section in page.sections:
        lines += ["", section.title.upper(), ""]
        for index, block in enumerate(section.blocks):
            if index and not (isinstance(block, Text) and isinstance(section.blocks[index - 1], Text)):
                lines.append("")
            lines += [(" " * INDENT + line).rstrip() for line in _text_block(block)]
    text = "\n".join(lines).replace(NBSP, " ") + "\n"
    return text.translate(_ASCII).encode("ascii", "replace").decode() if ascii_only else text


def to_markdown(page: Page) -> str:
    """GitHub-flavoured Markdown; charts stand in code blocks."""
    lines = [f"# {_escape(page.title)}", "", _escape(page.subtitle)]
    for section in page.sections:
        lines += ["", f"## {section.title}"]
        for block in section.blocks:
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
        widths[last] = max(8, min(widths[last], WIDTH - INDENT - sum(widths[:last]) - 2 * last))
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
