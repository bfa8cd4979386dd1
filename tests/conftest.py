"""Property tests try the same examples on every run of one tree, so that a red suite is about the change at hand.

None is timed: a machine that stands still for a moment would fail it.

``SDRL_EXPLORE=1`` tries new ones, as `make fuzz` does for the language.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", untimed)
settings.register_profile("same", untimed, derandomize=True, database=None)
settings.load_profile("explore")
if not os.environ.get("SDRL_EXPLORE"):
    settings.load_profile("same")
