"""``python -m sdrl``."""

from __future__ import annotations

from sdrl.cli.main import entry

if __name__ == "__main__":
    entry()
