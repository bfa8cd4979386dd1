"""``sdrl report RUN…``: verdict, figures and samples of runs, as text, Markdown, JSON, HTML or SVG. Asks no model."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.report.blocks import Page
    from sdrl.report.graph import Graph
    from sdrl.run.folder import RunFolder

FORMATS = {".md": "markdown", ".markdown": "markdown", ".txt": "text", ".json": "json", ".html": "html", ".htm": "html"}

MOST_RUNS = 26  # they are named by the letters


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("runs", nargs="+", metavar="RUN", type=Path, help="folder that 'sdrl run' wrote to")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE (.html, .md, .txt or .json), or all of them and the figures as SVG and PNG to DIR/",
    )
    parser.add_argument(
        "--tokenizer", metavar="NAME", help="count lengths in tokens: a tokenizer.json, or a name tiktoken knows"
    )
    parser.add_argument("--embedder", metavar="NAME", help="measure likeness by a model of sentence-transformers")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")
    parser.add_argument("--ascii", action="store_true", help="no characters beyond ASCII")


def run(args: argparse.Namespace) -> int:
    """Report on one run, or on several beside each other."""
    from sdrl.report import read_figures
    from sdrl.report.measures import Measures
    from sdrl.spec.diagnostics import Exit

    output: str | None = args.output
    form = "json" if args.json else "text"
    is_folder = output is not None and (output.endswith("/") or Path(output).is_dir())
    if output is not None and not is_folder:
        form = FORMATS.get(Path(output).suffix.lower(), "")
        if not form or (args.json and form != "json"):
            given = f"{output} with --json" if args.json else str(output)
            sys.stderr.write(
                f"sdrl report: cannot write {given}\n  help: use .html, .md, .txt or .json, or a folder: DIR/\n"
            )
            return int(Exit.USAGE)
    if len(args.runs) > MOST_RUNS:
        sys.stderr.write(f"sdrl report: {len(args.runs)} runs are too many to compare; name at most {MOST_RUNS}\n")
        return int(Exit.USAGE)
    measures = Measures.of(args.tokenizer, args.embedder)
    figures = [read_figures(root, measures) for root in args.runs]
    if output is None:
        sys.stdout.write(_rendered(args.runs, figures, form, args.ascii or not _prints_blocks()))
        return int(Exit.OK)
    files: Iterable[tuple[str, str | bytes]] = [("", _rendered(args.runs, figures, form, args.ascii))]
    if is_folder:
        files = _folder(args.runs, figures)
    from sdrl.run.folder import write_atomic

    for name, text in files:
        path = Path(output) / name if name else Path(output)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    sys.stderr.write(f"wrote {output}\n")
    return int(Exit.OK)


def _folder(roots: list[Path], figures: list[dict[str, Any]]) -> Iterator[tuple[str, str | bytes]]:
    """Every form of the report, and each picture as files of its own."""
    from sdrl.report.graphs import graphs
    from sdrl.report.png import to_png, why_not
    from sdrl.report.svg import standalone

    for name, form in (("report.html", "html"), ("report.txt", "text"), ("report.json", "json")):
        yield name, _rendered(roots, figures, form, ascii_only=False)
    if (reason := why_not()) is not None:
        sys.stderr.write(f"no PNG figures: {reason}\n")
    if len(figures) == 1:
        pictures = [("", graph) for graph in graphs(figures[0])]
    else:
        pictures = [(f"run-{number}/", graph) for number, each in enumerate(figures, 1) for graph in graphs(each)]
        pictures += [("", graph) for graph in _common(roots, figures)]
    yield "report.md", _markdown(roots, figures, [(folder, graph) for folder, graph in pictures])
    for folder, graph in pictures:
        picture = standalone(graph.picture)
        yield f"{folder}{graph.name}.svg", picture
        if reason is None:
            yield f"{folder}{graph.name}.png", to_png(picture)


def _common(roots: list[Path], figures: list[dict[str, Any]]) -> list[Graph]:
    """The pictures that several runs share."""
    from sdrl.report.comparison import against_first
    from sdrl.report.comparison_graphs import comparison_graphs
    from sdrl.report.run_data import RunData

    compared = against_first([RunData.open(root) for root in roots])
    return comparison_graphs(figures, [(name, letter, each) for name, letter, each in compared if each])


def _rendered(roots: list[Path], figures: list[dict[str, Any]], form: str, ascii_only: bool) -> str:
    from sdrl.report import to_text

    if form == "json":
        return json.dumps(figures[0] if len(figures) == 1 else figures, indent=2, ensure_ascii=False) + "\n"
    if form == "html":
        return _html(roots, figures)
    if form == "markdown":
        return _markdown(roots, figures, [])
    return "\n\n".join(to_text(page, ascii_only=ascii_only) for page in _pages(roots, figures, ascii_only))


def _pages(roots: list[Path], figures: list[dict[str, Any]], ascii_only: bool = False) -> list[Page]:
    """The page of each run; of several, the one that compares them first."""
    from sdrl.report import build_page

    pages = [build_page(each, ascii_only=ascii_only) for each in figures]
    if len(roots) > 1:
        from sdrl.report.comparison import compare
        from sdrl.report.run_data import RunData

        pages.insert(0, compare([RunData.open(root) for root in roots], figures))
    return pages


def _markdown(roots: list[Path], figures: list[dict[str, Any]], pictures: list[tuple[str, Graph]]) -> str:
    """Every page as Markdown, with the pictures that lie beside it."""
    from sdrl.report import to_markdown

    pages = _pages(roots, figures)
    folders = [""] if len(pages) == 1 else ["", *(f"run-{number}/" for number in range(1, len(pages)))]
    return "\n".join(
        to_markdown(
            page, {graph.name: (f"{folder}{graph.name}.svg", graph) for place, graph in pictures if place == folder}
        )
        for page, folder in zip(pages, folders, strict=True)
    )


def write_page(folder: RunFolder) -> None:
    """Write the run's own page, ``RUN/report.html``; one that is newer than every seal is kept."""
    from sdrl.report import read_figures
    from sdrl.run.folder import write_atomic

    made_of = [folder.plan / "plan.json", *folder.artifacts.glob("*.seal.json")]
    newest = max(path.stat().st_mtime_ns for path in made_of)
    if folder.report.exists() and folder.report.stat().st_mtime_ns >= newest:
        return
    page = _html([folder.root], [read_figures(folder.root)])
    write_atomic(folder.report, page.encode("utf-8", "replace"))


def _html(roots: list[Path], figures: list[dict[str, Any]]) -> str:
    from sdrl.report.html_page import comparison_to_html, to_html
    from sdrl.report.run_data import RunData
    from sdrl.report.samples import gallery

    if len(roots) > 1:
        return comparison_to_html(_pages(roots, figures)[0], _common(roots, figures))
    return to_html(figures[0], gallery(RunData.open(roots[0])))


def _prints_blocks() -> bool:
    try:
        "█▁│".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
