"""What a run was worth: figures recomputed from its artifacts, and a readable page of them.

Reading order: ``run_data`` (a run folder as rows), ``figures`` (rows into one JSON value), ``labels`` (label noise
where the truth is known), ``verdict`` (the first lines, in words), ``page`` (figures into sections of ``blocks``),
``charts`` and ``rendering`` (sections into text or Markdown). Beside them: ``data``, ``measures``, ``similarity``,
``training_data`` and ``suspects`` (more figures), ``more_tables`` (more sections), ``graphs`` with ``data_graphs``,
``text_graphs`` and ``training_graphs`` (figures into pictures), ``svg_frame``, ``svg`` and ``png`` (how these are
drawn), ``samples``, ``gallery_markup`` and ``html_page`` (one HTML file), ``comparison`` and ``comparison_graphs``
(runs side by side). Reads a run folder and nothing else; asks no model and writes only the file it is told to.
"""

from __future__ import annotations

from sdrl.report.blocks import Page
from sdrl.report.figures import read_figures
from sdrl.report.page import build_page
from sdrl.report.rendering import to_markdown, to_text

__all__ = ["Page", "build_page", "read_figures", "to_markdown", "to_text"]
