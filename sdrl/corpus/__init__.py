"""Passages: where they come from, and how they are found again.

Reading order: ``passage`` (the one data type), ``split`` (long texts into passages), ``sources`` (files and hub data
sets into passages), ``index`` (passages into a Tantivy index, content-addressed), ``search``. Knows nothing of prompts
or stages. Tantivy, pyarrow and datasets are imported when first needed.
"""

from __future__ import annotations

from sdrl.corpus.index import IndexInfo, build_index, write_index
from sdrl.corpus.passage import Passage
from sdrl.corpus.search import Hit, PassageIndex, open_index
from sdrl.corpus.sources import read_passages

__all__ = [
    "Hit",
    "IndexInfo",
    "Passage",
    "PassageIndex",
    "build_index",
    "open_index",
    "read_passages",
    "write_index",
]
