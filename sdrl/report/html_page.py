"""The report as one HTML file: verdict first, then pictures, tables and a gallery of samples. Pure, but for its assets.

The file asks for nothing: style and script are inside, each allowed by its hash in a content security policy that
forbids the rest. Every text of a user, passage or model passes ``escape``; nothing of them reaches the script but as
text of elements. Without scripts the page is whole, only not sorted or filtered.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sdrl.report.blocks import Block, Page, Section, Table, Text
from sdrl.report.gallery_markup import gallery_markup
from sdrl.report.graph import Graph
from sdrl.report.graphs import graphs, missing
from sdrl.report.page import build_page
from sdrl.report.samples import Gallery
from sdrl.report.verdict import SURE, percent, points, verdict

_HERE = Path(__file__).parent
NARROW = 4  # a table with at most so many short columns keeps them together
_WIDE = 30  # a last column of text with more characters than this may wrap
_MINUS = re.compile(r"(?:(?<=^)|(?<=[\s(]))-(?=\d)")


def to_html(figures: Mapping[str, Any], gallery: Gallery) -> str:
    """The whole page of one run: each section its pictures, then its words and tables."""
    page, pictures = build_page(figures), {each.name: each for each in graphs(figures)}
    sections = [("verdict", "Verdict", _hero(figures) + _absent(figures))]
    sections += _sections([each for each in page.sections if each.title != "Verdict"], pictures)
    if gallery.samples:
        sections.append(("gallery", "Samples", gallery_markup(gallery)))
    return document(page.title, page.subtitle, sections)


def comparison_to_html(page: Page, pictures: Sequence[Graph]) -> str:
    """The page of several runs."""
    return document(page.title, page.subtitle, _sections(page.sections, {each.name: each for each in pictures}))


def _sections(sections: Sequence[Section], pictures: Mapping[str, Graph]) -> list[tuple[str, str, str]]:
    return [
        (
            _slug(section.title),
            section.title,
            _section([pictures[name] for name in section.figures if name in pictures], section.blocks),
        )
        for section in sections
    ]


def _section(pictures: Sequence[Graph], blocks: Sequence[Block]) -> str:
    """A single picture stands beside its tables where there is room, several stand above them."""
    words = _blocks(blocks)
    if len(pictures) == 1 and words:
        return f'<div class="split">{_figure(pictures[0])}{words}</div>'
    drawn = f'<div class="grid">{"".join(map(_figure, pictures))}</div>' if pictures else ""
    return drawn + words


def document(title: str, subtitle: str, sections: Sequence[tuple[str, str, str]]) -> str:
    """A file of ``(anchor, title, markup)`` sections; ``title`` and ``subtitle`` are data."""
    style, script = (_HERE.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    links = "".join(f'<a href="#{name}">{escape(words)}</a>' for name, words, _ in sections)
    body = "".join(
        f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{escape(words)}</h2>{markup}</section>\n'
        for name, words, markup in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{style}</style></head>\n<body>'
        f'<header class="top"><div><h1>{escape(title)}</h1><p class="soft">{escape(subtitle)}</p></div>'
        '<button id="theme" class="theme" type="button" hidden>light / dark</button></header>'
        f'<nav aria-label="sections"><div>{links}</div></nav>\n<main>{body}</main>'
        "<footer>Made by sdrl report from the run folder alone; every figure can be recomputed from it.</footer>"
        f"<script>{script}</script></body></html>\n"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _hero(figures: Mapping[str, Any]) -> str:
    first = next((each for each in figures["evaluations"] if each.get("gain") is not None), None)
    words = "".join(f"<p>{escape(typeset(line))}</p>" for line in verdict(figures))
    if first is None:
        big = f'<div class="big warn">–</div><p class="soft">no gain to report</p>{_pills(figures, None)}'
    else:
        low, high = first["interval"]
        kind = _kind(first)
        big = (
            f'<div class="big {kind}">{_points(first["gain"])}</div><p>points on {escape(str(first["name"]))}, '
            f"95 % interval {_points(low)} to {_points(high)}</p>"
            f"<p><b>{percent(first['base']['accuracy'])}</b> before, <b>{percent(first['trained']['accuracy'])}</b> "
            f'after</p><p class="soft">format {_points(first["gain_format"])} · skill '
            f"{_points(first['gain_skill'])}</p>" + _pills(figures, first)
        )
    return f'<div class="card hero"><div>{big}</div><div>{words}</div></div>'


def _points(share: float) -> str:
    return typeset(points(share))


def _kind(each: Mapping[str, Any]) -> str:
    low, high = each["interval"]
    sure = each["p"] < SURE
    return "good" if low > 0 and sure else "bad" if high < 0 and sure else "warn"


def _pills(figures: Mapping[str, Any], first: Mapping[str, Any] | None) -> str:
    found: list[tuple[str, str]] = []
    if first is not None:
        words = {"good": "more than chance", "bad": "worse than before", "warn": "no gain shown"}
        found.append((_kind(first), words[_kind(first)]))
    if figures["status"] != "done":
        found.append(("warn", f"run: {figures['status']}"))
    gate = figures["gate"] or {}
    if gate.get("met") is not None and first is not None:
        found.append(("good", "gate met") if gate["met"] else ("bad", "gate not met"))
    if figures["is_toy"]:
        found.append(("", "toy scale"))
    suspects = figures.get("suspects") or {}
    if suspects.get("run"):
        found.append(("warn", "reward and validation part"))
    return (
        '<div class="pills">' + "".join(f'<span class="pill {kind}">{escape(w)}</span>' for kind, w in found) + "</div>"
    )


def _absent(figures: Mapping[str, Any]) -> str:
    items = "".join(f"<li>{escape(words)}</li>" for words in missing(figures))
    if not items:
        return ""
    return f'<details class="card"><summary>What this report does not have, and why</summary><ul>{items}</ul></details>'


def _figure(graph: Graph) -> str:
    return (
        f'<figure class="card" id="fig-{graph.name}"><h3>{escape(graph.title)}</h3>'
        f'<div class="plot">{graph.picture}</div><figcaption>{escape(graph.caption)}</figcaption></figure>'
    )


def _blocks(blocks: Sequence[Block]) -> str:
    """Words and tables; character charts are left out, as the pictures show the same."""
    parts = []
    for block in blocks:
        if isinstance(block, Text):
            parts.append(f"<p>{escape(typeset(block.words))}</p>")
        elif isinstance(block, Table):
            parts.append(table(block))
    return f'<div class="card">{"".join(parts)}</div>' if parts else ""


def typeset(words: str) -> str:
    """A hyphen before a number becomes a minus sign."""
    return _MINUS.sub("\u2212", words)


def table(block: Table) -> str:
    """A table whose heads sort it; one whose rows are parts of the row above keeps its order, a total its place."""
    last = len(block.head) - 1
    is_wide = last in block.left and any(len(row[last]) > _WIDE for row in block.rows)
    is_sorted = len(block.rows) > 1 and not any(row[0].startswith(" ") for row in block.rows)
    has_total = bool(block.rows) and block.rows[-1][0] == "all"

    def kind(column: int) -> str:
        names = ["left"] * (column in block.left) + ["wide"] * (is_wide and column == last)
        return f' class="{" ".join(names)}"' if names else ""

    def head(cell: str) -> str:
        words = escape(cell.strip())
        return f'<button type="button">{words or "what"}</button>' if is_sorted else words

    def row(cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<td{kind(n)}>{escape(_cell(cell))}</td>" for n, cell in enumerate(cells)) + "</tr>"

    heads = "".join(f'<th scope="col"{kind(n)}>{head(cell)}</th>' for n, cell in enumerate(block.head))
    body = "".join(map(row, block.rows[: len(block.rows) - has_total]))
    foot = f"<tfoot>{row(block.rows[-1])}</tfoot>" if has_total else ""
    narrow = ' class="narrow"' if len(block.head) <= NARROW and not is_wide else ""
    return (
        f'<div class="scroll"><table{narrow}><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table></div>'
    )


def _cell(cell: str) -> str:
    """Leading blanks are how the text report indents; a no-break space keeps them."""
    bare = cell.lstrip()
    return "\u00a0" * 2 * (len(cell) - len(bare)) + typeset(bare)


def _slug(title: str) -> str:
    return "-".join("".join(mark if mark.isalnum() else " " for mark in title.lower()).split())
