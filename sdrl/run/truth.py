"""What the scripted instructor knows of the problems it wrote: kept in the store, copied into each run with them.

A run whose replies all came from the request cache asks the instructor nothing, and its label noise can be measured all
the same. Real instructors know no truth; then there is no such file.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sdrl.run.artifacts import Artifacts, Row, encode_rows
from sdrl.run.folder import RunFolder, write_atomic

STORE_FILE = "truth.jsonl"
WRITTEN_BY = ("generate", "vote", "adapt")


def bring_truth(artifacts: Artifacts, folder: RunFolder, store: Path) -> None:
    """Write ``RUN/truth.jsonl`` with the truths of this run's samples, the dropped ones too; nothing without any."""
    source = store / STORE_FILE
    if not source.exists():
        return
    known = _known(source)
    found = {}
    for stage in WRITTEN_BY:
        for row in artifacts.rows(stage) + artifacts.dropped(stage):
            digest = hashlib.sha256(str(row.get("input", "")).encode("utf-8", "surrogatepass")).hexdigest()
            if digest in known:
                found[digest] = known[digest]
    if found:
        write_atomic(folder.truth, encode_rows(found.values()))


def _known(source: Path) -> dict[str, Row]:
    """The truths by input; a line that a kill or a full disk cut short is passed over: the server appends after it."""
    known: dict[str, Row] = {}
    for line in source.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
            known[row["input_sha256"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    return known
