"""What drops a written sample before anything is paid for it: duplicates, contamination, near-duplicates.

Reading order: ``text`` (how texts are compared), one module a filter, ``apply`` (the ordered list of a spec). Filters
are pure: they read samples, ask nobody, and say for each drop which earlier text it was too close to.
"""

from __future__ import annotations

from sdrl.filters.apply import Drop, Filtered, FilterState, apply_filters

__all__ = ["Drop", "FilterState", "Filtered", "apply_filters"]
