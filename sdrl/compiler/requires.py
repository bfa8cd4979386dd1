"""The versions of the libraries whose numbers or formats a run depends on.

These ranges are what a plan requires; what is installed is checked at the start of a run and written into the seals.
Widening a range here changes the hash of the stages that use the library (``graph.REQUIRES``), on purpose.
"""

from __future__ import annotations

REQUIRED: dict[str, str] = {
    "openai": ">=3.3,<4",
    "tantivy": ">=0.27,<0.28",
    "torch": ">=2.9",
    "transformers": ">=5,<6",
    "trl": ">=1.16,<1.17",
}
