"""What drops a written sample before anything is paid for its pass rate: copies, contamination, poor or common ones.

Reading order: ``text`` (how texts are compared), one module a filter, ``apply`` (the ordered list of a spec). Filters
are pure: they read samples, ask nobody (what the instructor said of a sample stands in it), and give evidence for each
drop: the earlier text it was too close to, the grade, the count. docs/filters.md has what each is worth.
"""

from __future__ import annotations

from sdrl.filters.apply import Drop, Filtered, FilterState, apply_filters

__all__ = ["Drop", "FilterState", "Filtered", "apply_filters"]
