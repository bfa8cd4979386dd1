"""``make faults``: every scenario of ``scenarios``, or those named; prints a table. Exit 1 at the first that fails."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.faults.scenarios import ALL, Trial


def main(words: list[str]) -> int:
    """Run them all, in order."""
    chosen = [scenario for scenario in ALL if not words or scenario.__name__ in words]
    print("| what is done to a run | times | how it ended | then the undisturbed bytes | sent twice | |")
    print("|---|---|---|---|---|---|")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sdrl-faults-") as folder:
        trial = Trial(Path(folder))
        for scenario in chosen:
            for row in scenario(trial):
                cells = (row.scenario, f"{row.runs:,}", row.ends, row.same, row.twice, row.note)
                print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
