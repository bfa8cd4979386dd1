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

# beginning of a code -> what such codes speak of, in the order in which a person meets them
GROUPS: Mapping[str, str] = {
    "E1": "Syntax of a spec",
    "E2": "Keys and values of a spec",
    "E3": "References, templates and cross-checks",
    "W3": "Advice on a spec",
    "E4": "The verifier",
    "W4": "Advice on the verifier",
    "E5": "Resources, prices and hardware",
    "W5": "Advice on resources",
    "E6": "Plans that are missing, changed or stale",
    "W6": "Advice on plans",
    "E7": "Budget",
    "W7": "Advice on the budget",
    "E8": "The run: models, corpus, store, stages, training",
    "W8": "Advice of a run",
}


def group_of(code: str) -> str:
    """The group a code belongs to: a key of ``GROUPS``."""
    return code[:2]


def find(code: str) -> Code | None:
    """A code in full, whatever the case of its letter."""
    return CODES.get(code.strip().upper())
