"""How long the loader takes over the most hostile spec files: one second each is the budget."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from sdrl.spec.loader import load_spec
from tests.bench.figures import Figure
from tests.spec.test_hostile_files import GOOD, HOSTILE


def hostile_files() -> Figure:
    """The slowest of all, beside a good spec of ordinary size."""
    slowest, name = max((_seconds(content), name) for name, content, _ in HOSTILE)
    good = _seconds(GOOD.encode())
    return Figure(
        "slowest hostile spec",
        f"{slowest * 1000:.0f} ms",
        f"{good * 1000:.1f} ms a good one; slowest: {name}",
        slowest / good,
        "≤ 1 s",
        slowest <= 1,
    )


def _seconds(content: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hostile.yaml"
        path.write_bytes(content)
        began = time.perf_counter()
        load_spec(path)
        return time.perf_counter() - began
