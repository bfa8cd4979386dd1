#!/usr/bin/env python3
"""A fake: a training process that trains nothing. It leaves the outcome that the test wrote beside it, or none."""

import pathlib
import sys

job = pathlib.Path(sys.argv[-1])
outcome = pathlib.Path("outcome.json")
if outcome.exists():
    (job.parent / "outcome.json").write_text(outcome.read_text())
sys.exit(0 if outcome.exists() else 3)
