"""Property tests try the same examples on every run of one tree, so that a red suite is about the change at hand.

``SDRL_EXPLORE=1`` tries new ones, as `make fuzz` does for the language.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None)
if not os.environ.get("SDRL_EXPLORE"):
    settings.load_profile("same")
