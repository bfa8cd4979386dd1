"""What a run was worth: figures recomputed from its artifacts, and a readable page of them.

Reading order: ``run_data`` (a run folder as rows), ``figures`` (rows into one JSON value), ``labels`` (label noise
where the truth is known), ``verdict`` (the first lines, in words), ``page`` (figures into sections), ``charts`` and
``rendering`` (sections into text or Markdown); beside them ``data`` and ``suspects`` (more figures), ``graphs`` and
``svg`` (pictures), ``samples`` and ``html_page`` (one HTML file), ``comparison`` (runs side by side). Reads a run
folder and nothing else; asks no model and writes only the file it is told to.
"""

from __future__ import annotations

from sdrl.report.figures import read_figures
from sdrl.report.page import Page, build_page
from sdrl.report.rendering import to_markdown, to_text

__all__ = ["Page", "build_page", "read_figures", "to_markdown", "to_text"]
