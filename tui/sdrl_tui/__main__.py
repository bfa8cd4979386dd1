"""``python -m sdrl_tui [SPEC]``."""

from __future__ import annotations

import sys
from pathlib import Path

from sdrl_tui.app import main

sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
