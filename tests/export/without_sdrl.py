"""Runs a script as if sdrl were not installed: ``python -I without_sdrl.py SCRIPT ARGS…``. Importing it is an error."""

from __future__ import annotations

import runpy
import sys
from typing import Any


class Refuses:
    """Finds nothing and refuses sdrl, whatever made it importable."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in ("sdrl", "sdrl_tui"):
            raise ImportError(f"{name} must not be needed here")


if __name__ == "__main__":
    sys.meta_path.insert(0, Refuses())  # type: ignore[arg-type]  # all that an importer calls
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
