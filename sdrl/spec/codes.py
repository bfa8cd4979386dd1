"""Every code a user can meet: what it means, why it is refused, a bad and a good example.

Codes never change their meaning and are never used again for something else: E1xx syntax, E2xx schema, E3xx references
and templates, E4xx verifier, E5xx resources, prices, hardware, E6xx drift, E7xx budget, E8xx run time, W warnings. The
rows stand in ``codes_language``, ``codes_lints``, ``codes_plan`` and ``codes_run``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One code in full. ``bad`` and ``good`` are YAML of a spec, or a command line."""

    code: str
    title: str
    what: str
    why: str
    bad: str
    good: str


def _collect() -> Mapping[str, Code]:
    from sdrl.spec.codes_language import ROWS as LANGUAGE
    from sdrl.spec.codes_lints import ROWS as LINTS
    from sdrl.spec.codes_plan import ROWS as PLAN
    from sdrl.spec.codes_run import ROWS as RUN

    return {row[0]: Code(*row) for row in (*LANGUAGE, *LINTS, *PLAN, *RUN)}


CODES: Mapping[str, Code] = _collect()


def find(code: str) -> Code | None:
    """A code in full, whatever the case of its letter."""
    return CODES.get(code.strip().upper())
